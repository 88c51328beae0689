"""Depths that policies grow to, as their options say them."""

from __future__ import annotations

import re

from autogrow.errors import UserError, shown
from autogrow.growth.bounds import Depth
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


def reached(depth: Depth, target: Depth, growing: list[int]) -> int | None:
    """Return the first sub-network that grows on and is as deep as it is to be; None if none is."""
    return next((i for i in growing if depth[i] >= target[i]), None)
