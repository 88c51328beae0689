"""What policies share that grow to a given depth."""

from __future__ import annotations

import re

from autogrow.errors import UserError, shown
from autogrow.growth.algorithm import Growth
from autogrow.growth.bounds import Depth
from autogrow.growth.policies import GROW, Decision, Policy, check_period
from autogrow.networks.names import MAX_DEPTH, format_depth


def parse_target(text: str, seed: Depth) -> Depth:
    """Return the depth ``3-2-3`` that a network with the seed's depth is to grow to.

    Raises
    ------
    UserError
        If it is no depth of such a network, or less deep in a sub-network.
    """
    parts = text.split("-")
    numbers = [int(part) for part in parts if re.fullmatch(r"[1-9][0-9]{0,3}", part)]
    fits = len(numbers) == len(parts) == len(seed)
    if not fits or any(not s <= n <= MAX_DEPTH for s, n in zip(seed, numbers, strict=True)):
        raise UserError(
            f"target: found {shown(text)}; allowed: a depth from {format_depth(seed)} to "
            f"{MAX_DEPTH} in each sub-network"
        )
    return tuple(numbers)


class Targeted(Policy):
    """A policy whose parameter ``target`` is the depth to grow to, as ``3-2-3``."""

    target: str

    def __post_init__(self) -> None:
        check_period(self.K)

    def check(self, seed: Depth) -> None:
        """Refuse a target that is no depth of such a network."""
        parse_target(self.target, seed)

    def towards_target(self, growth: Growth) -> Decision:
        """Return to stop the first sub-network that is deep enough; if none is, to grow."""
        target = parse_target(self.target, growth.seed)
        enough = (i for i in growth.growing if growth.depth[i] >= target[i])
        done = next(enough, None)
        return GROW if done is None else Decision("stop", done)
