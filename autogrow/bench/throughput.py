"""Images a second of the engine against the reference loop: training and evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from autogrow.batches import DeviceSet
from autogrow.bench import reference
from autogrow.bench.pairs import Timing, time_pairs
from autogrow.data import Split
from autogrow.engine import evaluate, train_epoch
from autogrow.flops import costs_of
from autogrow.names import parse_network
from autogrow.networks import build_network
from autogrow.optimizer import SGD

BATCH = 128


@dataclass(frozen=True)
class Case:
    """A network and its images.

    Parameters
    ----------
    network
        With its depth.
    size, channels
        Of the images; their content does not matter to speed.
    images
        A multiple of the batch, few enough for a second or two an epoch.
    """

    network: str
    size: int
    channels: int
    images: int

    @property
    def name(self) -> str:
        """Network and images as one word for tables."""
        return f"{self.network} {self.size}x{self.size}x{self.channels}"


CASES = (
    Case("Basic3ResNet-1-1-1", 32, 3, 1280),
    Case("Basic3ResNet-3-3-3", 32, 3, 512),
    Case("Basic3ResNet-9-9-9", 32, 3, 256),
    Case("Plain3Net-9-9-9", 32, 3, 512),
    Case("Basic4ResNet-1-1-1-1", 32, 3, 128),
    Case("Basic3ResNet-3-3-3", 8, 1, 2560),
)


@dataclass(frozen=True)
class Result:
    """Both sides' speed in a case.

    Parameters
    ----------
    what
        ``training`` or ``evaluation``.
    case
        Which network and images.
    timing
        Seconds an epoch.
    flops
        Multiply-adds of one image's forward pass.
    """

    what: str
    case: Case
    timing: Timing
    flops: int


class Pair:
    """The engine and the reference loop, each with a network of its own of equal weights."""

    def __init__(self, case: Case) -> None:
        rng = np.random.default_rng(0)
        shape = (case.images, case.size, case.size, case.channels)
        self.case = case
        self.split = Split(
            rng.integers(0, 256, shape, dtype=np.uint8), rng.integers(0, 10, case.images)
        )
        name = parse_network(case.network)
        shape_of = {"image_channels": case.channels, "classes": 10}
        self.ours = build_network(name, **shape_of)
        self.theirs = build_network(name, **shape_of)
        self.theirs.load_state_dict(self.ours.state_dict())
        self.ours.to(memory_format=torch.channels_last)
        settings: dict[str, Any] = {"lr": 0.01, "momentum": 0.9, "weight_decay": 5e-4}
        self.our_optimizer = SGD(self.ours.parameters(), **settings)
        self.their_optimizer = torch.optim.SGD(self.theirs.parameters(), **settings)
        half = (0.5,) * case.channels
        padding = case.size // 8
        self.set = DeviceSet(
            self.split, half, half, torch.device("cpu"), crop_padding=padding, flip=True
        )
        arrays = (self.split.images, self.split.labels)
        self.training_loader = reference.training_loader(
            *arrays, padding=padding, flip=True, batch_size=BATCH
        )
        self.evaluation_loader = reference.evaluation_loader(*arrays, batch_size=BATCH)

    def training(self, pairs: int) -> Result:
        """Time an epoch of training, augmentation included."""

        def ours() -> None:
            batches = self.set.training_batches(BATCH, seed=0, epoch=1)
            train_epoch(self.ours, self.our_optimizer, batches)

        def theirs() -> None:
            reference.train_epoch(self.theirs, self.their_optimizer, self.training_loader)

        return self._result("training", time_pairs(ours, theirs, pairs))

    def evaluation(self, pairs: int) -> Result:
        """Time the evaluation of all images."""
        timing = time_pairs(
            lambda: evaluate(self.ours, self.set),
            lambda: reference.evaluate(self.theirs, self.evaluation_loader),
            pairs,
        )
        return self._result("evaluation", timing)

    def _result(self, what: str, timing: Timing) -> Result:
        image, _ = next(self.set.evaluation_batches(1))
        flops = costs_of(self.ours.eval(), image)[-1].flops
        return Result(what, self.case, timing, flops)


def matrix_multiply_peak(seconds: float = 1.0) -> float:
    """Return this machine's fp32 multiply-adds a second in a large matrix product.

    The best of as many products of 2048 x 2048 matrices as fit into ``seconds``.
    """
    import time

    a, b = torch.randn(2, 2048, 2048).unbind()
    best = float("inf")
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - start)
    return 2048**3 / best
