"""The shortest growth that finds a network, against replays of Algorithm 1."""

import random

import pytest

from analysis.experiments.catalogue import load_catalogue
from analysis.jobs import estimates
from analysis.jobs.growing import least_curve, least_growth
from autogrow.growth.algorithm import replay
from autogrow.growth.policies import ConvergentGrowth, PeriodicGrowth
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
