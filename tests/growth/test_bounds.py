"""Growth under budgets: what bounds may and may not change, on curves without any training."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrow.growth.algorithm import Growth, replay
from autogrow.growth.bounds import CostBound, EpochBound, TimeBound
from autogrow.growth.policies import ConvergentGrowth, PeriodicGrowth

FLAT = [50.0] * 40


def linear(each, most, name="max_parameters", ends=10):
    """A bound on 10 and so much for each sub-module."""
    return CostBound(name, most, lambda d: ends + sum(e * n for e, n in zip(each, d, strict=True)))


def trace(policy, curve, *bounds, seed=(1, 1, 1)):
    return [",".join(event.row()) for event in replay(policy, seed, curve, bounds=bounds)]


def test_a_sub_network_that_would_be_too_large_stops_and_the_others_go_on():
    """The seed has 17; 1 would make it 19, 2 would make it 21."""
    assert trace(PeriodicGrowth(2, 99, 0.1), FLAT, linear((1, 2, 4), 19)) == [
        "2,grow,0,2-1-1",  # 18
        "4,max_parameters,1,2-1-1",  # 20
        "4,max_parameters,2,2-1-1",  # 22
        "4,grow,0,3-1-1",  # 19: exactly the bound
        "6,max_parameters,0,3-1-1",
        "6,done,,3-1-1",
    ]


def test_a_seed_that_cannot_grow_is_the_found_net():
    assert trace(PeriodicGrowth(3, 9, 0.1), FLAT, linear((1, 1), 12, "max_flops"), seed=(1, 1)) == [
        "3,max_flops,0,1-1",
        "3,max_flops,1,1-1",
        "3,done,,1-1",
    ]


@pytest.mark.parametrize("most", [6, 7, 8])
def test_the_last_growth_has_all_its_epochs_within_the_bound(most):
    assert trace(PeriodicGrowth(3, 99, 0.1), FLAT, EpochBound(most)) == [
        "3,grow,0,2-1-1",
        "6,max_epochs,1,2-1-1",
        "6,max_epochs,2,2-1-1",
        "6,max_epochs,0,2-1-1",
        "6,done,,2-1-1",
    ]


def test_convergent_growth_does_not_wait_beyond_a_bound():
    rising = [float(accuracy) for accuracy in range(40)]
    assert trace(ConvergentGrowth(3, 0.1), rising, EpochBound(8), seed=(1, 2)) == [
        "6,max_epochs,0,1-2",
        "6,max_epochs,1,1-2",
        "6,done,,1-2",
    ]


def test_time_is_foreseen_by_the_last_three_epochs_and_ends_growth_between_checks_too():
    elapsed = [0.0, 10.0, 20.0, 30.0, 31.0, 32.0, 33.0, 93.0]
    policy = PeriodicGrowth(3, 99, 0.1)
    # At 3 the next three are foreseen to end at 60, at 6 at 36; at 7, 20 a epoch, the next at 113.
    assert trace(policy, FLAT[:7], TimeBound(59.0, elapsed))[0] == "3,max_hours,0,1-1-1"
    assert trace(policy, FLAT[:7], TimeBound(112.0, elapsed))[-1] == "7,done,,2-2-1"
    assert trace(policy, FLAT[:7], TimeBound(114.0, elapsed))[-1] == "6,grow,1,2-2-1"


def test_the_first_bound_that_is_exceeded_is_named():
    bounds = [EpochBound(2), linear((1, 1, 1), 13)]
    assert trace(PeriodicGrowth(2, 9, 0.1), FLAT, *bounds)[0] == "2,max_epochs,0,1-1-1"


def test_nobody_measures_a_network_to_look_ahead():
    def cost(depth):
        assert depth in ((1,), (2,)), "measured"
        return 1.0

    bound = CostBound("max_latency_ms", 2.0, cost, measured=True)
    growth = Growth(PeriodicGrowth(1, 3, 0.1), (1,), bounds=[bound, EpochBound(9)])
    growth.observe(50.0)
    assert growth.earliest_end() == 4
    growth = Growth(PeriodicGrowth(1, 30, 0.1), (1,), bounds=[bound, EpochBound(9)])
    assert growth.earliest_end() == 9
    assert (growth.epoch, growth.depth, growth.growing) == (0, (1,), [0])


accuracies = st.lists(st.integers(0, 100).map(float), max_size=40)
policies = st.tuples(st.integers(1, 4), st.integers(0, 8), st.booleans()).map(
    lambda kj: ConvergentGrowth(kj[0], 1.0) if kj[2] else PeriodicGrowth(kj[0], kj[0] + kj[1], 1.0)
)
seeds = st.lists(st.integers(1, 3), min_size=1, max_size=4).map(tuple)
EACH = (3, 5, 1, 7)


@given(policies, seeds, accuracies, st.integers(0, 60), st.integers(0, 30))
def test_no_bound_is_ever_passed_and_none_stops_what_it_need_not(
    policy, seed, curve, more, more_epochs
):
    size = linear(EACH[: len(seed)], 0)
    size = linear(EACH[: len(seed)], size.cost(seed) + more)
    epochs = EpochBound(policy.K + more_epochs)
    events = replay(policy, seed, curve, bounds=[size, epochs])
    stopped = [event.sub_network for event in events if event.event != "grow"]
    assert len(stopped) == len({*stopped})
    for event in events:
        assert size.cost(event.depth) <= size.most
        assert event.epoch <= epochs.most
        ahead = event.epoch + policy.K
        i = event.sub_network
        if event.event == "max_parameters":
            larger = (*event.depth[:i], event.depth[i] + 1, *event.depth[i + 1 :])
            assert size.cost(larger) > size.most
        elif event.event == "max_epochs":
            assert ahead > epochs.most
        elif event.event == "grow":
            assert ahead <= epochs.most
    done = [event.event for event in events].count("done")
    assert done == (len({*stopped} - {None}) == len(seed))
    assert not done or events[-1].event == "done"


@given(policies, seeds, accuracies, st.integers(0, 60), st.integers(0, 30))
def test_until_a_bound_speaks_nothing_changes(policy, seed, curve, more, more_epochs):
    size = linear(EACH[: len(seed)], sum(seed) * 3 + more)
    bounds = [size, EpochBound(policy.K + more_epochs)]
    free, bound = (replay(policy, seed, curve, bounds=b) for b in ((), bounds))
    first = next((k for k, e in enumerate(bound) if e.event.startswith("max_")), len(bound))
    assert bound[:first] == free[:first]
    assert first < len(bound) or bound == free
    assert replay(policy, seed, curve, bounds=bounds) == bound


@given(policies, seeds, accuracies)
def test_bounds_that_are_far_away_change_nothing(policy, seed, curve):
    far = [
        linear(EACH[: len(seed)], 10**9),
        EpochBound(10**6),
        TimeBound(1e9, [float(e) for e in range(len(curve) + 1)]),
    ]
    assert replay(policy, seed, curve, bounds=far) == replay(policy, seed, curve)
