"""What Algorithm 1 decides with one schedule on the curve of a run that had another, or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from autogrow.growth.algorithm import Depth, Event, Growth, Observed
from autogrow.growth.bounds import Bound
from autogrow.growth.policies import Policy
from autogrow.networks.names import format_depth


@dataclass(frozen=True)
class Outcome:
    """Where a schedule is at the end of a curve.

    ``stopped`` says whether Algorithm 1 was done; otherwise ``depth`` is a lower bound of what
    it would have found. ``epochs`` are those that it looked at.
    """

    events: tuple[Event, ...]
    depth: Depth
    stopped: bool
    epochs: int

    @property
    def sub_modules(self) -> int:
        """Sub-modules of all sub-networks together."""
        return sum(self.depth)

    @property
    def text(self) -> str:
        """The depth, as ``>=9-9-9`` if Algorithm 1 had not stopped."""
        return ("" if self.stopped else ">=") + format_depth(self.depth)


def outcome(
    policy: Policy,
    seed_depth: Depth,
    curve: Iterable[Observed | float],
    max_depth: Depth | None = None,
    bounds: Sequence[Bound] = (),
) -> Outcome:
    """Return where Algorithm 1 is at the end of a curve: epochs, or accuracies in percent."""
    growth = Growth(policy, seed_depth, max_depth, bounds)
    events = tuple(growth.follow(curve))
    return Outcome(events, growth.depth, growth.done, growth.epoch)


def first_difference(one: Sequence[Event], other: Sequence[Event]) -> int | None:
    """Return the epoch of the first decision that differs; None if none does."""
    for a, b in zip_longest(one, other):
        if a != b:
            return min(event.epoch for event in (a, b) if event is not None)
    return None
