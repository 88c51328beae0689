"""Train or evaluate a network for one epoch."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from autogrow.batches import DeviceSet
from autogrow.distributed import ALONE, World, gradients_stay
from autogrow.errors import UserError
from autogrow.optimizer import SGD

EVALUATION_PIXELS = {"cpu": 2**16, "cuda": 2**20}
"""Pixels a batch of evaluation: on a CPU its activations should stay in the caches."""


class Score(NamedTuple):
    """Mean cross-entropy and accuracy in percent over a set of images.

    Accuracy is rounded to 4 decimals, as metrics.csv records it: growth is
    decided on the recorded value, so that it can be replayed from the record.
    """

    loss: float
    accuracy: float


class Optimizer(Protocol):
    """What training an epoch needs of an optimizer: torch.optim's or :class:`SGD`."""

    def zero_grad(self) -> None:
        """Forget the gradients."""

    def step(self) -> None:
        """Update the parameters."""


def set_learning_rate(optimizer: SGD, lr: float) -> None:
    """Set the learning rate of every parameter."""
    for group in optimizer.param_groups:
        group["lr"] = lr


def set_precision(precision: str, device: torch.device) -> None:
    """Let fp32 multiplications on this device be rounded to TF32, or not.

    Raises
    ------
    UserError
        For ``tf32`` where there is none.
    """
    if precision == "tf32" and (
        device.type != "cuda" or torch.cuda.get_device_capability(device) < (8, 0)
    ):
        raise UserError(
            "precision: tf32 is for GPUs from NVIDIA's Ampere on; "
            "allowed on this device: fp32 or bf16"
        )
    # Convolutions are rounded to TF32 by default: fp32 has to be asked for.
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"


def _logits(network: nn.Module, images: Tensor, precision: str) -> Tensor:
    if precision != "bf16":
        return network(images)
    with torch.autocast(images.device.type, torch.bfloat16):
        return network(images).float()


def train_epoch(
    network: nn.Module,
    optimizer: Optimizer,
    batches: Iterable[tuple[Tensor, Tensor]],
    precision: str = "fp32",
    *,
    micro_batch: int = 0,
    world: World = ALONE,
) -> Score:
    """Train on each batch once; return the score over the batches as they were trained on.

    Parameters
    ----------
    network
        Put into training mode.
    optimizer
        Steps once a batch.
    batches
        Images (B, C, H, W) and labels (B,): this process's share of each batch.
    precision
        ``bf16`` for autocast; TF32 is for :func:`set_precision` to allow.
    micro_batch
        Most images at once, 0: all; a larger batch's gradient is accumulated over parts.
    world
        The processes that train on the other shares.
    """
    network.train()
    tally = _Tally()
    for images, labels in batches:
        optimizer.zero_grad()
        # A process's gradient is averaged over the processes: it counts by its images.
        [everywhere] = world.sum([len(labels)])
        parts = -(-len(labels) // micro_batch) if micro_batch else 1
        shares = zip(images.tensor_split(parts), labels.tensor_split(parts), strict=True)
        for number, (x, y) in enumerate(shares, start=1):
            with nullcontext() if number == parts else gradients_stay(network):
                logits = _logits(network, x, precision)
                loss = cross_entropy(logits, y)
                (loss * (len(y) * world.size / everywhere)).backward()
            tally.add(loss.detach(), logits.detach(), y)
        optimizer.step()
    return tally.score(world)


@torch.inference_mode()
def evaluate(
    network: nn.Module, images: DeviceSet, precision: str = "fp32", *, world: World = ALONE
) -> tuple[Score, float]:
    """Return the score of the network in evaluation mode over all images, and top-5 accuracy.

    Top-5 accuracy is in percent; with fewer than five classes it is 100.

    Parameters
    ----------
    network
        Put into evaluation mode; the same in every process.
    images
        All of them, whatever the number of processes, count once.
    precision
        As for :func:`train_epoch`.
    world
        The processes that evaluate the other shares.
    """
    network.eval()
    tally = _Tally()
    for batch, labels in images.evaluation_batches(evaluation_batch(images), world=world):
        logits = _logits(network, batch, precision)
        tally.add(cross_entropy(logits, labels), logits, labels, top5=True)
    score = tally.score(world)
    return score, tally.top5_accuracy


def evaluation_batch(images: DeviceSet) -> int:
    """Return how many images are evaluated at once."""
    height, width = images.image_size
    return max(32, EVALUATION_PIXELS[images.device.type] // (height * width))


class _Tally:
    """Sums on the device, read once at the end: no wait for the device in between."""

    def __init__(self) -> None:
        self._images = 0
        self._loss: Tensor | float = 0.0
        self._correct: Tensor | int = 0
        self._in_top5: Tensor | int = 0
        self.top5_accuracy = 0.0

    def add(self, mean_loss: Tensor, logits: Tensor, labels: Tensor, *, top5: bool = False) -> None:
        self._images += len(labels)
        self._loss = self._loss + mean_loss.double() * len(labels)
        self._correct = self._correct + (logits.argmax(1) == labels).sum()
        if top5:
            best = logits.topk(min(5, logits.shape[1])).indices
            self._in_top5 = self._in_top5 + (best == labels[:, None]).sum()

    def score(self, world: World) -> Score:
        sums = (self._images, float(self._loss), int(self._correct), int(self._in_top5))
        images, loss, correct, in_top5 = world.sum(sums)
        self.top5_accuracy = round(100 * in_top5 / images, 4)
        return Score(loss / images, round(100 * correct / images, 4))
