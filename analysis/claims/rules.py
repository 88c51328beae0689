"""What counts for and against a claim, in words made from its test."""

from __future__ import annotations

import math
from collections.abc import Mapping

from analysis.claims.claims import Margin
from analysis.claims.kinds import (
    CostRatio,
    Count,
    Equivalence,
    FixedSettings,
    Plateau,
    Superiority,
    Test,
    Trend,
)


def support_and_contradiction(test: Test, margins: Mapping[str, Margin]) -> tuple[str, str]:
    """Return what would support and what would contradict a claim."""
    match test:
        case Superiority():
            return _of_a_difference(test, margins[test.margin])
        case Equivalence():
            inside, outside = (f"difference {w} +-{margins[test.margin]}" for w in _SIDES)
            return (inside, outside) if test.shows == "alike" else (outside, inside)
        case CostRatio():
            if test.low is None:
                return f"ratio below {test.high:g}", f"ratio above {test.high:g}"
            limits = f"{test.low:g} and {test.high:g}"
            return f"ratio between {limits}", f"ratio outside {limits}"
        case Count():
            holds = f"{test.direction} {test.limit:g} in"
            return f"{holds} more than {test.share:.0%}", f"{holds} less than {test.share:.0%}"
        case Trend():
            order = f"over {test.over} = {', '.join(test.order)}"
            turned = "falling" if test.direction == "rising" else "rising"
            return f"{test.direction} {order}", f"{turned} {order}"
        case Plateau():
            scope = f"of {test.over} = {', '.join(test.order)}"
            inside, outside = (f"{w} +-{margins[test.margin]}" for w in _SIDES)
            return f"all neighbours {scope} {inside}", f"some neighbours {scope} {outside}"
        case FixedSettings():
            margin, others = margins[test.margin], f"{test.side} others"
            if test.shows == "superior":
                return f"better than all {others}", f"less than {margin} better than some {others}"
            below = f"than {margin} below"
            return f"less {below} all {others}", f"more {below} some {others}"


def supporting(test: Test, margins: Mapping[str, Margin]) -> list[tuple[float, float]]:
    """Return between which effects a claim holds, in the unit of the effect."""
    match test:
        case Superiority() | FixedSettings():
            limit = 0.0 if test.shows == "superior" else -margins[test.margin].value
            if isinstance(test, Superiority) and test.direction == "below":
                return [(-math.inf, -limit)]
            return [(limit, math.inf)]
        case Equivalence() | Plateau():
            margin = margins[test.margin].value
            if isinstance(test, Equivalence) and test.shows == "different":
                return [(-math.inf, -margin), (margin, math.inf)]
            return [(-margin, margin)]
        case CostRatio():
            return [(test.low or 0.0, test.high)]
        case Count():
            return [(test.share, 1.0)]
        case Trend():
            return [(0.0, 1.0)] if test.direction == "rising" else [(-1.0, 0.0)]


def contradicting(test: Test, margins: Mapping[str, Margin]) -> list[tuple[float, float]]:
    """Return between which effects a claim does not hold, in the unit of the effect.

    The two may overlap: a difference above 0 supports what is ``superior``, and one that is
    shown to be below the margin as well contradicts it only where it is not above 0.
    """
    if isinstance(test, Superiority | FixedSettings) and test.shows == "superior":
        margin = margins[test.margin].value
        if isinstance(test, Superiority) and test.direction == "below":
            return [(-margin, math.inf)]
        return [(-math.inf, margin)]
    ends = [-math.inf, *(end for region in supporting(test, margins) for end in region), math.inf]
    regions = zip(ends[::2], ends[1::2], strict=True)
    return [(low, high) for low, high in regions if low < high]


_SIDES = ("inside", "outside")


def _of_a_difference(test: Superiority, margin: Margin) -> tuple[str, str]:
    up, down, sign = ("above", "below", 1) if test.direction == "above" else ("below", "above", -1)
    limit = f"{sign * margin.value:g} {margin.unit}"
    if test.shows == "superior":
        return f"difference {up} 0", f"difference {down} {limit}"
    limit = f"{-sign * margin.value:g} {margin.unit}"
    return f"difference {up} {limit}", f"difference {down} {limit}"
