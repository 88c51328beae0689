"""Runs whose growths are on trial against a twin: their records, and their interruptions."""

import csv
import itertools
import json

import pytest
from interrupting import interrupted_after

from autogrow.growth.algorithm import replay
from autogrow.networks.names import parse_depth
from autogrow.runs.curves import UNSEEN, read_curve
from autogrow.runs.folder import read_spec, require_finished
from autogrow.training.metrics import METRICS_HEADER, TRIAL_HEADER

CONTROLLED = ["grow", "--network", "Basic3ResNet", "--data", "digits", "--data-fraction", "0.4"]
CONTROLLED += ["--width", "4", "--batch-size", "32", "--threads", "1", "--device", "cpu", "--quiet"]
CONTROLLED += ["--policy", "controlled", "--K", "2", "--tau", "0.5", "--finetune-epochs", "2"]
CONTROLLED += ["--initializer", "ZeroInit", "--learning-rate", "0.05"]
EASY = ["--policy-options", "alpha=0.9"]
"""Keeps about every growth that gained anything: both outcomes are seen."""


def files(folder):
    """The records that do not hold times, and the weights."""
    with (folder / "metrics.csv").open(newline="") as file:
        metrics = [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]
    weights = (folder / "weights.safetensors").read_bytes()
    return metrics, (folder / "growth.csv").read_text(), weights


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    from autogrow.cli.main import main

    folder = tmp_path_factory.mktemp("controlled") / "run"
    assert main([*CONTROLLED, *EASY, "--out", str(folder)]) in (0, None)
    return folder


def test_growths_are_kept_and_undone_as_the_records_say(whole, rows):
    require_finished(whole)
    metrics, growth = rows(whole / "metrics.csv"), rows(whole / "growth.csv")
    assert [*metrics[0]] == [*METRICS_HEADER, *TRIAL_HEADER]
    happened = {row["event"] for row in growth}
    assert {"grow", "undo", "stop", "done"} <= happened
    spec = read_spec(whole)
    curve = read_curve(whole / "metrics.csv", but=UNSEEN)
    events = replay(spec.growth_policy, (1, 1, 1), curve)
    assert [event.row() for event in events] == [list(row.values()) for row in growth]
    # Each epoch of a trial has a row of the twin, which is one sub-module less deep.
    for grown, twin in itertools.pairwise(metrics):
        if twin["phase"] == "twin":
            assert (grown["phase"], grown["epoch"], grown["lr"]) == (
                "growing", twin["epoch"], twin["lr"],
            )  # fmt: skip
            depths = [parse_depth(r["depth"], spec.architecture) for r in (grown, twin)]
            assert sum(depths[0]) - sum(depths[1]) == 1
            gained, lost = int(twin["trial_gained"]), int(twin["trial_lost"])
            difference = 100 * (gained - lost) / int(twin["trial_images"])
            measured = float(grown["val_accuracy"]) - float(twin["val_accuracy"])
            assert difference == pytest.approx(measured, abs=1e-3)


def test_a_twin_costs_what_it_computes(whole, rows):
    summary = json.loads((whole / "summary.json").read_text())
    metrics = rows(whole / "metrics.csv")
    twins = sum(row["phase"] == "twin" for row in metrics)
    growing = sum(row["phase"] == "growing" for row in metrics)
    assert summary["epochs"]["twin"] == twins > 0
    assert growing - twins == 2  # the seed network's own epochs
    assert summary["flops_growing"] + summary["flops_finetuning"] == summary["flops_training"]
    last = [row["depth"] for row in metrics if row["phase"] == "finetuning"][-1]
    assert summary["depth"] == last


@pytest.mark.parametrize("epochs", [3, 4, 7, 8, 11])
def test_an_interrupted_run_ends_as_one_in_one_go(whole, tmp_path, cli, epochs):
    """After the network's epoch, after the twin's, and after a growth was kept or undone."""
    command = [*CONTROLLED, *EASY, "--out", tmp_path / "run"]
    with interrupted_after(epochs):
        assert cli(*command).status != 0
    assert cli(*command).status in (0, None)
    assert files(tmp_path / "run") == files(whole)


def test_a_run_that_was_stopped_inside_a_twins_epoch_ends_the_same(whole, tmp_path, cli):
    from autogrow.training.epoch import Tally

    command = [*CONTROLLED, *EASY, "--out", tmp_path / "run", "--checkpoint-minutes", "1e-9"]
    with pytest.MonkeyPatch.context() as patch:
        added, add = [], Tally.add

        def interrupt(self, *arguments, **options):
            add(self, *arguments, **options)
            added.append(1)
            if len(added) == 75:
                raise KeyboardInterrupt

        patch.setattr(Tally, "add", interrupt)
        assert cli(*command).status != 0
    assert cli(*command).status in (0, None)
    assert files(tmp_path / "run") == files(whole)


def test_replay_tells_what_another_test_would_have_decided(whole, cli):
    told = cli("replay", "--run", whole, "--policy", "controlled", "periodic", "--J", "2")
    assert told.status in (0, None), told.err
    controlled, periodic = list(csv.DictReader(told.out.splitlines()))
    summary = json.loads((whole / "summary.json").read_text())
    assert (controlled["policy"], controlled["depth"]) == ("controlled", summary["depth"])
    assert controlled["first_difference"] == ""
    assert periodic["policy"] == "periodic"


def test_replay_refuses_options_that_no_policy_has(whole, mistake):
    line = mistake("replay", "--run", whole, "--policy", "periodic", "--policy-options", "alpha=1")
    assert "policy_options: found 'alpha' with periodic; allowed: none" in line


def test_without_a_twin_the_null_is_the_seed_network(whole, cli, tmp_path, rows):
    metrics = [row for row in rows(whole / "metrics.csv") if row["phase"] == "growing"]
    curve = tmp_path / "curve.csv"
    lines = [f"{row['epoch']},{row['val_accuracy']}" for row in metrics]
    curve.write_text("epoch,val_accuracy\n" + "\n".join(lines) + "\n")
    options = ["--network", "Basic3ResNet", "--policy", "controlled", "--K", "2"]
    told = cli("replay", *options, "--accuracies", curve)
    assert told.status in (0, None), told.err
    assert all(row.split(",")[3] != "2-2-1" for row in told.out.splitlines())
    assert "undo" in told.out
