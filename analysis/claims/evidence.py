"""The evidence on a claim: the test that it names, on the values that it rests on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analysis.claims import significance
from analysis.claims.claims import Margin
from analysis.claims.kinds import (
    Basis,
    CostRatio,
    Count,
    Equivalence,
    FixedSettings,
    Plateau,
    Superiority,
    Test,
    Trend,
)
from analysis.claims.pairs import Data, differences, one_and_others, ordered
from analysis.claims.significance import Evidence, Values, over_seeds
from analysis.claims.values import Source

MOST_SEEDS = 100
"""Numbers of seeds that would decide are looked for up to here."""


def data_of(test: Test, basis: Basis, source: Source) -> Data:
    """Return what a test is about on a basis."""
    values = source.values(test.measure, basis)
    match test:
        case FixedSettings():
            return one_and_others(values, source.values(test.others, basis), test)
        case Trend() | Plateau():
            return ordered(values, test.over, test.order)
        case _:
            other, column = test.against, test.measure.column[basis]
            return differences(
                values,
                None if other is None else source.values(other, basis),
                test.paired_by,
                same_column=other is not None and other.column[basis] == column,
                ratio=isinstance(test, CostRatio),
            )


def evidence(test: Test, data: Data, margins: Mapping[str, Margin]) -> Evidence:
    """Return what a test says on data that has a value at least."""
    values = data.values
    match test:
        case Superiority():
            flips = test.kind == "sign flip"
            return significance.superiority(
                _finite(values) if flips else over_seeds(values),
                direction=test.direction,
                shows=test.shows,
                margin=margins[test.margin].value,
                flips=flips,
            )
        case Equivalence():
            margin = margins[test.margin].value
            return significance.equivalence(over_seeds(values), shows=test.shows, margin=margin)
        case CostRatio():
            return significance.cost_ratio(over_seeds(values), low=test.low, high=test.high)
        case Count():
            known = _finite(values)
            hits = known > test.limit if test.direction == "above" else known < test.limit
            return significance.count(int(hits.sum()), len(hits), share=test.share)
        case Trend():
            subjects = np.moveaxis(values, 1, 2).reshape(-1, values.shape[1])
            subjects = subjects[~np.isnan(subjects).any(axis=1)]
            return significance.trend(subjects, direction=test.direction)
        case Plateau():
            steps = np.diff(values, axis=1)
            means = [over_seeds(steps[:, step]) for step in range(steps.shape[1])]
            return significance.plateau(np.array(means), margin=margins[test.margin].value)
        case FixedSettings():
            margin = margins[test.margin].value
            return significance.fixed_settings(values, data.others, shows=test.shows, margin=margin)


def seeds_needed(test: Test, data: Data, margins: Mapping[str, Margin], alpha: float) -> int | None:
    """Return how many seeds would decide, at the effect and spread seen and before Holm.

    None if more than :data:`MOST_SEEDS`. Sign flips are counted as the t test of the same values.
    """

    def decides(seeds: int) -> bool:
        repeated = data.repeated(seeds)
        if isinstance(test, Superiority) and test.kind == "sign flip":
            found = significance.superiority(
                _finite(repeated.values),
                direction=test.direction,
                shows=test.shows,
                margin=margins[test.margin].value,
            )
        else:
            found = evidence(test, repeated, margins)
        return bool(found.p_support <= alpha or found.p_contradict <= alpha)

    low, high = data.values.shape[-1], MOST_SEEDS
    if not decides(high):
        return None
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high


def unit_of(test: Test, margins: Mapping[str, Margin]) -> str:
    """Return the unit of a test's effect."""
    match test:
        case CostRatio():
            return "ratio"
        case Count():
            return "share of runs"
        case Trend():
            return "rank correlation"
        case _:
            return margins[test.margin].unit


def _finite(values: Values) -> Values:
    return values[~np.isnan(values)]
