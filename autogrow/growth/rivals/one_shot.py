"""One shot: jump to a given depth at once."""

from __future__ import annotations

from dataclasses import dataclass

from autogrow.growth.algorithm import Growth
from autogrow.growth.policies import WAIT, Decision
from autogrow.growth.rivals.targets import Targeted


@dataclass(frozen=True)
class OneShot(Targeted):
    """Stack all sub-modules up to the target depth after the first K epochs.

    Parameters
    ----------
    target
        The depth to grow to, as ``3-2-3``.
    K
        Epochs of the seed network, from 1.

    Examples
    --------
    >>> import autogrow
    >>> from autogrow.growth.rivals.one_shot import OneShot
    >>> growth = autogrow.Growth(OneShot("3-2", K=2), depth=(1, 1))
    >>> [(event.epoch, event.depth) for event in growth.follow([50.0, 60.0])][-1]
    (2, (3, 2))
    """

    target: str
    K: int = 3

    def decide(self, growth: Growth) -> Decision:
        """Return what to do; accuracies are not looked at."""
        if growth.epoch < self.K:
            return WAIT
        return self.towards_target(growth)
