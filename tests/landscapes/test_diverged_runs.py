"""Trajectories and surfaces of runs that diverged: no traceback, and no loss that is made up."""

import json
import math

import numpy as np
import pytest
from diverged import diverge
from made_up_summaries import write_result
from safetensors.numpy import load_file

from analysis.landscapes.finished import finished_run
from autogrow.files.seals import seal


@pytest.fixture
def no_losses(rows):
    """Check that a grid of 3 x 3 points has no losses."""

    def check(file):
        losses = [float(row["loss"]) for row in rows(file)]
        assert len(losses) == 9
        assert all(map(math.isnan, losses))

    return check


def test_a_surface_of_a_run_that_diverged_is_a_grid_without_losses(
    surfaces, run_copy, tmp_path, no_losses
):
    diverge(run_copy, 3)
    options = ["--run", run_copy, "--out", tmp_path / "s", "--points", 3]
    told = surfaces(*options)
    assert (told.status, told.err) == (0, "")
    assert f"{run_copy}: diverged in epoch 3: no loss around its network" in told.out
    no_losses(tmp_path / "s/surface.csv")
    assert surfaces(*options).out.count("points/s") == 0


@pytest.mark.parametrize("late", [False, True])
def test_a_trajectory_ends_at_the_last_snapshot_before_the_divergence(
    trajectories, run_copy, tmp_path, rows, no_losses, late
):
    """Also while growing: then the last network is smaller than the run would have found."""
    epoch = finished_run(run_copy).summary.epochs["growing"] + 2 if late else 4
    assert epoch > 3
    diverge(run_copy, epoch)
    out = tmp_path / "t"
    plane = ["--part", "plane", "--points", 3]
    for part in (plane, ["--block", "1/2"], ["--block", "2/2"], ["--gather", 2]):
        told = trajectories("--run", run_copy, "--out", out, *part)
        assert (told.status, told.err) == (0, "")
    points = rows(out / "trajectory.csv")
    assert [int(p["epoch"]) for p in points if p["grown"] == "0"] == list(range(epoch))
    assert (points[-1]["x"], points[-1]["y"]) == ("0", "0")
    x, y = ([float(p[axis]) for p in points] for axis in "xy")
    assert np.isfinite(x + y).all()
    assert len(set(x)) == len(points)
    facts = json.loads((out / "plane.json").read_text())
    assert facts["snapshots"] == len(points)
    assert facts["x"][0] < min(x) < max(x) < facts["x"][1]
    grown = "-grown" if points[-1]["grown"] == "1" else ""
    last = load_file(run_copy / f"snapshots/{epoch - 1:05d}{grown}.safetensors")
    assert {n[2:] for n in load_file(out / "plane.safetensors")} == set(last)
    no_losses(out / "contour.csv")
    assert trajectories("--run", run_copy, "--out", out, "--points", 3).out.count("points/s") == 3


@pytest.mark.parametrize("epoch", [1, 2])
def test_too_few_snapshots_before_the_divergence_leave_no_plane(
    trajectories, run_copy, tmp_path, rows, no_losses, epoch
):
    diverge(run_copy, epoch)
    for file in run_copy.glob("snapshots/*-grown.safetensors"):
        file.unlink()
    seal(run_copy / "summary.json")
    out = tmp_path / "t"
    told = trajectories("--run", run_copy, "--out", out, "--points", 3)
    assert (told.status, told.err) == (0, "")
    points = rows(out / "trajectory.csv")
    assert [(p["epoch"], p["x"], p["y"]) for p in points] == [
        (str(n), "nan", "nan") for n in range(epoch)
    ]
    facts = json.loads((out / "plane.json").read_text())
    assert (facts["explained_1"], facts["explained_2"]) == (None, None)
    assert (facts["x"], facts["y"]) == ([-1, 1], [-1, 1])
    assert load_file(out / "plane.safetensors") == {}
    no_losses(out / "contour.csv")


def test_a_complete_run_with_weights_that_are_not_finite_is_refused(
    trajectories, run_copy, tmp_path, one_line
):
    before = (run_copy / "summary.json").read_text()
    diverge(run_copy, finished_run(run_copy).summary.own_epochs)
    write_result(run_copy, before)
    told = trajectories("--run", run_copy, "--out", tmp_path / "t")
    assert "the final network has values that are not finite" in one_line(told)
