"""The tests of claims are wrong in 5 % of the cases at most, and five seeds are enough."""

import numpy as np
import pytest

from analysis.claims import significance
from benchmarks import claim_power

SUITES, SEEDS = 2000, 5


@pytest.mark.parametrize("name", claim_power.CASES)
def test_errors_and_power(name):
    false_support, false_contradiction, *power = claim_power.rates(
        claim_power.CASES[name], SUITES, SEEDS
    )
    assert max(false_support, false_contradiction) <= claim_power.most_false(SUITES)
    assert min(power) > 0.75


def test_the_critical_value_decides_as_dunnetts_test():
    one, others = claim_power.draw_settings(np.random.default_rng(3), 0.2, 12, SEEDS)
    critical = claim_power.critical_value(SEEDS)
    largest = claim_power.statistics(one, others).max(axis=-1)
    for k in range(12):
        found = significance.fixed_settings(
            one[k][None], [others[k]], shows="not inferior", margin=0.0
        )
        assert (found.p_contradict <= claim_power.ALPHA) == (largest[k] >= critical)
    # Dunnett's table: one-sided at 5 %, three settings, 4 (5 - 1) degrees of freedom.
    assert critical == pytest.approx(2.23, abs=0.01)


def test_the_command_prints_every_kind(capsys):
    assert claim_power.main(["--suites", "10"]) == 0
    told = capsys.readouterr().out
    assert [name for name in claim_power.CASES if f"| {name} " not in told] == []
