"""Whether depth matters at a scale: the frontier of fixed depths."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.claims.kinds import Series
from analysis.claims.values import ABSENT, Source

RISE = 3.0
"""Points by which the best fixed depth must be above the seed net for depth to matter."""

_FIXED = Series.model_validate(
    {"table": "frontier", "rows": {"method": "baseline"}, "column": "accuracy"}
)


@dataclass(frozen=True)
class Frontier:
    """The accuracies of fixed depths, by their number of sub-modules; means over the seeds."""

    accuracies: dict[int, float]

    @property
    def known(self) -> bool:
        """Whether there are three depths, so that one may lie between two others."""
        return len(self.accuracies) > 2

    @property
    def matters(self) -> bool:
        """Whether the best depth is clearly better than the seed net, and not the deepest."""
        best = max(self.accuracies, key=lambda depth: self.accuracies[depth])
        rise = self.accuracies[best] - self.accuracies[min(self.accuracies)]
        return rise >= RISE and best != max(self.accuracies)

    def __str__(self) -> str:
        points = (f"{depth}: {accuracy:.2f}" for depth, accuracy in self.accuracies.items())
        return f"{', '.join(points)} % (sub-modules: accuracy)"


def frontier_of(source: Source) -> Frontier:
    """Return the frontier that a source has; without any depth where it is not whole.

    A depth that diverged for every seed is none of it. Accuracies are those of the last epoch: on
    every basis the same frontier decides.
    """
    if "frontier" not in source.catalogue.tables:
        return Frontier({})
    values = source.values(_FIXED, "protocol")
    finished = {value.row for value in values if value.missing != ABSENT}
    if any(value.row not in finished for value in values):
        return Frontier({})
    found: dict[int, dict[int, float]] = {}
    for value in values:
        if not (value.missing or math.isnan(value.sub_modules)):
            found.setdefault(int(value.sub_modules), {})[value.seed] = value.number
    return Frontier({d: sum(found[d].values()) / len(found[d]) for d in sorted(found)})
