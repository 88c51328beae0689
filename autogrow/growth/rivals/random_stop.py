"""Random stop: a control that decides by lot, with a given expected depth."""

from __future__ import annotations

import random
from dataclasses import dataclass

from autogrow.growth.algorithm import Growth
from autogrow.growth.policies import GROW, WAIT, Decision
from autogrow.growth.rivals.targets import Targeted, parse_target
from autogrow.seeds import derive


@dataclass(frozen=True)
class RandomStop(Targeted):
    """Stack a sub-module every K epochs, in turn; a sub-network stops by lot.

    Before each growth, sub-network i stops with a probability by which it gains, on average,
    as many sub-modules as the target has more than the seed network: the number that it gains is
    geometrically distributed.

    Parameters
    ----------
    target
        The expected depth, as ``3-2-3``.
    lot
        Seed of the lots. It is no seed of the run: one lot can be drawn with several seeds.
    K
        Epochs between two growths, from 1.

    Examples
    --------
    >>> import autogrow
    >>> from autogrow.growth.rivals.random_stop import RandomStop
    >>> growth = autogrow.Growth(RandomStop("3-3", lot=1, K=1), depth=(1, 1))
    >>> growth.follow([50.0] * 99)[-1].event
    'done'
    """

    target: str
    lot: int = 0
    K: int = 3

    def decide(self, growth: Growth) -> Decision:
        """Return what the lots say; accuracies are not looked at."""
        if not self.at_check(growth):
            return WAIT
        i = growth.next_sub_network
        more = parse_target(self.target, growth.seed)[i] - growth.seed[i]
        chance = random.Random(derive(self.lot, "random stop", i, growth.depth[i])).random()
        return Decision("stop", i) if chance * (1 + more) < 1 else GROW
