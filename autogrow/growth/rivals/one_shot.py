"""One shot: jump to a given depth at once."""

from __future__ import annotations

from dataclasses import dataclass

from autogrow.growth.algorithm import Growth
from autogrow.growth.bounds import Depth
from autogrow.growth.policies import GROW, WAIT, Decision, Policy, check_period
from autogrow.growth.rivals.targets import parse_target, reached


@dataclass(frozen=True)
class OneShot(Policy):
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

    def __post_init__(self) -> None:
        check_period(self.K)

    def check(self, seed: Depth) -> None:
        """Refuse a target that is no depth of such a network."""
        parse_target(self.target, seed)

    def decide(self, growth: Growth) -> Decision:
        """Return what to do; accuracies are not looked at."""
        if growth.epoch < self.K:
            return WAIT
        target = parse_target(self.target, growth.seed)
        done = reached(growth.depth, target, growth.growing)
        return GROW if done is None else Decision("stop", done)
