"""Train or evaluate a network for one epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from autogrow.errors import UserError
from autogrow.growth.algorithm import Trial
from autogrow.process.distributed import ALONE, World, gradients_stay
from autogrow.seeds import derive
from autogrow.training.micro_batch import MicroBatch, gpu_is_short
from autogrow.training.optimizer import Optimizer

if TYPE_CHECKING:
    from autogrow.batches.sets import ImageSet
    from autogrow.training.pauses import Pauses

R = TypeVar("R")
EVALUATION_PIXELS = {"cpu": 2**16, "cuda": 2**20}
"""Pixels in a batch of evaluation: on a CPU its activations should stay in the caches."""


class Score(NamedTuple):
    """Mean cross-entropy and accuracy in percent over a set of images.

    Accuracy is rounded to 4 decimals, as metrics.csv records it: growth is
    decided on the recorded value, so that it can be replayed from the record.
    """

    loss: float
    accuracy: float


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


@dataclass
class Tally:
    """Sums over an epoch's batches so far; on the device, so that nothing waits for it.

    ``correct`` counts the images that were classified correctly, ``in_top5`` those that had
    their class among the best five.
    """

    batches: int = 0
    images: int = 0
    loss: Tensor | float = 0.0
    correct: Tensor | int = 0
    in_top5: Tensor | int = 0

    def add(self, mean_loss: Tensor, logits: Tensor, labels: Tensor, *, top5: bool = False) -> None:
        """Add images with their logits (B, classes) and labels (B,)."""
        self.images += len(labels)
        self.loss = self.loss + mean_loss.double() * len(labels)
        self.correct = self.correct + (logits.argmax(1) == labels).sum()
        if top5:
            best = logits.topk(min(5, logits.shape[1])).indices
            self.in_top5 = self.in_top5 + (best == labels[:, None]).sum()

    def total(self, world: World) -> Tally:
        """Return the sums over all processes, read from the device."""
        sums = (self.images, float(self.loss), int(self.correct), int(self.in_top5))
        images, loss, correct, in_top5 = world.sum(sums)
        return Tally(self.batches, int(images), loss, int(correct), int(in_top5))

    def score(self, world: World) -> tuple[Score, float]:
        """Return the score over all processes, and top-5 accuracy in percent."""
        total = self.total(world)
        n = total.images
        score = Score(float(total.loss) / n, round(100 * int(total.correct) / n, 4))
        return score, round(100 * int(total.in_top5) / n, 4)


def train_epoch(
    network: nn.Module,
    optimizer: Optimizer,
    batches: Iterable[tuple[Tensor, Tensor]],
    precision: str = "fp32",
    *,
    micro_batch: MicroBatch | None = None,
    world: World = ALONE,
    tally: Tally | None = None,
    pauses: Pauses | None = None,
    noise: int | None = None,
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
        ``bf16`` for autocast; :func:`set_precision` allows TF32.
    micro_batch
        Most images at once; a larger batch's gradient is accumulated over parts.
    world
        The processes that train on the other shares.
    tally
        Sums over the epoch's earlier batches, if it was interrupted.
    pauses
        Says before each step whether to write a checkpoint or to stop; None: never.
    noise
        Seed of what the network draws at random (dropout, stochastic depth); None: nothing. Each
        step begins with random numbers of its own, so that an interrupted epoch can go on.
    """
    network.train()
    tally = tally or Tally()
    micro_batch = micro_batch or MicroBatch()
    for images, labels in batches:
        # A process's gradient is averaged over the processes: it counts by its images.
        asked = pauses.asked(tally.batches) if pauses else (False, False)
        everywhere, due, stop = world.sum([len(labels), *asked])
        if pauses and (due or stop):
            pauses.pause(tally, bool(stop))
        if noise is not None:
            torch.manual_seed(derive(noise, "step", tally.batches))

        def gradient(
            part: tuple[Tensor, Tensor], last: bool, everywhere: float = everywhere
        ) -> tuple[Tensor, Tensor, Tensor]:
            x, y = part
            with nullcontext() if last else gradients_stay(network):
                logits = _logits(network, x, precision)
                loss = cross_entropy(logits, y)
                (loss * (len(y) * world.size / everywhere)).backward()
            return loss.detach(), logits.detach(), y

        for part in micro_batch.carry_out(network, optimizer, images, labels, gradient):
            tally.add(*part)
        optimizer.step()
        tally.batches += 1
    score, _ = tally.score(world)
    return score


@torch.inference_mode()
def evaluate(
    network: nn.Module,
    images: ImageSet,
    precision: str = "fp32",
    *,
    world: World = ALONE,
    pauses: Pauses | None = None,
) -> tuple[Score, float]:
    """Return the score of the network in evaluation mode over all images, and top-5 accuracy.

    Top-5 accuracy is in percent; with fewer than five classes it is 100. A GPU that is short
    of memory evaluates fewer images at once.

    Parameters
    ----------
    network
        Put into evaluation mode; the same in every process.
    images
        Each image counts once, whatever the number of processes.
    precision
        As for :func:`train_epoch`.
    world
        The processes that evaluate the other shares.
    pauses
        May end the run before each batch; None: nothing does.
    """
    network.eval()

    def evaluated(size: int) -> Tally:
        tally = Tally()
        for batch, labels in images.evaluation_batches(size, world=world):
            if pauses:
                pauses.look()
            logits = _logits(network, batch, precision)
            tally.add(cross_entropy(logits, labels), logits, labels, top5=True)
        return tally

    return _in_batches(images, evaluated).score(world)


@torch.inference_mode()
def compare(
    grown: nn.Module,
    twin: nn.Module,
    images: ImageSet,
    precision: str = "fp32",
    *,
    world: World = ALONE,
    pauses: Pauses | None = None,
) -> Trial:
    """Return on how many images a network that grew and its twin disagree, and who is right.

    The arguments are as for :func:`evaluate`.
    """
    grown.eval()
    twin.eval()

    def compared(size: int) -> list[int]:
        counts = [0, 0, 0]
        for batch, labels in images.evaluation_batches(size, world=world):
            if pauses:
                pauses.look()
            right, too = (_logits(n, batch, precision).argmax(1) == labels for n in (grown, twin))
            seen = (len(labels), int((right & ~too).sum()), int((too & ~right).sum()))
            counts = [count + more for count, more in zip(counts, seen, strict=True)]
        return counts

    return Trial(*map(int, world.sum(_in_batches(images, compared))))


def _in_batches(images: ImageSet, carry_out: Callable[[int], R]) -> R:
    """Return what comes of batches of the usual size, or of smaller ones if a GPU is short."""
    size = evaluation_batch(images)
    while True:
        try:
            return carry_out(size)
        except RuntimeError as error:
            if size == 1 or not gpu_is_short(error):
                raise
        torch.cuda.empty_cache()
        size = -(-size // 2)


def evaluation_batch(images: ImageSet) -> int:
    """Return how many images are evaluated at once."""
    height, width = images.image_size
    return max(32, EVALUATION_PIXELS[images.device.type] // (height * width))
