"""Each kind of test on numbers that can be checked by hand, and on degenerate ones."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.claims import significance
from analysis.claims.significance import Evidence

VALUES = np.array([0.1, 0.4, 0.2, 0.3, 0.5])  # mean 0.3, standard error 0.0707


def ps(evidence):
    return float(evidence.p_support), float(evidence.p_contradict)


def test_a_t_test_and_its_interval():
    found = significance.superiority(VALUES, direction="above", shows="superior", margin=0.5)
    # t = 0.3 / 0.0707 = 4.243 and (0.5 - 0.3) / 0.0707 = 2.828, 4 degrees of freedom
    assert ps(found) == pytest.approx((0.00662, 0.02371), abs=1e-5)
    # t(0.975, 4) = 2.776
    assert (found.effect, found.low, found.high) == pytest.approx((0.3, 0.1037, 0.4963), abs=1e-4)
    other = significance.superiority(-VALUES, direction="below", shows="superior", margin=0.5)
    assert ps(other) == ps(found)
    assert other.effect == -found.effect


def test_what_is_not_inferior_has_its_limit_at_minus_the_margin():
    found = significance.superiority(
        VALUES - 0.5, direction="above", shows="not inferior", margin=0.5
    )
    assert found.p_support == pytest.approx(0.00662, abs=1e-5)
    assert sum(ps(found)) == pytest.approx(1)


def test_sign_flips_of_five_positive_values():
    found = significance.superiority(
        VALUES, direction="above", shows="superior", margin=0.5, flips=True
    )
    # One of 32 ways for the support; of the distances 0.4, 0.1, 0.3, 0.2, 0 to the margin the
    # last has no sign, so that two ways are as far.
    assert ps(found) == (1 / 32, 2 / 32)
    assert math.isnan(found.low)


def test_the_interval_of_sign_flips_has_what_their_test_does_not_reject():
    values = np.random.default_rng(1).normal(1, 1, 9)
    _, low, high = significance.flips_interval(values)
    for end, sign in ((low, 1), (high, -1)):
        inside = significance.flips_above(sign * values, sign * end + 1e-9)
        assert inside > 0.025 >= significance.flips_above(sign * values, sign * end - 1e-9)


def test_two_one_sided_tests():
    alike = significance.equivalence(VALUES, shows="alike", margin=0.5)
    different = significance.equivalence(VALUES, shows="different", margin=0.5)
    assert alike.p_support == pytest.approx(0.02371, abs=1e-5)
    assert ps(different) == ps(alike)[::-1]
    far = significance.equivalence(VALUES + 1, shows="alike", margin=0.5)
    # t = (1.3 - 0.5) / 0.0707 = 11.31, twice its p value of 0.000174
    assert ps(far) == pytest.approx((1, 0.00035), abs=1e-3)


def test_a_cost_ratio():
    logarithms = np.log([1.0, 1.25, 0.8])
    found = significance.cost_ratio(logarithms, low=None, high=1.25)
    assert found.effect == pytest.approx(1)
    # standard error ln(1.25) / sqrt(3), so t = sqrt(3) with 2 degrees of freedom
    assert ps(found) == pytest.approx((0.1127, 0.8873), abs=1e-4)
    both = significance.cost_ratio(logarithms, low=0.8, high=1.25)
    assert ps(both) == pytest.approx((0.1127, 1), abs=1e-4)


@pytest.mark.parametrize(
    ("hits", "wanted"),
    # 0.8^20; half of 20 is P(X <= 10) at 0.8
    [(20, (0.0115, 1)), (10, (0.9994, 0.0026)), (0, (1, 0))],
)
def test_a_count(hits, wanted):
    found = significance.count(hits, 20, share=0.8)
    assert ps(found) == pytest.approx(wanted, abs=1e-4)
    assert found.low <= found.effect == hits / 20 <= found.high


def test_a_trend():
    rising = significance.trend(np.array([[1.0, 2, 3], [10, 20, 30]]), direction="rising")
    assert rising.p_support == pytest.approx(1 / 36)  # one of 3! orders, twice
    assert (rising.effect, rising.p_contradict) == (1, 1)
    falling = significance.trend(np.array([[1.0, 2, 3], [10, 20, 30]]), direction="falling")
    assert ps(falling) == ps(rising)[::-1]


def test_a_plateau_is_as_flat_as_its_largest_step():
    steps = np.stack([VALUES - 0.3, VALUES])
    found = significance.plateau(steps, margin=0.5)
    assert found.effect == pytest.approx(0.3)
    assert found.p_support == pytest.approx(0.02371, abs=1e-5)
    outside = significance.plateau(np.stack([VALUES - 0.3, VALUES + 1]), margin=0.5)
    assert outside.p_contradict == pytest.approx(2 * 0.00035, abs=1e-4)


def test_one_setting_against_others():
    one = 90 + VALUES
    found = significance.fixed_settings(
        one[None], [np.stack([one - 1, one - 2])], shows="superior", margin=0.5
    )
    assert found.effect == pytest.approx(1)  # the one less the better of the others
    # Pooled standard deviation 0.158, so t = 1 / (0.158 sqrt(2 / 5)) = 10
    assert found.p_support < 1e-5
    assert found.p_contradict > 0.99
    worse = significance.fixed_settings(
        one[None], [np.stack([one + 1, one - 2])], shows="not inferior", margin=0.5
    )
    assert worse.p_support > 0.99
    assert worse.p_contradict < 0.001


def test_values_that_are_missing_are_no_part_of_a_comparison():
    one, other = 90 + VALUES, 89 + VALUES
    gap = np.append(other, math.nan)
    found = significance.fixed_settings(
        np.append(one, math.nan)[None], [gap[None]], shows="superior", margin=0.5
    )
    whole = significance.fixed_settings(one[None], [other[None]], shows="superior", margin=0.5)
    assert ps(found) == ps(whole)
    assert list(significance.over_seeds(np.array([[1, math.nan, math.nan], [3, 4, math.nan]]))) == [
        2,
        4,
    ]


def test_a_setting_without_any_value_leaves_it_open_which_is_best():
    one, nothing = 90 + VALUES, np.full(5, math.nan)
    for settings in (np.stack([one - 1, nothing]), nothing[None]):
        found = significance.fixed_settings(one[None], [settings], shows="superior", margin=0.5)
        assert math.isnan(found.p_support)
        assert math.isnan(found.p_contradict)
        assert found.effect == pytest.approx(1) or len(settings) == 1


def every_kind(values):
    """The evidence of each kind of test on one array."""
    n = len(values)
    given = {"direction": "above", "shows": "superior", "margin": 0.5}
    yield significance.superiority(values, **given)
    yield significance.superiority(values, **given, flips=True)
    yield significance.equivalence(values, shows="alike", margin=0.5)
    yield significance.cost_ratio(values, low=0.8, high=1.25)
    yield significance.count(int((values > 0).sum()), n, share=0.8)
    yield significance.trend(np.stack([values, values[::-1], values]).T, direction="rising")
    yield significance.plateau(values[None], margin=0.5)
    yield significance.fixed_settings(values[None], [values[None]], shows="superior", margin=0.5)


@given(
    st.lists(st.sampled_from([-1.0, 0.0, 0.1, 0.1 + 1e-17, 0.3, 0.5, 5.0]), min_size=1, max_size=6)
)
def test_degenerate_values_give_a_probability_or_none(numbers):
    for found in every_kind(np.array(numbers)):
        assert isinstance(found, Evidence)
        for p in ps(found):
            assert math.isnan(p) or 0 < p <= 1 or (p == 0 and len(numbers) > 1)
        assert not math.isnan(found.effect)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_values_that_are_all_equal_are_no_certainty(n):
    for found in (
        significance.superiority(
            np.full(n, 0.7), direction="above", shows="superior", margin=0.5, flips=flips
        )
        for flips in (False, True)
    ):
        assert ps(found) == (0.5**n, 1)
        assert found.effect == pytest.approx(0.7)
    at_the_limit = significance.superiority(
        np.full(n, 0.5), direction="above", shows="superior", margin=0.5
    )
    assert at_the_limit.p_contradict == 1
    apart = significance.fixed_settings(
        np.full((1, n), 90.0), [np.full((1, n), 80.0)], shows="superior", margin=0.5
    )
    assert apart.p_support == 1 / math.comb(2 * n, n)


def test_one_value_is_no_test():
    kinds = list(every_kind(np.array([0.3])))
    assert [math.isnan(found.p_support) for found in kinds] == [
        *(True, True, True, True, False, True, True, True)
    ]


def test_ties_are_no_trend():
    found = significance.trend(np.ones((4, 3)), direction="rising")
    assert found.effect == 0
    assert min(ps(found)) > 0.5


def test_holm():
    assert significance.holm([0.01, 0.04, math.nan, 0.03]) == pytest.approx(
        [0.03, 0.06, math.nan, 0.06], nan_ok=True
    )
    assert significance.holm([0.5, 0.9]) == [1, 1]
    assert significance.holm([]) == []
