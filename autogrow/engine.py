"""Train or evaluate a network for one epoch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from autogrow.batches import DeviceSet

EVALUATION_BATCH = 512


class Score(NamedTuple):
    """Mean cross-entropy and accuracy in percent over a set of images.

    Accuracy is rounded to 4 decimals, as metrics.csv records it: growth is
    decided on the recorded value, so that it can be replayed from the record.
    """

    loss: float
    accuracy: float


def sgd(network: nn.Module, *, lr: float, momentum: float, weight_decay: float) -> torch.optim.SGD:
    """Return the paper's optimizer: SGD with momentum, weight decay on all parameters."""
    return torch.optim.SGD(
        network.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay
    )


def set_learning_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Set the learning rate of every parameter."""
    for group in optimizer.param_groups:
        group["lr"] = lr


def train_epoch(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Iterable[tuple[Tensor, Tensor]],
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
    """
    network.train()
    tally = _Tally()
    for images, labels in batches:
        logits = network(images)
        loss = cross_entropy(logits, labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        tally.add(loss.detach(), logits.detach(), labels)
    return tally.score()


@torch.inference_mode()
def evaluate(network: nn.Module, images: DeviceSet) -> Score:
    """Return the score of the network in evaluation mode over all images."""
    network.eval()
    tally = _Tally()
    for batch, labels in images.evaluation_batches(EVALUATION_BATCH):
        logits = network(batch)
        tally.add(cross_entropy(logits, labels), logits, labels)
    return tally.score()


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
        accuracy = 100 * int(self.correct) / self.images
        return Score(float(self.loss) / self.images, round(accuracy, 4))
