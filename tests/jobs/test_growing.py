"""The shortest growth that finds a network, against replays of Algorithm 1."""

import random
from dataclasses import dataclass

import pytest

from analysis.experiments.catalogue import load_catalogue
from analysis.jobs import estimates
from analysis.jobs.growing import assumed_growth, least_curve, least_growth, spans
from autogrow.growth.algorithm import replay
from autogrow.growth.policies import WAIT, ConvergentGrowth, PeriodicGrowth, Policy
from autogrow.growth.rivals.controlled import ControlledGrowth
from autogrow.growth.rivals.fixed import FixedSchedule
from autogrow.growth.rivals.fragrow import FRAGrow
from autogrow.growth.rivals.one_shot import OneShot
from autogrow.growth.rivals.random_stop import RandomStop
from autogrow.networks.names import format_depth, parse_network


def test_the_least_curve_finds_every_net_of_the_papers_tables():
    paper, impossible, nets = load_catalogue("paper"), set(), estimates._paper_nets()
    tables = [t for name, t in paper.tables.items() if name.startswith("table")]
    rows = {row.runs["main"] for table in tables for row in table.rows}
    assert nets.keys() == {run for run in rows if paper.runs[run].spec.kind == "autogrow"}
    for spec, found in nets.values():
        seed, policy = spec.first_network.depth, spec.growth_policy
        events = replay(policy, seed, least_curve(policy, seed, found))
        if events[-1].depth != found:
            impossible.add(format_depth(found))
        growths = sum(found) - sum(seed)
        checks = growths + 1 if spec.J else 2 * growths - len(seed) + 2
        ends = least_growth(policy, seed, found)[-1]
        assert (ends.epoch, ends.event, ends.depth) == (spec.K * checks, "done", found)
    assert impossible == {"9-3-6-4", "6-6-6-17", "6-7-3-9"}


@pytest.mark.parametrize("seed", range(60))
def test_no_replay_finds_its_net_sooner(seed):
    chance = random.Random(seed)
    K, M = chance.randint(1, 6), chance.randint(2, 4)
    periodic = PeriodicGrowth(K, K * chance.randint(1, 4) + chance.randint(0, 3), 0.05)
    for policy in (periodic, ConvergentGrowth(K, 0.05)):
        curve = [10.0]
        while len(curve) < 4000:
            gains = len(curve) < 40 * K and chance.random() < chance.choice([0.02, 0.1, 0.5])
            curve.append(curve[-1] + 0.06 * gains)
        events = replay(policy, (1,) * M, curve)
        least = least_growth(policy, (1,) * M, events[-1].depth)
        assert least[-1][1:] == events[-1][1:] == ("done", None, least[-1].depth)
        assert least[-1].epoch <= events[-1].epoch
        assert policy is not periodic or list(least) == events


def test_a_policy_with_a_target_is_assumed_to_reach_the_net_of_the_other_run():
    for policy in (FixedSchedule("1-1", K=2), FRAGrow("1-1", K=2), RandomStop("1-1", lot=7, K=2)):
        events = assumed_growth(policy, (1, 1), (3, 2))
        assert events[-1][1:] == ("done", None, (3, 2))
        assert [e.epoch for e in events if e.event == "grow"] == [2, 4, 6]
    at_once = assumed_growth(OneShot("1-1", K=5), (1, 1), (3, 2))
    assert {event.epoch for event in at_once} == {5}


def test_controlled_growth_is_assumed_to_try_each_sub_network_once_beside_its_twin():
    policy = ControlledGrowth(K=2)
    events = assumed_growth(policy, (1, 1), (9, 9))
    trained = [span for span in spans(policy, (1, 1), events) if span[0]]
    assert trained == [(2, (1, 1), None), (4, (2, 1), (1, 1)), (4, (1, 2), (1, 1))]
    periodic = PeriodicGrowth(K=1, J=2)
    least = assumed_growth(periodic, (1, 1), (2, 2))
    assert {twin for _, _, twin in spans(periodic, (1, 1), least)} == {None}


@dataclass(frozen=True)
class NeverEnds(Policy):
    K: int = 1

    def decide(self, growth):
        return WAIT


def test_a_growth_without_an_end_is_assumed_to_end():
    [done] = assumed_growth(NeverEnds(), (1, 1), (2, 2))
    assert (done.event, done.depth) == ("done", (1, 1))


def test_the_twin_of_a_growth_on_trial_is_counted():
    mini = load_catalogue("mini")
    [run] = [r for name, r in mini.runs.items() if name.endswith("/controlled-K2-GauInit")]
    seed, *deeper = (
        estimates.epoch_flops(run.spec, parse_network(f"Basic3ResNet-{depth}"))
        for depth in ("1-1-1", "2-1-1", "1-2-1", "1-1-2")
    )
    planned = estimates.estimate(run, mini)
    assert planned.network == "Basic3ResNet-1-1-1"
    assert planned.flops == pytest.approx((2 + 8) * seed + 4 * (sum(deeper) + 3 * seed))


def test_estimates_are_algorithm_1s_not_a_formulas():
    paper = load_catalogue("paper")
    convergent = paper.runs["Basic3ResNet/CIFAR10/convergent-K100-ZeroInit-staircase"]
    assert estimates.estimate(convergent, paper).epochs == 1500 + 200  # 2-3-6
    ratios = []
    for row in paper.tables["table10"].rows:
        run = paper.runs[row.runs["main"]]
        planned = estimates.estimate(run, paper)
        finetuning = 90 * estimates.epoch_flops(run.spec, parse_network(planned.network))
        ratios.append(planned.flops / finetuning - 1)
    assert sum(ratios) / len(ratios) == pytest.approx(0.52, abs=0.005)  # 0.61 in the paper
