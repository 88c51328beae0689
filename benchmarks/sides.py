"""The two sides of a pair, with the same network, images and settings."""

from __future__ import annotations

import argparse
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from multiprocessing import set_start_method
from typing import Any

import numpy as np
import torch

from autogrow.batches.in_memory import DeviceSet
from autogrow.data import Split, load
from autogrow.networks.compiling import compile_sub_modules
from autogrow.networks.growable import build_network
from autogrow.networks.names import parse_network
from autogrow.process.memory import keep_memory
from autogrow.training.epoch import evaluate, set_precision, train_epoch
from autogrow.training.optimizer import SGD

SETTINGS: dict[str, Any] = {"lr": 0.01, "momentum": 0.9, "weight_decay": 5e-4}
BATCH = 128


@dataclass(frozen=True)
class Case:
    """A network with its depth, and its images: a second or two an epoch."""

    network: str
    size: int
    channels: int
    images: int

    @property
    def name(self) -> str:
        """Network and images as one word for tables."""
        return f"{self.network} {self.size}x{self.size}x{self.channels}"


CASES = (
    Case("Basic3ResNet-1-1-1", 32, 3, 2560),
    Case("Basic3ResNet-3-3-3", 32, 3, 1280),
    Case("Basic3ResNet-9-9-9", 32, 3, 640),
    Case("Plain3Net-9-9-9", 32, 3, 1024),
    Case("Basic4ResNet-1-1-1-1", 32, 3, 384),
    Case("Basic3ResNet-1-1-1", 8, 1, 10240),
    Case("Basic3ResNet-3-3-3", 8, 1, 5120),
)


def enlarged_digits(case: Case) -> Split:
    """Return a case's images and labels: digits, repeated and with larger pixels.

    Content does not matter to speed. But the two sides' losses can be compared only over
    something that can be learned: a network that learns noise amplifies rounding.
    """
    digits = load("digits").train
    assert isinstance(digits, Split)  # in memory, not in files
    chosen = np.arange(case.images) % len(digits.labels)
    scale = case.size // digits.images.shape[1]
    images = digits.images[chosen].repeat(scale, axis=1).repeat(scale, axis=2)
    return Split(images.repeat(case.channels, axis=3), digits.labels[chosen])


class Side:
    """The images and the untrained network of a case on a device."""

    def __init__(self, case: Case, device: torch.device) -> None:
        torch.manual_seed(0)
        network = parse_network(case.network)
        self.network = build_network(network, image_channels=case.channels, classes=10).to(device)
        self.split = enlarged_digits(case)
        self.device = device

    def peak_memory(self) -> int:
        """Return the most bytes that this process has had: the GPU's, or resident."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class Engine(Side):
    """The engine, as a run uses it."""

    def __init__(
        self, case: Case, device: torch.device, precision: str = "fp32", compiled: bool = False
    ) -> None:
        super().__init__(case, device)
        set_precision(precision, device)
        self.precision = precision
        self.half = (0.5,) * case.channels
        self.set = DeviceSet(
            self.split, self.half, self.half, device, crop_padding=case.size // 8, flip=True
        )
        self.network.to(memory_format=torch.channels_last)
        if compiled:
            compile_sub_modules(self.network)
        self.optimizer = SGD(self.network.parameters(), **SETTINGS)
        self.epoch = 0

    def train(self) -> None:
        """Train an epoch, augmentation included."""
        self.epoch += 1
        batches = self.set.training_batches(BATCH, seed=0, epoch=self.epoch)
        train_epoch(self.network, self.optimizer, batches, self.precision)

    def evaluate(self) -> float:
        """Return the accuracy on all images, in percent."""
        return evaluate(self.network, self.set, self.precision)[0].accuracy

    def losses(self, order: Sequence[int], dtype: torch.dtype) -> list[float]:
        """Train on the images in this order, not augmented; return each batch's loss."""
        self.network.to(dtype)
        chosen = Split(self.split.images[order], self.split.labels[order])
        images = DeviceSet(chosen, self.half, self.half, self.device)
        return [
            train_epoch(self.network, self.optimizer, [(x.to(dtype), y)], self.precision).loss
            for x, y in images.evaluation_batches(BATCH)
        ]


class Reference(Side):
    """The usual way: torchvision transforms on PIL images, a DataLoader, default layout."""

    def __init__(self, case: Case, device: torch.device) -> None:
        from benchmarks import everyday_loop  # its libraries are not the engine's memory

        super().__init__(case, device)
        self.loop = everyday_loop
        arrays = self.split.images, self.split.labels
        self.training = everyday_loop.loader(*arrays, BATCH, padding=case.size // 8)
        self.evaluation = everyday_loop.loader(*arrays, BATCH)
        self.optimizer = torch.optim.SGD(self.network.parameters(), **SETTINGS)

    def train(self) -> None:
        """Train an epoch, augmentation included."""
        self.loop.train_epoch(self.network, self.optimizer, self.training, self.device)

    def evaluate(self) -> float:
        """Return the accuracy on all images, in percent."""
        return self.loop.evaluate(self.network, self.evaluation, self.device)

    def losses(self, order: Sequence[int], dtype: torch.dtype) -> list[float]:
        """Train on the images in this order, not augmented; return each batch's loss."""
        self.network.to(dtype)
        loader = self.loop.loader(self.split.images[order], self.split.labels[order], BATCH)
        batches = ((x.to(dtype), y) for x, y in loader)
        return self.loop.train_epoch(self.network, self.optimizer, batches, self.device)


def work(word: str, name: str, case: Case, options: argparse.Namespace) -> int:
    """Have ``engine`` or ``reference`` do a method in this process; the first call builds it."""
    how = (options.device, options.threads, options.precision, options.compile)
    return getattr(_side(name, case, *how), word)()


@cache
def _side(
    name: str, case: Case, device: torch.device, threads: int, precision: str, compiled: bool
) -> Engine | Reference:
    if name == "engine":
        keep_memory()
    torch.set_num_threads(threads)
    if name == "engine":
        return Engine(case, device, precision, compiled)
    set_start_method(None, force=True)  # the DataLoader's workers start in the usual way
    return Reference(case, device)
