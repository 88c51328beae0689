"""The training loop that everybody writes: what the engine's speed is a ratio to.

torchvision transforms on PIL images, a DataLoader with two workers, PyTorch's
default memory layout and optimizer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

WORKERS = 2


class PilImages(Dataset):
    """Images and labels as a torchvision data set gives them.

    Parameters
    ----------
    images
        uint8 (N, H, W, C).
    labels
        (N,).
    transform
        Of a PIL image to a tensor.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, transform: Any) -> None:
        self.images = images
        self.labels = labels
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        pixels = self.images[i]
        image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
        return self.transform(image), int(self.labels[i])


def training_loader(
    images: np.ndarray, labels: np.ndarray, *, padding: int, flip: bool, batch_size: int
) -> DataLoader:
    """Return shuffled, augmented and normalised batches of PIL images."""
    size, channels = images.shape[1], images.shape[3]
    steps = [transforms.RandomCrop(size, padding=padding)]
    steps += [transforms.RandomHorizontalFlip()] if flip else []
    transform = transforms.Compose([*steps, *_to_tensor(channels)])
    return DataLoader(
        PilImages(images, labels, transform),
        batch_size=batch_size,
        shuffle=True,
        num_workers=WORKERS,
    )


def evaluation_loader(images: np.ndarray, labels: np.ndarray, *, batch_size: int) -> DataLoader:
    """Return normalised batches of PIL images in order."""
    transform = transforms.Compose(_to_tensor(images.shape[3]))
    return DataLoader(
        PilImages(images, labels, transform), batch_size=batch_size, num_workers=WORKERS
    )


def _to_tensor(channels: int) -> list[Any]:
    half = (0.5,) * channels
    return [transforms.ToTensor(), transforms.Normalize(half, half)]


def train_epoch(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    loader: Iterable[tuple[Tensor, Tensor]],
    device: torch.device,
) -> list[float]:
    """Train on each batch once; return its loss before the step."""
    network.train()
    losses = []
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def evaluate(network: nn.Module, loader: DataLoader, device: torch.device) -> float:
    """Return the accuracy in percent."""
    network.eval()
    correct = images_seen = 0
    with torch.no_grad():
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            correct += int((network(images).argmax(1) == labels).sum())
            images_seen += len(labels)
    return 100 * correct / images_seen
