"""Snapshots of a run's parameters: when, and what. After an interruption: see tests/crashes."""

import pytest
import torch
from run_results import read
from safetensors import safe_open
from safetensors.torch import load_file

from autogrow.runs.folder import load_network


def names(out):
    return sorted(f.name for f in (out / "snapshots").glob("*.safetensors"))


def test_every_n_epochs_and_around_each_growth(tiny, cli, tmp_path):
    out = tmp_path / "run"
    assert cli(*tiny.grow, "--K", "2", "--snapshots", "3", "--out", out).status == 0
    growths = {int(e["epoch"]) for e in read(out / "growth.csv") if e["event"] == "grow"}
    assert len(growths) > 1
    epochs = read(out / "metrics.csv")
    usual = set(range(0, len(epochs) + 1, 3))
    wanted = {f"{e:05d}.safetensors" for e in usual | growths}
    wanted |= {f"{e:05d}-grown.safetensors" for e in growths}
    assert names(out) == sorted(wanted)
    phases = {0: "seed"} | {int(e["epoch"]): e["phase"] for e in epochs}
    depths = {int(e["epoch"]): e["depth"] for e in epochs}
    for name in wanted:
        with safe_open(out / "snapshots" / name, "pt") as content:
            told = content.metadata()
        epoch = int(told["epoch"])
        assert told["phase"] == phases[epoch]
        grown = name.endswith("-grown.safetensors")
        assert told["depth"] == depths.get(epoch + 1 if grown else max(epoch, 1))


def test_the_first_is_the_seed_the_last_the_final_network_and_a_new_run_replaces_them(
    tiny, cli, tmp_path
):
    out = tmp_path / "run"
    assert cli(*tiny.train, "--out", out).status == 0
    assert not (out / "snapshots").exists()
    assert cli(*tiny.train, "--snapshots", "1", "--replace", "--out", out).status == 0
    assert names(out) == [f"{e:05d}.safetensors" for e in range(5)]
    assert cli(*tiny.train, "--snapshots", "4", "--replace", "--out", out).status == 0
    assert names(out) == ["00000.safetensors", "00004.safetensors"]
    first, last = (load_file(out / "snapshots" / name) for name in names(out))
    parameters = dict(load_network(out).named_parameters())
    assert set(last) == set(first) == set(parameters)
    assert all(torch.equal(last[k], p) for k, p in parameters.items())
    assert not all(torch.equal(first[k], p) for k, p in parameters.items())


@pytest.mark.parametrize("kind", ["grow", "morph"])
def test_a_growth_leaves_the_old_parameters_as_they_are(tiny, cli, tmp_path, kind):
    out = tmp_path / kind
    assert cli(*getattr(tiny, kind), "--snapshots", "100", "--out", out).status == 0
    grown = list((out / "snapshots").glob("*-grown.safetensors"))
    assert grown
    for file in grown:
        after = load_file(file)
        before = load_file(file.with_name(file.name.replace("-grown", "")))
        assert set(before) < set(after)
        assert all(torch.equal(after[k], t) for k, t in before.items())
