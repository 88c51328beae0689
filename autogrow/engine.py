"""Train or evaluate a network for one epoch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from autogrow.batches import DeviceSet
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
) -> Score:
    """Train on each batch once; return the score over the batches as they were trained on.

    Parameters
    ----------
    network
        Put into training mode.
    optimizer
        Steps once a batch.
    batches
        Images (B, C, H, W) and labels (B,).
    precision
        ``bf16`` for autocast; TF32 is for :func:`set_precision` to allow.
    """
    network.train()
    tally = _Tally()
    for images, labels in batches:
        logits = _logits(network, images, precision)
        loss = cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        tally.add(loss.detach(), logits.detach(), labels)
    return tally.score()


@torch.inference_mode()
def evaluate(network: nn.Module, images: DeviceSet, precision: str = "fp32") -> tuple[Score, float]:
    """Return the score of the network in evaluation mode over all images, and top-5 accuracy.

    Top-5 accuracy is in percent; with fewer than five classes it is 100.
    """
    network.eval()
    tally = _Tally()
    in_top5: Tensor | int = 0
    for batch, labels in images.evaluation_batches(evaluation_batch(images)):
        logits = _logits(network, batch, precision)
        tally.add(cross_entropy(logits, labels), logits, labels)
        top5 = logits.topk(min(5, logits.shape[1])).indices
        in_top5 = in_top5 + (top5 == labels[:, None]).sum()
    return tally.score(), _percent(in_top5, tally.images)


def evaluation_batch(images: DeviceSet) -> int:
    """Return how many images are evaluated at once."""
    height, width = images.image_size
    return max(32, EVALUATION_PIXELS[images.device.type] // (height * width))


def _percent(count: Tensor | int, images: int) -> float:
    return round(100 * int(count) / images, 4)


class _Tally:
    """Sums on the device, read once at the end: no wait for the device in between."""

    def __init__(self) -> None:
        self.images = 0
        self.loss: Tensor | float = 0.0
        self.correct: Tensor | int = 0

    def add(self, mean_loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        self.images += len(labels)
        self.loss = self.loss + mean_loss.double() * len(labels)
        self.correct = self.correct + (logits.argmax(1) == labels).sum()

    def score(self) -> Score:
        return Score(float(self.loss) / self.images, _percent(self.correct, self.images))
