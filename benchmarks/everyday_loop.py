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
    """Images (uint8, N, H, W, C) and labels as a torchvision data set gives them."""

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


def loader(
    images: np.ndarray, labels: np.ndarray, batch_size: int, padding: int | None = None
) -> DataLoader:
    """Return normalised batches of PIL images; a padding asks for shuffled, augmented ones."""
    size, channels = images.shape[1], images.shape[3]
    half = (0.5,) * channels
    steps = [transforms.ToTensor(), transforms.Normalize(half, half)]
    if padding is not None:
        crop = transforms.RandomCrop(size, padding=padding)
        steps = [crop, transforms.RandomHorizontalFlip(), *steps]
    return DataLoader(
        PilImages(images, labels, transforms.Compose(steps)),
        batch_size=batch_size,
        shuffle=padding is not None,
        num_workers=WORKERS,
    )


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
