import copy
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autogrow.growth.algorithm import GROWTH_HEADER, Event, Growth, replay
from autogrow.growth.policies import ConvergentGrowth, PeriodicGrowth

TAU = 0.05


def trace(policy, curve, seed="1-1-1"):
    """The events as the lines of growth.csv."""
    depth = tuple(map(int, seed.split("-")))
    return [",".join(event.row()) for event in replay(policy, depth, curve)]


# --- traces by hand: periodic growth -----------------------------------------------------


def test_periodic_on_a_flat_curve():
    """Checks at 3, 6, 9, ...; J = 6 has passed for the first time at 9."""
    assert trace(PeriodicGrowth(3, 6, TAU), [50.0] * 30) == [
        "3,grow,0,2-1-1",
        "6,grow,1,2-2-1",  # e = J: never stops before more than J epochs have passed
        "9,stop,1,2-2-1",  # stop before grow; the recently grown one is deleted
        "9,grow,2,2-2-2",
        "12,stop,2,2-2-2",  # one stop a check
        "12,grow,0,3-2-2",  # 0 is all that is left of the ring
        "15,stop,0,3-2-2",
        "15,done,,3-2-2",  # at the check at which the list becomes empty
    ]


def test_periodic_recovers_between_stops_and_skips_the_stopped():
    curve = [10.0, 20, 20, 20, 30, 30, 30, 30, 40, 40, 40, 40]
    assert trace(PeriodicGrowth(2, 2, TAU), curve) == [
        "2,grow,0,2-1-1",
        "4,stop,0,2-1-1",  # m(4) - m(2) = 0
        "4,grow,1,2-2-1",
        "6,grow,2,2-2-2",  # m(6) - m(4) = 10
        "8,stop,2,2-2-2",
        "8,grow,1,2-3-2",  # after 2 comes 0, which has stopped: 1
        "10,grow,1,2-4-2",  # 1 is alone in the ring
        "12,stop,1,2-4-2",
        "12,done,,2-4-2",
    ]


def test_periodic_looks_at_the_running_maximum():
    """A drop from 80 to 20 is no loss, and the way back to 79 is no gain."""
    policy, curve = PeriodicGrowth(2, 4, TAU), [80.0, 20, 30, 40, 50, 60, 70, 75, 79, 79]
    assert trace(policy, curve) == trace(policy, [80.0] * 10)


# --- traces by hand: convergent growth ---------------------------------------------------


def test_convergent_grows_when_converged_and_stops_what_did_not_help():
    curve = [50.0, 60, 60, 60, 65, 66, 66, 66, 66, 66, 66, 66, 66.03, 66.03]
    assert trace(ConvergentGrowth(2, TAU), curve) == [
        # 2: m(2) - m(0) = 60, not converged: nothing happens
        "4,grow,0,2-1-1",  # converged; nothing has grown yet, so nothing stops
        # 6: m(6) - m(4) = 6, not converged
        "8,grow,1,2-2-1",  # converged, but the growth at 4 gained 6: it is not punished
        "10,stop,1,2-2-1",  # the growth at 8 gained nothing
        "10,grow,2,2-2-2",
        "12,stop,2,2-2-2",
        "12,grow,0,3-2-2",
        "14,stop,0,3-2-2",  # a gain of 0.03 is less than tau
        "14,done,,3-2-2",
    ]


def test_convergent_checks_every_k_epochs_and_compares_the_first_with_zero():
    assert trace(ConvergentGrowth(5, TAU), [30.0] * 12) == ["10,grow,0,2-1-1"]
    assert trace(ConvergentGrowth(2, TAU), [0.0, 0.04, 0.04, 0.04]) == [
        "2,grow,0,2-1-1",
        "4,stop,0,2-1-1",
        "4,grow,1,2-2-1",
    ]
    assert trace(ConvergentGrowth(2, TAU), [0.0, 0.06]) == []


@pytest.mark.parametrize(
    ("last", "stops"), [(90.05, False), (90.06, False), (90.04, True), (90.0499, True)]
)
def test_a_gain_of_tau_counts(last, stops):
    periodic = trace(PeriodicGrowth(1, 2, TAU), [90.0, 90.0, last])
    assert periodic == [
        "1,grow,0,2-1-1",
        "2,grow,1,2-2-1",
        *(["3,stop,1,2-2-1"] if stops else []),
        "3,grow,2,2-2-2",
    ]
    convergent = trace(ConvergentGrowth(1, TAU), [90.0, 90.0, last])
    assert convergent == [
        "2,grow,0,2-1-1",
        *(["3,stop,0,2-1-1", "3,grow,1,2-2-1"] if stops else []),
    ]


@given(st.integers(0, 9900), st.integers(1, 100))
def test_a_gain_of_tau_counts_whatever_the_binary_rounding(accuracy, tau):
    """In hundredths of a percent: the difference of two floats must not decide."""
    before, enough, less = (x / 100 for x in (accuracy, accuracy + tau, accuracy + tau - 1))
    policy = PeriodicGrowth(1, 1, tau / 100)
    assert "2,stop,0,2-1-1" not in trace(policy, [before, enough])
    assert "2,stop,0,2-1-1" in trace(policy, [before, less])


def test_events_are_the_rows_of_growth_csv():
    assert GROWTH_HEADER == ["epoch", "event", "sub_network", "depth"]
    assert Event(9, "stop", 0, (2, 2, 1)).row() == ["9", "stop", "0", "2-2-1"]
    assert Event(9, "done", None, (2, 2, 1)).row() == ["9", "done", "", "2-2-1"]


def test_nothing_is_observed_after_done():
    policy, curve = PeriodicGrowth(1, 1, TAU), [50.0] * 4
    assert trace(policy, []) == []
    assert trace(policy, curve)[-1] == "4,done,,2-2-2"
    assert trace(policy, [*curve, 90, 95, 99]) == trace(policy, curve)
    growth = Growth(policy, (1,))
    for accuracy in (50.0, 50.0):
        growth.observe(accuracy)
    with pytest.raises(RuntimeError, match="done"):
        growth.observe(99.0)


def test_state_says_depth_epoch_and_what_still_grows():
    growth = Growth(PeriodicGrowth(1, 1, TAU), (1, 1))
    for epoch, accuracy, depth, growing in (
        (1, 50.0, (2, 1), [0, 1]),
        (2, 50.0, (2, 2), [1]),
        (3, 40.0, (2, 2), []),
    ):
        growth.observe(accuracy)
        assert (growth.epoch, growth.depth, growth.growing) == (epoch, depth, growing)
        assert growth.done == (not growing)
    assert growth.maximum == [0, 50, 50, 50]


def test_growth_needs_no_torch_no_numpy():
    code = (
        "import sys; from autogrow.growth.algorithm import replay; "
        "from autogrow.growth.policies import PeriodicGrowth as P; "
        "replay(P(1, 1, .05), (1,), [1.0] * 9); "
        "assert not {'torch', 'numpy', 'pydantic'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# Accuracies in ten-thousandths of a percent, as metrics.csv records them.
UNIT = 10_000
steps = st.one_of(st.just(0), st.integers(-300, 600), st.integers(-200_000, 300_000))
tau_units = st.sampled_from([1, 500, 2_500, 10_000])


@st.composite
def curves(draw, max_size=80):
    """Noisy curves with plateaus and rises, within 0 and 100 percent."""
    value, curve = draw(st.integers(0, 100 * UNIT)), []
    for step in draw(st.lists(steps, max_size=max_size)):
        value = min(max(value + step, 0), 100 * UNIT)
        curve.append(value)
    return curve


@st.composite
def policies(draw):
    """A policy, and the same settings as plain numbers for the oracle."""
    K, tau = draw(st.integers(1, 6)), draw(tau_units)
    if draw(st.booleans()):
        return ConvergentGrowth(K, tau / UNIT), {"K": K, "J": None, "tau": tau}
    J = K + draw(st.integers(0, 12))
    return PeriodicGrowth(K, J, tau / UNIT), {"K": K, "J": J, "tau": tau}


seeds = st.lists(st.integers(1, 5), min_size=1, max_size=5).map(tuple)


def percent(curve):
    return [value / UNIT for value in curve]


def oracle(seed, curve, cap, *, K, J, tau):
    """The events by the paper's text, in whole numbers; J None: convergent growth."""
    M, depth, alive = len(seed), list(seed), [d < c for d, c in zip(seed, cap, strict=False)]
    events, last, g, e = [], None, None, 0

    def m(epochs):
        return max([0, *curve[:epochs]])

    def record(what, i):
        events.append((e, what, i, tuple(depth)))

    while any(alive) and e + K <= len(curve):
        e += K
        if J is None:
            if not m(e) - m(e - K) < tau:
                continue
            unhelpful = last is not None and m(e) - m(g) < tau
        else:
            unhelpful = last is not None and e > J and m(e) - m(e - J) < tau
        if unhelpful and alive[last]:
            alive[last] = False
            record("stop", last)
        elif last is not None and alive[last] and depth[last] == cap[last]:
            alive[last] = False
            record("cap", last)
        if not any(alive):
            record("done", None)
            break
        i = 0 if last is None else (last + 1) % M
        while not alive[i]:
            i = (i + 1) % M
        depth[i] += 1
        last, g = i, e
        record("grow", i)
    return events


@settings(max_examples=300)
@given(policies(), seeds, curves(), st.none() | st.lists(st.integers(0, 4), min_size=5, max_size=5))
def test_events_are_those_of_a_second_implementation(policy, seed, curve, room):
    policy, numbers = policy
    # The first sub-network can always grow.
    more = [99] * 5 if room is None else [room[0] + 1, *room[1:]]
    cap = tuple(d + m for d, m in zip(seed, more, strict=False))
    events = replay(policy, seed, percent(curve), None if room is None else cap)
    assert [tuple(event) for event in events] == oracle(seed, curve, cap, **numbers)


@given(policies(), seeds, curves())
def test_is_done_once_accuracy_is_flat_for_long_enough(policy, seed, curve):
    policy, numbers = policy
    K = numbers["K"]
    # A window without gain; a check more until the next one; one to grow; one for each stop.
    enough = (numbers["J"] or K) + 1 + K * (len(seed) + 2)
    kinds = [event.event for event in replay(policy, seed, percent(curve) + [0.0] * enough)]
    assert kinds.index("done") == len(kinds) - 1


@given(policies(), seeds, curves(max_size=30))
def test_earliest_end_is_that_of_a_flat_curve(policy, seed, curve):
    policy, _ = policy
    growth = Growth(policy, seed)
    for accuracy in percent(curve):
        if not growth.done:
            growth.observe(accuracy)
    before = copy.deepcopy(growth)
    end = growth.earliest_end()
    assert growth == before
    while not growth.done:
        growth.observe(0.0)
    assert growth.epoch == end
