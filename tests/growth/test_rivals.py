"""Growing policies beside AutoGrow's, on curves made by hand."""

import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrow.errors import UserError
from autogrow.growth.algorithm import Growth, Observed, Trial, replay
from autogrow.growth.bounds import EpochBound
from autogrow.growth.policies import GROW, UNDO, Decision, Policy
from autogrow.growth.registry import POLICIES
from autogrow.growth.rivals.controlled import ControlledGrowth, gain
from autogrow.growth.rivals.fixed import FixedSchedule
from autogrow.growth.rivals.fragrow import FRAGrow
from autogrow.growth.rivals.one_shot import OneShot
from autogrow.growth.rivals.random_stop import RandomStop

FLAT = [50.0] * 200


def rows(policy, curve, seed=(1, 1, 1), **options):
    return [",".join(event.row()) for event in replay(policy, seed, curve, **options)]


def test_fixed_schedule_grows_in_turn_to_its_target():
    assert rows(FixedSchedule("3-1-2", K=2), FLAT) == [
        "2,stop,1,1-1-1",
        "2,grow,0,2-1-1",
        "4,grow,2,2-1-2",
        "6,stop,2,2-1-2",
        "6,grow,0,3-1-2",
        "8,stop,0,3-1-2",
        "8,done,,3-1-2",
    ]


def test_one_shot_jumps_after_the_first_period():
    events = replay(OneShot("3-1-2", K=4), (1, 1, 1), FLAT)
    assert {event.epoch for event in events} == {4}
    assert events[-1] == (4, "done", None, (3, 1, 2))


@pytest.mark.parametrize("policy", [FixedSchedule, OneShot, RandomStop, FRAGrow])
@pytest.mark.parametrize("target", ["2-2", "2-2-2-2", "1-2-2", "2-x-2", "2-2-1001", ""])
def test_a_target_that_is_no_deeper_depth_is_refused(policy, target):
    with pytest.raises(UserError, match=r"target: found .*allowed: a depth from 2-1-1 to 1000"):
        policy(target).check((2, 1, 1))


def test_random_stop_has_the_targets_depth_on_average():
    depths = [replay(RandomStop("4-2", lot, K=1), (1, 1), FLAT)[-1].depth for lot in range(4000)]
    for i, expected in enumerate((4, 2)):
        more = [depth[i] - 1 for depth in depths]
        mean = expected - 1
        error = math.sqrt(mean * (mean + 1) / len(more))  # of a geometric distribution
        assert abs(statistics.mean(more) - mean) < 4 * error
    assert replay(RandomStop("4-2", 7, K=1), (1, 1), FLAT)[-1].depth == depths[7]


def test_fragrow_waits_longer_where_the_network_overfits():
    def grows(gap, **options):
        curve = [Observed(50.0, train_accuracy=50.0 + gap)] * 200
        events = replay(FRAGrow("2-3", K=8, **options), (1, 1), curve)
        return [e.epoch for e in events if e.event == "grow"], events

    at_once, events = grows(-40.0)
    assert at_once == [1, 2, 3]  # the first sub-network first
    assert [e.sub_network for e in events if e.event == "grow"] == [0, 1, 1]
    assert grows(5.0)[0] == [4, 8, 12]  # half of K at the gap alpha
    assert grows(40.0)[0] == [8, 16, 24]
    assert grows(10.0, alpha=10.0)[0] == [4, 8, 12]
    assert grows(math.nan)[0] == [8, 16, 24]  # epochs that diverged


def trial(gained, lost, images=1000):
    return Observed(50.0, trial=Trial(images, gained, lost))


def test_controlled_growth_keeps_what_helps_and_undoes_what_does_not():
    """Windows of two epochs: the first of a trial is not judged."""
    helps, hurts, nothing = trial(90, 30), trial(30, 90), trial(40, 41)
    curve = [
        *[Observed(40.0)] * 2,
        *[trial(0, 500)] * 2,
        *[helps] * 2,  # sub-network 0 is kept
        *[hurts] * 4,  # sub-network 1 is undone
        *[helps] * 4,  # sub-network 0 is kept again
        *[nothing] * 4,  # and then undone
    ]
    assert rows(ControlledGrowth(K=2, tau=1.0), curve, (1, 1)) == [
        "2,grow,0,2-1",
        "6,grow,1,2-2",
        "10,undo,1,2-1",
        "10,stop,1,2-1",
        "10,grow,0,3-1",
        "14,grow,0,4-1",
        "18,undo,0,3-1",
        "18,stop,0,3-1",
        "18,done,,3-1",
    ]


def test_controlled_growth_waits_for_another_window_where_chance_may_have_won():
    seed, some = [Observed(40.0)] * 2, trial(60, 45)  # 1.5 points of 1,000 images: 1.5 errors
    policy = ControlledGrowth(K=2, tau=1.0, windows=3)
    assert rows(policy, [*seed, *[some] * 4], (1,)) == ["2,grow,0,2"]
    assert rows(policy, [*seed, *[some] * 8], (1,))[-1] == "10,done,,1"
    # As much in each of 100,000 images is beyond chance.
    many = trial(6000, 4500, 100_000)
    assert rows(policy, [*seed, *[many] * 4], (1,)) == ["2,grow,0,2", "6,grow,0,3"]
    # Beyond chance, but less than tau.
    little = trial(6000, 5500, 100_000)
    assert rows(policy, [*seed, *[little] * 8], (1,))[-1] == "10,done,,1"


def test_noise_between_epochs_counts():
    """A mean gain of 3 points from epochs that differ by 20 says little."""
    curve = [Observed(40.0)] * 3 + [trial(300 + d, 270, 10_000) for d in (0, 0, 0)]
    curve += [trial(300 + d, 0, 1000) for d in (-250, 150, 30)]
    assert rows(ControlledGrowth(K=3, tau=1.0, windows=1), curve, (1,))[-1] == "9,done,,1"


def test_gain_and_its_error():
    found = gain([Trial(100, 10, 6), Trial(100, 12, 4)])
    assert found.mean == pytest.approx(6.0)
    epochs = 8 / 2  # the variance of 4 and 8, over two epochs
    images = (16 - 16 / 100 + 16 - 64 / 100) / 2
    assert found.error == pytest.approx(math.sqrt(epochs + images))
    freedom = (epochs + images) ** 2 / (epochs**2 + images**2 / 99)
    assert found.freedom == pytest.approx(freedom)
    assert gain([Trial(100, 0, 0)] * 2).is_above_zero(0.05) is False


@given(st.lists(st.floats(0, 100), max_size=120), st.integers(2, 5), st.integers(1, 3))
def test_controlled_growth_passes_the_null(curve, K, windows):
    """On the curve of a network that never grows nothing is gained, whatever it does."""
    growth = Growth(ControlledGrowth(K=K, windows=windows), (1, 2, 1))
    growth.follow(curve)
    if growth.done:
        assert growth.depth == (1, 2, 1)


@pytest.mark.parametrize("spread", [0.0, 1.0, 4.0])
def test_controlled_growth_keeps_what_does_not_help_in_few_of_many_trials(spread):
    """Two networks that are equally good on average, and differ by chance in every epoch.

    ``spread`` is the standard deviation of their difference between epochs, in points.
    """
    chance = random.Random(1)
    policy, kept, trials = ControlledGrowth(K=3, tau=0.05), 0, 2000
    for _ in range(trials):
        growth = Growth(policy, (1,))
        growth.follow([50.0] * 3)
        always = round(chance.gauss(0, math.sqrt(300)))  # as these images have it
        while growth.on_trial and growth.grown_at == 3:
            more = always + round(chance.gauss(0, spread * 20))
            growth.observe(trial(150 + more // 2, 150 + more // 2 - more, 2000))
        kept += growth.depth == (3,)
    assert kept / trials < 0.05 + 4 * math.sqrt(0.05 * 0.95 / trials)


def test_a_growth_on_trial_is_undone_where_growing_ends():
    policy = ControlledGrowth(K=2)
    told = rows(policy, FLAT, (1, 1), bounds=[EpochBound(3)])
    assert told[0] == "2,max_epochs,0,1-1"  # a growth would need two epochs more
    told = rows(policy, FLAT, (1, 1), bounds=[EpochBound(5)])
    assert told == ["2,grow,0,2-1", "4,max_epochs,1,2-1", "4,max_epochs,0,2-1", "4,undo,0,1-1",
                    "4,done,,1-1"]  # fmt: skip
    growth = Growth(policy, (1, 1))
    growth.follow([50.0] * 2)
    assert [e.event for e in growth.end(50.0)] == ["undo", "done"]
    assert growth.depth == (1, 1)


def test_parameters_that_are_impossible():
    for wrong in ({"windows": 0}, {"alpha": 0.0}, {"alpha": 1.0}, {"K": 1}):
        with pytest.raises(UserError, match=f"{next(iter(wrong))}: found .*allowed: "):
            ControlledGrowth(**wrong)


class Odd(Policy):
    K = 1

    def __init__(self, *decisions):
        self.decisions = decisions

    def decide(self, growth):
        return self.decisions[min(growth.epoch, len(self.decisions)) - 1]


@pytest.mark.parametrize(
    "decision", [UNDO, Decision("stop"), Decision("stop", 7), Decision("grow", 3), Decision("hop")]
)
def test_a_policy_that_decides_the_impossible_is_told_so(decision):
    with pytest.raises(UserError, match=r"policy: .* decides .*allowed: one of them"):
        replay(Odd(decision), (1, 1), FLAT)


def test_a_policy_that_never_waits_is_told_so():
    with pytest.raises(UserError, match=r"decides without end after epoch 1; allowed: to wait"):
        replay(Odd(GROW), (1, 1), FLAT)


def test_every_policy_has_its_file_and_its_defaults():
    for name in POLICIES.names:
        assert POLICIES.find(name).defaults(9)["K"] in (3, 9)
