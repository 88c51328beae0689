"""Simulated: how often compare says that values agree or differ when they do not."""

from functools import cache

import numpy as np
import pytest

from analysis.reference.verdicts import decide, half_width

TOLERANCE = 0.5
REPETITIONS = 5_000
LIMIT = 0.05
SIDES = [(1, 5), (5, 1), (1, 3), (3, 3), (5, 5), (2, 5)]


@cache
def draws(new, reference):
    """Means and standard deviations of seeds without any difference, of spread 1."""
    generator = np.random.default_rng([new, reference])
    both = [generator.standard_normal((REPETITIONS, n)) for n in (new, reference)]
    stds = [side.std(axis=1, ddof=1) if side.shape[1] > 1 else None for side in both]
    spread = tuple(next(s for s in (own, *stds) if s is not None) for own in stds)
    difference = both[0].mean(axis=1) - both[1].mean(axis=1)
    return difference, half_width(spread, (new, reference))


def rates(sides, true, spread):
    """The shares of agrees, differs and undecided at a true difference."""
    difference, half = draws(*sides)
    distance = np.abs(true + spread * difference)
    verdicts = np.array(list(map(decide, distance, spread * half, [TOLERANCE] * len(half))))
    return {name: np.mean(verdicts == name) for name in ("agrees", "differs", "undecided")}


@pytest.mark.parametrize("spread", [0.05, 0.25, 0.5, 2])
@pytest.mark.parametrize("sides", SIDES)
def test_compare_is_seldom_wrong(sides, spread):
    assert rates(sides, 2 * TOLERANCE, spread)["agrees"] <= LIMIT
    assert rates(sides, 1.001 * TOLERANCE, spread)["agrees"] <= LIMIT
    assert rates(sides, 0, spread)["differs"] <= LIMIT
    assert rates(sides, 0.999 * TOLERANCE, spread)["differs"] <= LIMIT


def test_compare_decides_where_the_spread_lets_it():
    assert rates((5, 5), 0, 0.1)["agrees"] > 0.99
    assert rates((5, 5), 2 * TOLERANCE, 0.1)["differs"] > 0.99
    assert rates((1, 5), 0, 0.1)["agrees"] > 0.8
    assert rates((1, 5), 0, 2)["undecided"] > 0.95
