"""``python -m benchmarks.claim_power``: how often the tests of claims are wrong, and right.

Each kind of test is given 2,000 made-up suites of five seeds (``--suites``, ``--seeds``). Paired
differences have a standard deviation of half the margin. ``false`` is the share of suites in which
a verdict is given although the true effect lies just where it may not be given any more; it should
be 5 % at most. ``power`` is the share that is supported, or contradicted, at an effect where it
should be. A test is that of one claim, before Holm's correction.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy import optimize, stats
from tabulate import tabulate

from analysis.claims import significance
from analysis.claims.significance import Evidence, Values
from autogrow.cli.options import OneLineParser

ALPHA = 0.05
MARGIN = 0.5
SD = MARGIN / 2
"""Of the difference of a pair of runs."""
PAIRS = 2
"""Pairs that the sign flip pools."""
ROWS = 4
"""Rows whose runs are counted."""
RATIO = 1.25
SHARE = 0.8
OTHERS = 3
"""Settings that one setting is compared with."""


@dataclass(frozen=True)
class Case:
    """A kind of test, and the true effects at which it is tried.

    Attributes
    ----------
    evidence
        Gives the evidence of many suites from their generator, true effect, number and seeds.
    no_support, no_contradiction
        The effect nearest to one at which it should be supported, or contradicted.
    support, contradiction
        Effects at which it should be.
    """

    evidence: Callable[[np.random.Generator, float, int, int], Evidence]
    no_support: float
    no_contradiction: float
    support: float
    contradiction: float


def _differences(pairs: int = 1, scale: float = SD) -> Callable[..., Values]:
    """Return what draws suites of paired differences, their pairs pooled."""

    def draw(rng: np.random.Generator, effect: float, suites: int, seeds: int) -> Values:
        return rng.normal(effect, scale, (suites, pairs * seeds))

    return draw


def _superiority(shows: Any, pairs: int) -> Callable[..., Evidence]:
    def found(*given: Any) -> Evidence:
        return significance.superiority(
            _differences(pairs)(*given),
            direction="above",
            shows=shows,
            margin=MARGIN,
            flips=pairs > 1,
        )

    return found


def _equivalence(shows: Any) -> Callable[..., Evidence]:
    return lambda *given: significance.equivalence(
        _differences()(*given), shows=shows, margin=MARGIN
    )


def _cost_ratio(*given: Any) -> Evidence:
    values = _differences(scale=math.log(RATIO) / 2)(*given)
    return significance.cost_ratio(values, low=None, high=RATIO)


def _count(rng: np.random.Generator, effect: float, suites: int, seeds: int) -> Evidence:
    runs = ROWS * seeds
    known = [significance.count(hits, runs, share=SHARE) for hits in range(runs + 1)]
    return _stacked([known[hits] for hits in rng.binomial(runs, effect, suites)])


def _trend(rng: np.random.Generator, effect: float, suites: int, seeds: int) -> Evidence:
    steps = effect * np.arange(5)
    values = steps + rng.normal(0, SD, (suites, seeds, 5))
    return _stacked([significance.trend(suite, direction="rising") for suite in values])


def _plateau(rng: np.random.Generator, effect: float, suites: int, seeds: int) -> Evidence:
    """Return the evidence on two steps, of which the first has the effect."""
    steps = rng.normal(0, SD, (suites, 2, seeds)) + np.array([[effect], [0.0]])
    return significance.plateau(steps, margin=MARGIN)


def _fixed_settings(shows: Any) -> Callable[..., Evidence]:
    """Return what gives p values that are 0 or 1: Dunnett's test by its critical value."""
    supported, contradicted = (0.0, -MARGIN) if shows == "superior" else (MARGIN, MARGIN)

    def found(rng: np.random.Generator, effect: float, suites: int, seeds: int) -> Evidence:
        one, others = draw_settings(rng, effect, suites, seeds)
        critical = critical_value(seeds)
        below = statistics(one, others - supported).max(axis=-1) <= -critical
        above = statistics(one, others - contradicted).max(axis=-1) >= critical
        nothing = np.full(suites, math.nan)
        return Evidence(nothing, nothing, nothing, 1.0 - below, 1.0 - above)

    return found


def draw_settings(
    rng: np.random.Generator, effect: float, suites: int, seeds: int
) -> tuple[Values, Values]:
    """Return one setting and the others, of which the first is worse than the one by the effect.

    So are the others, at least by the margin.
    """
    worse = np.full(OTHERS, max(effect, MARGIN))
    worse[0] = effect
    spread = SD / math.sqrt(2)  # a difference of two has SD
    one = rng.normal(0, spread, (suites, seeds))
    return one, rng.normal(0, spread, (suites, OTHERS, seeds)) - worse[:, None]


def statistics(one: Values, others: Values) -> Values:
    """Return Dunnett's statistic of each other setting, with the spread of all of them pooled."""
    everything = np.concatenate([others, one[..., None, :]], axis=-2)
    pooled = everything.var(axis=-1, ddof=1).mean(axis=-1)
    means = others.mean(axis=-1) - one.mean(axis=-1)[..., None]
    return means / np.sqrt(2 * pooled / one.shape[-1])[..., None]


@cache
def critical_value(seeds: int) -> float:
    """Return Dunnett's statistic whose p value is :data:`ALPHA`, by the test itself."""
    pattern = np.arange(seeds) - (seeds - 1) / 2
    unit = pattern / pattern.std(ddof=1)

    def p_of(statistic: float) -> float:
        others = np.tile(unit, (OTHERS, 1)) + statistic * math.sqrt(2 / seeds)
        found = significance.fixed_settings(unit[None], [others], shows="not inferior", margin=0.0)
        return found.p_contradict - ALPHA

    return float(optimize.brentq(p_of, 0.5, 8, xtol=1e-3))


def _stacked(found: Sequence[Evidence]) -> Evidence:
    names = ("effect", "low", "high", "p_support", "p_contradict")
    return Evidence(*(np.array([getattr(one, name) for one in found]) for name in names))


CASES: Mapping[str, Case] = {
    "noninferiority, superior": Case(_superiority("superior", 1), 0, MARGIN, MARGIN, 0),
    "noninferiority, not inferior": Case(
        _superiority("not inferior", 1), -MARGIN, -MARGIN, 0, -2 * MARGIN
    ),
    "sign flip, superior": Case(_superiority("superior", PAIRS), 0, MARGIN, MARGIN, 0),
    "sign flip, not inferior": Case(
        _superiority("not inferior", PAIRS), -MARGIN, -MARGIN, 0, -2 * MARGIN
    ),
    "equivalence, alike": Case(_equivalence("alike"), MARGIN, MARGIN, 0, 2 * MARGIN),
    "equivalence, different": Case(_equivalence("different"), MARGIN, MARGIN, 2 * MARGIN, 0),
    "cost ratio": Case(_cost_ratio, math.log(RATIO), math.log(RATIO), 0, 2 * math.log(RATIO)),
    "count": Case(_count, SHARE, SHARE, 1, SHARE / 2),
    "trend": Case(_trend, 0, 0, MARGIN / 2, -MARGIN / 2),
    "plateau": Case(_plateau, MARGIN, MARGIN, 0, 2 * MARGIN),
    "fixed settings, superior": Case(_fixed_settings("superior"), 0, MARGIN, MARGIN, 0),
    "fixed settings, not inferior": Case(
        _fixed_settings("not inferior"), -MARGIN, -MARGIN, 0, -2 * MARGIN
    ),
}
"""Every kind of test; effects are towards a support."""

COLUMNS = ("false support", "false contradiction", "power, support", "power, contradiction")


def rates(case: Case, suites: int, seeds: int) -> list[float]:
    """Return the shares of :data:`COLUMNS`."""
    found = []
    for effect, name in (
        (case.no_support, "p_support"),
        (case.no_contradiction, "p_contradict"),
        (case.support, "p_support"),
        (case.contradiction, "p_contradict"),
    ):
        evidence = case.evidence(np.random.default_rng(0), effect, suites, seeds)
        found.append(float((getattr(evidence, name) <= ALPHA).mean()))
    return found


def most_false(suites: int) -> float:
    """Return the largest share of errors that a test of 5 % has in 999 of 1,000 simulations."""
    return float(stats.binom.ppf(0.999, suites, ALPHA)) / suites


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the rates of every kind of test."""
    parser = OneLineParser(prog="python -m benchmarks.claim_power", description=__doc__)
    parser.add_argument("--suites", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args(arguments)
    rows = [
        [name, *(f"{rate:.1%}" for rate in rates(case, options.suites, options.seeds))]
        for name, case in CASES.items()
    ]
    print(tabulate(rows, ["test", *COLUMNS], tablefmt="github"))
    print(f"an error rate of 5 % shows as {most_false(options.suites):.1%} at most")
    return 0


if __name__ == "__main__":
    sys.exit(main())
