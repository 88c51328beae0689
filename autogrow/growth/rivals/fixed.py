"""A fixed schedule: grow evenly to a given depth, to see whether deciding helps at all."""

from __future__ import annotations

from dataclasses import dataclass

from autogrow.growth.algorithm import Growth
from autogrow.growth.policies import WAIT, Decision
from autogrow.growth.rivals.targets import Targeted


@dataclass(frozen=True)
class FixedSchedule(Targeted):
    """Stack a sub-module every K epochs, in turn, until the network has the target depth.

    Parameters
    ----------
    target
        The depth to grow to, as ``3-2-3``.
    K
        Epochs between two growths, from 1.

    Examples
    --------
    >>> import autogrow
    >>> from autogrow.growth.rivals.fixed import FixedSchedule
    >>> growth = autogrow.Growth(FixedSchedule("2-1", K=2), depth=(1, 1))
    >>> [event.event for event in growth.follow([50.0] * 9)]
    ['stop', 'grow', 'stop', 'done']
    """

    target: str
    K: int = 3

    def decide(self, growth: Growth) -> Decision:
        """Return what the schedule says; accuracies are not looked at."""
        if not self.at_check(growth):
            return WAIT
        return self.towards_target(growth)
