"""Rows of experiments.yaml that name any registered policy and initializer."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from analysis.experiments.catalogue import make_catalogue
from analysis.experiments.scales import read_scale
from autogrow.errors import UserError
from autogrow.growth.policies import WAIT, Policy
from autogrow.growth.registry import POLICIES
from autogrow.networks.initializer_names import INITIALIZERS
from autogrow.networks.initializers import ZeroInit

CELLS = {"dataset": "CIFAR10", "network": "Basic3ResNet"}


@dataclass(frozen=True)
class FollowsT(Policy):
    K: int = 1
    J: int | None = None
    patience: float = 1.5

    @classmethod
    def defaults(cls, T):
        return {"K": T, "J": 2 * T}

    def decide(self, growth):
        return WAIT


class OwnZeros(ZeroInit):
    pass


@pytest.fixture(autouse=True)
def named(monkeypatch):
    for registry, name, thing in (
        (POLICIES, "follows_T", FollowsT),
        (INITIALIZERS, "OwnZeros", OwnZeros),
    ):
        own = {**registry.own, name: f"{__name__}:{thing.__name__}"}
        monkeypatch.setattr(registry, "own", own)


def runs_of(scale="mini", columns=(), **run):
    rows = [{**CELLS, **dict(columns)}]
    content = {"mine": {"title": "t", "run": {"kind": "autogrow", **run}, "rows": rows}}
    return make_catalogue(scale, read_scale(scale), content, Path("experiments.yaml")).runs


def the_run(*given, **run):
    [only] = runs_of(*given, **run).values()
    return only


def test_a_table_and_a_row_name_a_policy_and_an_initializer():
    of_table = the_run(policy="follows_T", policy_options={"patience": 0.5}, initializer="OwnZeros")
    assert of_table.spec.growth_policy == FollowsT(of_table.spec.K, of_table.spec.J, 0.5)
    columns = {"policy": "follows_T", "initializer": "OwnZeros"}
    of_row = the_run("mini", columns, policy_options={"patience": 0.5})
    assert of_row == of_table
    assert of_row.id.endswith(f"/follows_T-K{of_row.spec.K}-patience=0.5-OwnZeros")


@pytest.mark.parametrize("scale", ["smoke", "mini", "paper"])
def test_tau_and_J_of_the_scale_are_for_policies_that_have_them(scale):
    settings = read_scale(scale)
    T = settings.T or 100
    spec = the_run(scale, policy="follows_T").spec
    assert spec.tau == 0.05
    periods = (spec.K, spec.J)
    assert periods == (T, 2 * T)
    fixed = the_run(scale, policy="fixed", policy_options={"target": "2-2-2"}).spec
    assert (fixed.tau, fixed.J) == (0.05, None)
    usual = the_run(scale, policy="periodic").spec
    assert usual.tau == (settings.tau or 0.05)
    longest = max(T, usual.K)
    assert longest == usual.J


def test_a_policys_own_K_counts_where_the_row_has_none():
    assert the_run("paper", policy="fixed", policy_options={"target": "2-2-2"}).spec.K == 3
    assert the_run("paper", policy="convergent").spec.K == 100
    assert the_run("paper", {"K": 7}, policy="follows_T").spec.K == 7


def test_ids_tell_the_options_of_a_policy_in_any_order():
    given = [{"target": "2-2-2", "lot": 1}, {"lot": 1, "target": "2-2-2"}]
    first, again = (the_run(policy="random_stop", policy_options=options) for options in given)
    other = the_run(policy="random_stop", policy_options={"target": "2-2-2", "lot": 2})
    assert first == again
    assert "-lot=1-target=2-2-2-GauInit" in first.id
    assert "-lot=2-target=2-2-2-GauInit" in other.id


@pytest.mark.parametrize(
    ("run", "told"),
    [
        ({"policy": "nothing"}, "policy: found 'nothing'; allowed: .*follows_T"),
        ({"policy": ["fixed"]}, "policy: "),
        ({"policy": "fixed"}, "policy_options: target: missing"),
        ({"policy": "fixed", "policy_options": {"target": "9"}}, "target: "),
        ({"policy": "follows_T", "policy_options": {"patience": "x"}}, "patience: found 'x'"),
        ({"policy": "follows_T", "policy_options": 3}, "policy_options: "),
        ({"initializer": "nothing"}, "initializer: found 'nothing'; allowed: .*OwnZeros"),
    ],
)
def test_a_mistake_is_told_with_its_table(run, told):
    with pytest.raises(UserError, match=f"^experiments.yaml: mine: .*{told}"):
        runs_of(**run)
