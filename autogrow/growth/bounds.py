"""Budgets of growth: what a network may cost at most, and how long it may be grown.

A bound answers one question from numbers that it was given: may the network have this depth, and
be grown until that epoch? The same question always has the same answer, so that growth under
bounds is replayed as any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Depth = tuple[int, ...]
BoundName = Literal["max_parameters", "max_flops", "max_latency_ms", "max_epochs", "max_hours"]

PACE_EPOCHS = 3
"""Epochs by whose mean the next ones are foreseen: the latest, as deeper networks take longer."""


class Bound(Protocol):
    """What Algorithm 1 asks before it lets a sub-network grow."""

    @property
    def name(self) -> BoundName:
        """The setting that it keeps."""

    @property
    def measured(self) -> bool:
        """Whether it must measure a depth to answer, so that nobody can look ahead."""

    def allows(self, depth: Depth, now: int, until: int) -> bool:
        """Return whether the network may be of this depth and be grown on.

        Parameters
        ----------
        depth
            The depth that it would have.
        now
            Epochs trained so far.
        until
            Epochs trained when growth is looked at next.
        """


@dataclass(frozen=True)
class CostBound:
    """A limit on parameters, FLOPs, or the milliseconds of a forward pass.

    Parameters
    ----------
    name
        The setting that it keeps.
    most
        The largest cost allowed.
    cost
        Tells what a depth costs: always the same of one depth.
    measured
        Whether it has to measure a depth that it was never asked for.
    """

    name: BoundName
    most: float
    cost: Callable[[Depth], float]
    measured: bool = False

    def allows(self, depth: Depth, now: int, until: int) -> bool:
        """Return whether the network costs little enough at this depth."""
        return self.cost(depth) <= self.most


@dataclass(frozen=True)
class EpochBound:
    """A limit on the epochs of growing."""

    most: int
    name: BoundName = field(default="max_epochs", init=False)
    measured: bool = field(default=False, init=False)

    def allows(self, depth: Depth, now: int, until: int) -> bool:
        """Return whether growth is looked at next before too many epochs are trained."""
        return until <= self.most


@dataclass(frozen=True)
class TimeBound:
    """A limit on the seconds of growing.

    ``elapsed[e]`` is how many seconds the first e epochs took; ``elapsed[0]`` is 0. The epochs
    ahead are taken to be as long as the last three.
    """

    most: float
    elapsed: Sequence[float]
    name: BoundName = field(default="max_hours", init=False)
    measured: bool = field(default=False, init=False)

    def allows(self, depth: Depth, now: int, until: int) -> bool:
        """Return whether the epochs ahead will end in time."""
        last = min(now, len(self.elapsed) - 1)
        since = max(0, last - PACE_EPOCHS)
        seconds = self.elapsed[last]
        pace = (seconds - self.elapsed[since]) / (last - since) if last else 0.0
        return seconds + (until - last) * pace <= self.most
