"""Two ways to do the same, timed in turn: A B A B ...

Machines get faster and slower while a benchmark runs. The ratio inside a pair does not, so
the suite quotes the median of the ratios.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Wall seconds of the first and the second way, one of each a pair."""

    first: list[float]
    second: list[float]

    @property
    def medians(self) -> tuple[float, float]:
        """The median seconds of both ways."""
        return statistics.median(self.first), statistics.median(self.second)

    @property
    def ratios(self) -> list[float]:
        """How many times as long as the first way the second took, one a pair."""
        return [b / a for a, b in zip(self.first, self.second, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return statistics.median(self.ratios)

    @property
    def spread(self) -> list[str]:
        """The median, the smallest and the largest ratio, for a table."""
        return [f"{r:.2f}" for r in (self.ratio, min(self.ratios), max(self.ratios))]


def time_pairs(
    first: Callable[[], object], second: Callable[[], object], pairs: int, warm_up: int = 1
) -> Timing:
    """Do both in turn, ``warm_up`` times before ``pairs`` times that are timed."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(warm_up + pairs):
        for work, timed in zip((first, second), seconds, strict=True):
            start = time.perf_counter()
            work()
            timed.append(time.perf_counter() - start)
    ours, theirs = seconds
    return Timing(ours[warm_up:], theirs[warm_up:])
