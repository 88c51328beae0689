"""A loss that is not finite is a result: the run ends with the status ``diverged``."""

import json
import math
import signal

import pytest
from run_results import metrics, results, summary

from autogrow.files.yaml import read_yaml
from autogrow.growth.algorithm import Growth
from autogrow.growth.policies import ConvergentGrowth, PeriodicGrowth
from autogrow.training import trainer
from autogrow.training.epoch import Score

# Each step makes the weights 999 times larger: they overflow within a few epochs.
HOT = ["--learning-rate", "1000", "--weight-decay", "1"]


@pytest.fixture
def commands(tiny):
    plain = ["--network", "Plain3Net"]
    return {
        "scratch": [*tiny.train, "--network", "Plain3Net-1-2-1", *HOT],
        "morph": [*tiny.morph, "--from", "Plain3Net-1-1-1", "--to", "Plain3Net-2-1-3", *HOT],
        "autogrow": [*tiny.grow, *plain, *HOT],
        "convergent": [*tiny.converge, *plain, *HOT],
    }


@pytest.mark.parametrize("kind", ["scratch", "morph", "autogrow", "convergent"])
def test_the_run_ends_as_diverged(commands, cli, tmp_path, kind):
    out = tmp_path / "run"
    assert cli(*commands[kind], "--out", out).status == 0
    found, rows = summary(out), metrics(out)
    assert found["status"] == "diverged"
    json.dumps(found, allow_nan=False)
    finite = [r for r in rows if math.isfinite(float(r["train_loss"]) + float(r["val_loss"]))]
    first = rows[int(finite[-1]["epoch"]) if finite else 0]
    assert found["diverged_after"] == int(first["epoch"])
    assert (first["val_accuracy"], first["test_accuracy"]) == ("nan", "nan")
    if finite:
        assert found["best_val_accuracy"] == float(finite[-1]["best_val_accuracy"])
    else:
        assert found["best_accuracy"] is found["final_accuracy"] is None
    if kind in ("scratch", "morph"):
        assert not math.isfinite(float(rows[-1]["train_loss"]))
        assert all(math.isfinite(float(r["train_loss"])) for r in rows[:-1])  # it ends there
    assert "diverged" in (out / "log.txt").read_text()
    assert not list(out.glob("checkpoint-*"))
    before = results(out)
    assert cli(*commands[kind], "--out", out).status == 0  # it is finished
    assert results(out) == before


@pytest.mark.parametrize(
    ("batch_size", "told"),
    [("64", "test accuracy 10.00 % at the end, 10.00 % at best; "), ("8", "none; ")],
)
def test_the_command_says_so(commands, cli, tmp_path, batch_size, told):
    command = [a for a in commands["scratch"] if a != "--quiet"]
    done = cli(*command, "--batch-size", batch_size, "--out", tmp_path / "run")
    assert (done.status, done.out.count("\n")) == (0, 1)
    first = summary(tmp_path / "run")["diverged_after"]
    assert f"diverged: no finite loss from epoch {first} on; before: {told}" in done.out


@pytest.mark.parametrize("kind", ["autogrow", "convergent"])
def test_growing_ends_with_the_weights_and_a_replay_tells_the_same(commands, cli, tmp_path, kind):
    """A policy that waits for 100000 epochs does not: nothing asks it any more."""
    out = tmp_path / "run"
    patient = ["--J", "100000"] if kind == "autogrow" else []
    assert cli(*commands[kind], *patient, "--out", out).status == 0
    assert (out / "log.txt").read_text().splitlines()[-1].endswith("nothing more can be learned")
    growth = (out / "growth.csv").read_text()
    if len(growth.splitlines()) > 1:
        assert growth.splitlines()[-1].split(",")[-1] == summary(out)["depth"]
    spec = read_yaml(out / "spec.yaml")
    settings = ["--policy", spec["policy"], "--K", spec["K"], "--tau", spec["tau"]]
    settings += ["--J", spec["J"]] if spec["J"] else []
    told = cli("replay", "--network", "Plain3Net", *settings, "--accuracies", out / "metrics.csv")
    assert (told.status, told.out) == (0, growth)
    assert all(r["phase"] == "growing" for r in metrics(out))  # nothing was left to fine-tune


@pytest.mark.parametrize("kind", ["scratch", "autogrow"])
def test_killed_after_it_diverged_it_ends_the_same(commands, forks, tmp_path, kind):
    assert forks([*commands[kind], "--out", tmp_path / "whole"]) == 0
    for number, at in enumerate(
        [
            ("autogrow.training.state", "State.look_whether_dead", "after", 1),
            ("autogrow.training.pauses", "Pauses.epoch_is_done", "after", 2),
        ]
    ):
        command = [*commands[kind], "--out", tmp_path / f"run{number}"]
        assert forks(command, at=[*at, signal.SIGKILL]) == -signal.SIGKILL
        assert forks(command) == 0
        assert results(tmp_path / f"run{number}") == results(tmp_path / "whole")


@pytest.mark.parametrize("policy", [PeriodicGrowth(2, 4, 0.5), ConvergentGrowth(2, 0.5)])
def test_nan_is_no_improvement(policy):
    curve = [30.0, 50.0, math.nan, math.nan, 60.0, math.nan, 60.1] + [math.nan] * 60
    with_nan, flat = Growth(policy, (1, 1, 1)), Growth(policy, (1, 1, 1))
    for accuracy in curve:
        if not with_nan.done:
            assert with_nan.observe(accuracy) == flat.observe(
                0.0 if math.isnan(accuracy) else accuracy
            )
    assert with_nan.done
    assert all(math.isfinite(m) for m in with_nan.maximum)


def test_a_run_may_recover_while_it_grows(tiny, cli, tmp_path, monkeypatch):
    """One batch's loss overflows; the weights stay finite, and growing goes on."""
    train_epoch, calls = trainer.train_epoch, iter(range(100))

    def overflowing(*arguments, **options):
        score = train_epoch(*arguments, **options)
        return Score(math.inf, score.accuracy) if next(calls) == 1 else score

    monkeypatch.setattr(trainer, "train_epoch", overflowing)
    out = tmp_path / "run"
    assert cli(*tiny.grow, "--out", out).status == 0
    rows = metrics(out)
    assert [r["val_accuracy"] == "nan" for r in rows].count(True) == 1
    assert rows[1]["train_loss"] == "inf"
    found = summary(out)
    assert (found["status"], found["diverged_after"]) == ("complete", None)
    assert rows[-1]["phase"] == "finetuning"
