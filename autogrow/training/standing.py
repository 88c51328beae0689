"""Where a run stands, in the words that its user reads, and the time that is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autogrow.process.terminal import duration
from autogrow.training.metrics import BESIDE


@dataclass(frozen=True)
class Standing:
    """Where a run stands.

    Parameters
    ----------
    epoch
        Epochs trained so far.
    expected
        Epochs needed in all; while the network grows, the least number known.
    phase, depth
        What the run is doing, and the depth of its network.
    accuracy
        The last validation accuracy in percent; None: not measured yet.
    seconds
        What an epoch has taken lately; None: no epoch is recorded yet.
    batch, batches
        Steps taken in the epoch that has begun, of how many; 0 of 0: unknown.
    elapsed
        Seconds that this epoch has taken so far.
    """

    epoch: int
    expected: int
    phase: str
    depth: str
    accuracy: float | None = None
    seconds: float | None = None
    batch: int = 0
    batches: int = 0
    elapsed: float = 0.0

    def seconds_left(self) -> float | None:
        """Return the seconds until all expected epochs are trained; None: unknown.

        From a quarter of an epoch on, its own speed counts if it is slower.
        """
        pace = self.seconds or 0.0
        if self.batches and self.batch / self.batches >= 0.25:
            pace = max(pace, self.elapsed * self.batches / self.batch)
        return max(0.0, pace * (self.expected - self.epoch) - self.elapsed) if pace else None

    def __str__(self) -> str:
        bounded = self.phase in ("training", "finetuning")
        least = "" if bounded else "at least "
        begun = self.batches and self.phase not in BESIDE  # whose epochs are not counted
        place = f"epoch {self.epoch + 1 if begun else self.epoch} of {least}{self.expected}"
        if bounded:
            done = self.epoch + (self.batch / self.batches if self.batches else 0)
            place += f" ({int(100 * done / self.expected)} %)"
        parts = [place]
        if self.batches:
            parts.append(f"batch {self.batch}/{self.batches}")
        parts.append(f"{self.phase} {self.depth}")
        if self.accuracy is not None:
            parts.append(f"val accuracy {self.accuracy:.2f} %")
        left = self.seconds_left()
        if left is not None and self.epoch != self.expected:
            parts.append(f"{least}{duration(left)} left")
        return ", ".join(parts)


def recent_seconds(seconds: Sequence[float]) -> float | None:
    """Return the mean of the last three epochs: deeper networks take longer; None without any."""
    last = seconds[-3:]
    return sum(last) / len(last) if last else None
