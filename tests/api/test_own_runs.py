"""The folders of a caller's own networks: budgets hold for them, and commands know them."""

import csv
import io

import pytest
from own_networks import GoogLeNet, digits

import autogrow
from autogrow.errors import UserError

QUICK = {"T": 2, "policy": autogrow.PeriodicGrowth(K=1, tau=100), "quiet": True, "device": "cpu"}
SETS = (digits(0, 100), digits(100, 150))


def test_a_budget_stops_a_callers_network_before_it_is_passed(tmp_path):
    free = autogrow.grow(GoogLeNet(), *SETS, **QUICK)
    parts = (GoogLeNet(), GoogLeNet().sub_networks[0])
    seed, each = (sum(p.numel() for p in part.parameters()) for part in parts)
    most = seed + each
    found = autogrow.grow(
        GoogLeNet(), *SETS, **QUICK, max_parameters=most, frontier=True, out=tmp_path
    )  # fmt: skip
    assert sum(free.depth) > sum(found.depth) == 3
    assert found.summary.parameters == most
    assert found.summary.bounded == {"max_parameters": [1, 0]}
    rows = [*csv.DictReader((tmp_path / "frontier.csv").open(newline=""))]
    assert [row["depth"] for row in rows] == ["1-1", "2-1", "2-1"]  # and fine-tuned
    assert [int(row["parameters"]) for row in rows] == [seed, most, most]
    with pytest.raises(UserError, match="max_parameters: found 5, but the seed network"):
        autogrow.grow(GoogLeNet(), *SETS, **QUICK, max_parameters=5)


def test_commands_know_the_run_of_a_callers_network(tmp_path, cli, mistake):
    found = autogrow.grow(GoogLeNet(), *SETS, **QUICK, out=tmp_path / "run")
    assert "1 done" in cli("status", tmp_path).out
    assert cli("verify", tmp_path).out.splitlines()[-1] == "1 sound"
    told = cli("replay", "--run", tmp_path / "run", "--policy", "periodic", "--K", "1").out
    [row] = csv.DictReader(io.StringIO(told))
    assert (row["depth"], row["first_difference"]) == (found.summary.depth, "")
    for command in (
        ("run", tmp_path / "run/spec.yaml", "--out", tmp_path / "other", "--quiet"),
        ("evaluate", tmp_path / "run", "--data", "digits"),
        ("grow", "--network", "own2:GoogLeNet", "--data", "digits", "--out", tmp_path / "third"),
    ):
        line = mistake(*command)
        assert "allowed: " in line
    assert not (tmp_path / "other").exists()
    assert not (tmp_path / "third").exists()
