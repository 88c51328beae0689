"""The interval plot of a claim: an effect against what would support the claim."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.claims.claims import Margin
from analysis.claims.kinds import Count, Test, Trend
from analysis.claims.rules import contradicting, supporting

WIDTH = 200
"""Width of a plot in its own units."""
_ROOM = 0.08
"""Free room on both sides, as a share of what is shown."""


@dataclass(frozen=True)
class Interval:
    """Places in the plot, from 0 to :data:`WIDTH`.

    Attributes
    ----------
    effect, low, high
        The effect and its 95 % interval; None where it has none.
    regions
        Where the claim holds, from left to right.
    limits
        Where support or contradiction begins, and their texts.
    """

    effect: float
    low: float | None
    high: float | None
    regions: Sequence[tuple[float, float]]
    limits: Sequence[tuple[float, str]]


def interval_plot(
    test: Test, margins: Mapping[str, Margin], effect: float, low: float, high: float
) -> Interval | None:
    """Return the plot of an effect and its interval; None without an effect.

    Ends of the interval that are NaN are left out.
    """
    if math.isnan(effect):
        return None
    regions = supporting(test, margins)
    ends = {end for region in (*regions, *contradicting(test, margins)) for end in region}
    bounds = {0.0, 1.0} if isinstance(test, Count) else {-1.0, 1.0}
    ends -= bounds if isinstance(test, Count | Trend) else set()
    limits = sorted(end for end in ends if math.isfinite(end))
    shown = [value for value in (effect, low, high, *limits) if not math.isnan(value)]
    first, last = min(shown), max(shown)
    room = _ROOM * (last - first or 1.0)
    first, last = first - room, last + room

    def place(value: float) -> float:
        return round(WIDTH * (min(max(value, first), last) - first) / (last - first), 1)

    return Interval(
        place(effect),
        None if math.isnan(low) else place(low),
        None if math.isnan(high) else place(high),
        [(place(a), place(b)) for a, b in regions],
        [(place(limit), f"{limit + 0.0:g}") for limit in limits],
    )
