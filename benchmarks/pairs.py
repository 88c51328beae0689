"""Two ways to do the same, timed in turn: A B A B ...

Machines get faster and slower while a benchmark runs; the ratio inside a pair
does not follow, and its median over the pairs is what is quoted.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Seconds of both sides of every pair.

    Parameters
    ----------
    ours, theirs
        Wall seconds, one a pair.
    """

    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        """How many times as long theirs took as ours, one a pair."""
        return [b / a for a, b in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return statistics.median(self.ratios)


def time_pairs(
    ours: Callable[[], object], theirs: Callable[[], object], pairs: int, warm_up: int = 1
) -> Timing:
    """Time two ways in turn.

    Parameters
    ----------
    ours, theirs
        Do the work once.
    pairs
        How many pairs are counted.
    warm_up
        Pairs before that are not.
    """
    timed: list[tuple[float, float]] = [
        (_seconds(ours), _seconds(theirs)) for _ in range(warm_up + pairs)
    ]
    counted = timed[warm_up:]
    return Timing(tuple(a for a, _ in counted), tuple(b for _, b in counted))


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
