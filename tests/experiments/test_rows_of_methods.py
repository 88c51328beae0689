"""Table `beyond`: methods by their names, and policies that take a target from another run."""

import pytest
import yaml

from analysis.experiments.catalogue import load_catalogue
from analysis.experiments.scales import SCALES
from autogrow.growth.rivals.controlled import ControlledGrowth
from autogrow.growth.rivals.random_stop import RandomStop

POLICIES = {
    "p-AutoGrow": "periodic",
    "c-AutoGrow": "convergent",
    "controlled growth": "controlled",
    "fixed schedule": "fixed",
    "random stop": "random_stop",
    "one-shot": "one_shot",
    "FRAGrow": "fragrow",
}
AIMED = ("fixed schedule", "random stop", "one-shot", "FRAGrow")


@pytest.mark.parametrize("scale", SCALES)
def test_methods_and_fixed_depths_are_those_of_the_other_tables(scale):
    catalogue = load_catalogue(scale)
    rows = catalogue.tables["beyond"].rows
    grown = {row.name: row for row in rows if row.grows}
    for row in grown.values():
        spec = catalogue.runs[row.runs["main"]].spec
        assert spec.policy == POLICIES[row.key["method"]]
        assert spec.initializer == row.key["initializer"]
        assert {"never_grown", "equal_compute"} < {*row.runs}
    assert {row.key["method"] for row in grown.values()} == {*POLICIES}
    fixed = {row.key["depth"]: row.runs["main"] for row in rows if not row.grows}
    frontier = catalogue.tables["frontier"].rows
    assert fixed == {r.key["depth"]: r.runs["main"] for r in frontier if r.key["depth"]}
    shown = catalogue.tables["figure10"].rows
    assert [r.runs["main"] for r in shown] == [r.runs["main"] for r in rows]
    equal = {r.key["depth"]: r.runs["equal_compute"] for r in frontier if r.key["depth"]}
    assert equal == {r.key["depth"]: r.runs["equal_compute"] for r in shown if r.key["depth"]}
    [usual] = {r.runs["main"] for r in frontier if not r.key["depth"]}
    assert grown["p-AutoGrow/GauInit/"].runs["main"] == usual
    for row in grown.values():
        target = usual if row.key["method"] in AIMED else None
        assert catalogue.runs[row.runs["main"]].depth_of == target
        assert catalogue.runs[row.runs["equal_compute"]].depth_of == row.runs["main"]


def test_a_target_is_another_runs_and_lots_are_the_seeds():
    runs = load_catalogue("mini").runs
    [stops] = [run for run in runs.values() if "/random_stop" in run.id]
    assert stops.id.endswith("/random_stop-K2-GauInit-as-deep-as-periodic-K2-GauInit")
    assert list(stops.sources) == ["--depth-of"]
    assert stops.spec.growth_policy == RandomStop("1-1-1", lot=0, K=2)
    told = [yaml.safe_load(stops.job_spec({"seed": seed})) for seed in (0, 4)]
    assert [(job["seed"], job["policy_options"]) for job in told] == [
        (0, {"lot": 0}),
        (4, {"lot": 4}),
    ]
    [fixed] = [run for run in runs.values() if "/fixed" in run.id and "scratch" not in run.id]
    assert "policy_options" not in yaml.safe_load(fixed.job_spec({"seed": 3}))


def test_a_scale_asks_for_no_period_with_which_a_policy_does_not_work():
    runs = load_catalogue("smoke").runs.values()
    periods = {run.spec.policy: run.spec.K for run in runs if run.spec.kind == "autogrow"}
    assert periods["periodic"] == periods["fixed"] == 1
    assert periods["controlled"] == ControlledGrowth.least_period == 2
