"""Networks and images as a user of the Python interface has them."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import max_pool2d

DIGITS = load_digits()
IMAGES, LABELS = (15 * DIGITS.images).astype("uint8"), DIGITS.target


# The paper names GoogLeNet: modules of parallel paths, in at most 25 lines.
class Inception(nn.Module):
    last_bn = None  # no residual branch: the initializers leave it as it is

    def __init__(self, channels):
        super().__init__()
        layers = [nn.Conv2d(channels, channels // 2, k, padding=k // 2) for k in (1, 3)]
        self.paths = nn.ModuleList(nn.Sequential(c, nn.BatchNorm2d(channels // 2)) for c in layers)

    def forward(self, x):
        return torch.cat([path(x) for path in self.paths], 1).relu()


class GoogLeNet(nn.Module):
    def __init__(self, channels=8, classes=10):
        super().__init__()
        self.stem = nn.Conv2d(1, channels, 3, padding=1)
        self.sub_networks = nn.ModuleList(nn.Sequential(Inception(channels)) for _ in range(2))
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(channels, classes))

    def new_sub_module(self, i):
        return Inception(self.stem.out_channels)

    def forward(self, x):
        x = max_pool2d(self.sub_networks[0](self.stem(x)), 2)
        return self.head(self.sub_networks[1](x).mean((2, 3)))


def digits(first, last):
    """Some of the digits, as arrays."""
    return IMAGES[first:last], LABELS[first:last]


class Noisy(torch.utils.data.Dataset):
    """Digits with noise that is drawn anew each time."""

    def __init__(self, first, last):
        self.images, self.labels = IMAGES[first:last] / 240, LABELS[first:last]

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        image = torch.tensor(self.images[i], dtype=torch.float32)
        return image + 0.1 * torch.randn(8, 8), int(self.labels[i])
