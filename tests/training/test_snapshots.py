"""Snapshots of a run's parameters: when, what, and after an interruption."""

import csv

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from autogrow.runs.folder import load_network
from autogrow.training import trainer


def names(out):
    return sorted(f.name for f in (out / "snapshots").glob("*.safetensors"))


def content(out):
    """Metadata and tensors of every snapshot, to the bit."""
    return {
        f.name: (metadata(f), {k: t.numpy().tobytes() for k, t in load_file(f).items()})
        for f in (out / "snapshots").iterdir()
    }


def metadata(file):
    with safe_open(file, "pt") as content:
        return content.metadata()


def test_there_are_none_unless_asked_for(tiny, cli, tmp_path):
    assert cli(*tiny.train, "--out", tmp_path / "run").status == 0
    assert not (tmp_path / "run" / "snapshots").exists()


def test_every_n_epochs_and_around_each_growth(tiny, cli, tmp_path):
    out = tmp_path / "run"
    assert cli(*tiny.grow, "--K", "2", "--snapshots", "3", "--out", out).status == 0
    with (out / "growth.csv").open(newline="") as file:
        events = list(csv.DictReader(file))
    with (out / "metrics.csv").open(newline="") as file:
        epochs = list(csv.DictReader(file))
    growths = {int(e["epoch"]) for e in events if e["event"] == "grow"}
    assert len(growths) > 1
    usual = {e for e in range(len(epochs) + 1) if e % 3 == 0}
    wanted = {f"{e:05d}.safetensors" for e in usual | growths}
    wanted |= {f"{e:05d}-grown.safetensors" for e in growths}
    assert names(out) == sorted(wanted)
    phases = {0: "seed"} | {int(e["epoch"]): e["phase"] for e in epochs}
    depths = {int(e["epoch"]): e["depth"] for e in epochs}
    for name in wanted:
        told = metadata(out / "snapshots" / name)
        epoch = int(told["epoch"])
        assert told["phase"] == phases[epoch]
        grown = name.endswith("-grown.safetensors")
        assert told["depth"] == depths.get(epoch + 1 if grown else max(epoch, 1))


def test_the_last_epochs_snapshot_is_the_final_network_and_the_first_is_the_seed(
    tiny, cli, tmp_path
):
    out = tmp_path / "run"
    assert cli(*tiny.train, "--snapshots", "4", "--out", out).status == 0
    assert names(out) == ["00000.safetensors", "00004.safetensors"]
    parameters = dict(load_network(out).named_parameters())
    last = load_file(out / "snapshots" / "00004.safetensors")
    first = load_file(out / "snapshots" / "00000.safetensors")
    assert set(last) == set(first) == set(parameters)
    assert all(torch.equal(last[k], p) for k, p in parameters.items())
    assert not all(torch.equal(first[k], p) for k, p in parameters.items())


def test_a_growth_leaves_the_old_parameters_as_they_are(tiny, cli, tmp_path):
    for kind in ("grow", "morph"):
        out = tmp_path / kind
        assert cli(*getattr(tiny, kind), "--snapshots", "100", "--out", out).status == 0
        [*grown] = [n for n in names(out) if n.endswith("-grown.safetensors")]
        assert grown
        for name in grown:
            after = load_file(out / "snapshots" / name)
            before = load_file(out / "snapshots" / name.replace("-grown", ""))
            assert set(before) < set(after)
            assert all(torch.equal(after[k], t) for k, t in before.items())


@pytest.mark.parametrize("kind", ["train", "morph", "grow"])
def test_an_interrupted_run_ends_with_the_same_snapshots(tiny, cli, tmp_path, monkeypatch, kind):
    command = (*getattr(tiny, kind), "--snapshots", "1")
    assert cli(*command, "--out", tmp_path / "whole").status == 0
    train_epoch = trainer.train_epoch

    class KilledError(Exception):
        pass

    for stop in (1, 3):
        left = stop

        def killed(*arguments, **options):
            nonlocal left
            if left == 0:
                raise KilledError
            left -= 1
            return train_epoch(*arguments, **options)

        out = tmp_path / f"stopped{stop}"
        monkeypatch.setattr(trainer, "train_epoch", killed)
        with pytest.raises(KilledError):
            cli(*command, "--out", out)
        monkeypatch.setattr(trainer, "train_epoch", train_epoch)
        assert cli(*command, "--out", out).status == 0
        assert content(out) == content(tmp_path / "whole")


def test_restart_throws_them_away(tiny, cli, tmp_path):
    out = tmp_path / "run"
    assert cli(*tiny.train, "--snapshots", "1", "--out", out).status == 0
    assert cli(*tiny.train, "--snapshots", "2", "--replace", "--out", out).status == 0
    assert names(out) == [f"{e:05d}.safetensors" for e in (0, 2, 4)]
