"""Same spec and seed, same bits: from whatever folder, under whatever conditions."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from run_results import metrics, read, results

GOLDEN = Path(__file__).with_name("golden")


def test_hash_seed_folder_and_other_jobs_do_not_matter(tiny, cli, command, tmp_path):
    arguments = [*tiny.grow, "--initializer", "AdamInit"]
    assert cli(*arguments, "--out", tmp_path / "here").status == 0
    here = results(tmp_path / "here")
    burn = "import torch\nwhile True: torch.rand(500, 500) @ torch.rand(500, 500)"
    other = subprocess.Popen([sys.executable, "-c", burn])
    try:
        folder = tmp_path / "another folder"
        folder.mkdir()
        environment = {**os.environ, "PYTHONHASHSEED": "4294967295"}
        done = command(*arguments, "--out", "run", cwd=folder, env=environment)
        assert done.returncode == 0, done.stderr
        assert results(folder / "run") == here
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("grow", ["--initializer", "UniInit"]),  # of what is grown after the second epoch
        ("grow", ["--finetune-epochs", "2"]),
        ("grow", ["--K", "2", "--J", "4"]),
        ("grow", ["--tau", "20"]),
        ("converge", ["--initializer", "UniInit"]),
        ("train", ["--epochs", "8"]),
    ],
)
def test_a_changed_setting_does_not_shift_what_it_does_not_concern(
    tiny, cli, tmp_path, kind, changed
):
    """Initial weights, data order and augmentation are what they were."""
    arguments = [*getattr(tiny, kind), "--crop-padding", "1", "--flip"]
    arguments += ["--K", "2", "--J", "2"] if kind == "grow" else []
    for name, more in (("one", []), ("other", changed)):
        assert cli(*arguments, *more, "--out", tmp_path / name).status == 0
    assert metrics(tmp_path / "other")[:2] == metrics(tmp_path / "one")[:2]


def test_new_sub_modules_depend_on_their_place_alone(tiny, cli, tmp_path):
    """The sub-module stacked on (2, 1, 1) is the same whatever was trained before."""
    from safetensors.torch import load_file

    stacked = []
    for name, more in (("one", []), ("other", ["--K", "2", "--J", "4", "--learning-rate", "0.01"])):
        out = tmp_path / name
        assert cli(*tiny.grow, *more, "--snapshots", "1", "--out", out).status == 0
        tensors = load_file(min((out / "snapshots").glob("*-grown.safetensors")))
        stacked.append({k: t for k, t in tensors.items() if k.startswith("sub_networks.0.1")})
    assert stacked[0]
    torch.testing.assert_close(*stacked, rtol=0, atol=0)


def assert_golden(out, name, tolerance, accuracies=True):
    """Compare a run's first epochs with a recorded curve; losses within the tolerance."""
    golden = read(GOLDEN / f"{name}-metrics.csv")
    now = metrics(out)[: len(golden)]
    same = ["epoch", "phase", "depth", "lr"]
    same += ["train_accuracy", "val_accuracy"] if accuracies else []
    for ours, theirs in zip(now, golden, strict=True):
        for column in ("train_loss", "val_loss"):
            assert float(ours[column]) == pytest.approx(float(theirs[column]), abs=tolerance)
        assert [ours[column] for column in same] == [theirs[column] for column in same]


def test_on_any_machine_in_float64(tiny, cli, tmp_path, monkeypatch):
    """What differs between processors is too small here to be seen, or to change a decision."""
    from autogrow.batches import in_memory as batches

    normalised = batches.normalised
    monkeypatch.setattr(batches, "normalised", lambda *images: normalised(*images).double())
    torch.set_default_dtype(torch.float64)
    try:
        assert cli(*tiny.grow, "--out", tmp_path / "run").status == 0
    finally:
        torch.set_default_dtype(torch.float32)
    assert len(metrics(tmp_path / "run")) == len(read(GOLDEN / "float64-metrics.csv"))
    assert_golden(tmp_path / "run", "float64", tolerance=1.000001e-6)
    growth = (tmp_path / "run" / "growth.csv").read_text()
    assert growth == (GOLDEN / "float64-growth.csv").read_text()


def test_on_any_machine_a_run_begins_as_it_always_has(tiny, cli, tmp_path):
    """The first fifteen steps of a float32 run, two growths among them.

    Processors round differently, and training amplifies that: about tenfold in five steps, so
    that runs on two of them are strangers after thirty. Over fifteen steps 6e-8 becomes less
    than 1e-4; other weights, batches or learning rates shift the losses a hundred times as far.
    """
    assert cli(*tiny.grow, "--out", tmp_path / "run").status == 0
    assert_golden(tmp_path / "run", "float32", tolerance=1e-4, accuracies=False)
