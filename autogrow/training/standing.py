"""Where a run stands, in the words in which its user is told, and the time that is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autogrow.process.terminal import duration

RECENT = 3
"""Epochs from whose seconds the time left is estimated: deeper networks take longer."""
ENOUGH = 0.25
"""Fraction of an epoch from which on its own speed counts."""


@dataclass(frozen=True)
class Standing:
    """Where a run stands.

    Parameters
    ----------
    epoch
        Epochs trained so far.
    expected
        Epochs needed in all; while the network grows, the least number known. None: unknown.
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
    expected: int | None
    phase: str
    depth: str
    accuracy: float | None = None
    seconds: float | None = None
    batch: int = 0
    batches: int = 0
    elapsed: float = 0.0

    @property
    def bounded(self) -> bool:
        """Whether ``expected`` is the number of epochs, and not only a lower bound."""
        return self.expected is not None and self.phase in ("training", "finetuning")

    @property
    def fraction(self) -> float:
        """How much of the epoch that has begun is trained."""
        return min(1.0, self.batch / self.batches) if self.batches else 0.0

    def seconds_left(self) -> float | None:
        """Return the seconds until all expected epochs are trained; None: unknown."""
        if self.expected is None:
            return None
        known = [] if self.seconds is None else [self.seconds]
        if self.fraction >= ENOUGH:
            known.append(self.elapsed / self.fraction)
        if not known:
            return None
        return max(0.0, max(known) * (self.expected - self.epoch) - self.elapsed)

    def __str__(self) -> str:
        least = "" if self.bounded else "at least "
        parts = [f"epoch {self.epoch}"]
        if self.batches and self.phase != "adaminit":  # AdamInit's epochs are not counted
            parts = [f"epoch {self.epoch + 1}"]
        if self.expected is not None:
            parts[0] += f" of {least}{self.expected}"
            if self.bounded:
                done = (self.epoch + self.fraction) / self.expected
                parts[0] += f" ({int(100 * min(1.0, done))} %)"
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
    """Return what an epoch has taken lately: the mean of the last ones; None without any."""
    last = seconds[-RECENT:]
    return sum(last) / len(last) if last else None
