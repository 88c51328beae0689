import json
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from made_up_summaries import write_result
from safetensors.numpy import load_file

from analysis.landscapes import snapshot_points
from analysis.landscapes.finished import finished_run
from analysis.landscapes.trained import training_images
from autogrow.files.seals import seal
from autogrow.runs.folder import load_network
from autogrow.training.epoch import evaluate

ROOT = Path(__file__).resolve().parents[2]
NO_BLOCKS = ["", "3", "0/3", "4/3", "1/0", "-1/3", "a/b", "1/3/5", "1 /3", "²/3"]


@pytest.mark.parametrize("options", [[], ["--images", 100], ["--images", 10**6]])
def test_the_centre_of_a_surface_is_the_network_on_its_training_images(
    surfaces, trained, tmp_path, rows, options
):
    told = surfaces("--run", trained, "--out", tmp_path / "s", "--points", 3, *options)
    assert told.status == 0, told.err
    found = [{k: float(v) for k, v in p.items()} for p in rows(tmp_path / "s/surface.csv")]
    assert [(p["x"], p["y"]) for p in found] == [(x, y) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    size = options[1] if options else None
    images = training_images(finished_run(trained), torch.device("cpu"), None, size)
    summary = json.loads((trained / "summary.json").read_text())
    assert len(images) == (100 if size == 100 else summary["data"]["training_images"])
    expected, _ = evaluate(load_network(trained), images)
    assert found[4]["loss"] == pytest.approx(expected.loss, rel=1e-6)
    assert found[4]["accuracy"] == expected.accuracy
    assert found[4]["loss"] < min(p["loss"] for i, p in enumerate(found) if i != 4)


def test_a_surface_in_blocks_or_interrupted_is_the_surface(surfaces, trained, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    options = ["--run", trained, "--points", 5, "--span", 0.5, "--seed", 3, "--images", 50]
    assert surfaces(*options, "--out", whole).status == 0
    for block in ("2/2", "1/2"):
        assert surfaces(*options, "--out", parts, "--block", block).status == 0
    assert not (parts / "surface.csv").exists()
    assert surfaces(*options, "--out", parts, "--gather", 2).status == 0
    expected = (parts / "surface.csv").read_bytes()
    assert expected == (whole / "surface.csv").read_bytes()
    (whole / "surface.csv").unlink()
    (whole / "blocks/4-of-5.csv").unlink()
    told = surfaces(*options, "--out", whole)
    assert [line.split()[2] for line in told.out.splitlines() if "points/s" in line] == ["4/5,"]
    assert (whole / "surface.csv").read_bytes() == expected


@pytest.mark.parametrize(
    "change", [["--seed", 1], ["--span", 2], ["--points", 5], ["--images", 40]]
)
def test_a_surface_of_other_settings_is_refused(surfaces, trained, tmp_path, one_line, change):
    options = ["--run", trained, "--out", tmp_path, "--points", 3, "--images", 50]
    assert surfaces(*options).status == 0
    before = (tmp_path / "surface.csv").read_bytes()
    for part in ([], ["--block", "1/3"], ["--gather", 3]):
        line = one_line(surfaces(*options, *change, *part))
        assert change[0].lstrip("-") in line
        assert "--restart" in line
    assert (tmp_path / "surface.csv").read_bytes() == before
    assert surfaces(*options, *change, "--restart").status == 0
    assert (tmp_path / "surface.csv").read_bytes() != before


def test_a_trajectory_ends_at_the_origin_and_lies_within_its_contour(
    trajectories, trained, tmp_path, rows
):
    told = trajectories("--run", trained, "--out", tmp_path, "--points", 4, "--images", 50)
    assert told.status == 0, told.err
    facts = json.loads((tmp_path / "plane.json").read_text())
    points = rows(tmp_path / "trajectory.csv")
    metrics = rows(trained / "metrics.csv")
    last = points[-1]
    assert (last["x"], last["y"]) == ("0", "0")
    assert (last["epoch"], last["phase"]) == (metrics[-1]["epoch"], "finetuning")
    assert facts["network"] == f"Basic3ResNet-{last['depth']}"
    assert [int(p["step"]) for p in points] == list(range(len(points)))
    assert [int(p["epoch"]) for p in points if p["grown"] == "0"] == list(range(len(metrics) + 1))
    grown = [p for p in points if p["grown"] == "1"]
    assert grown
    assert [p["epoch"] for p in grown] == [
        a["epoch"] for a, b in pairwise(metrics) if a["depth"] != b["depth"]
    ]
    for key in "xy":
        values = [float(p[key]) for p in points]
        low, high = facts[key]
        room = 0.15 * (max(values) - min(values))
        assert [low, high] == pytest.approx([min(values) - room, max(values) + room])
        axis = sorted({float(p[key]) for p in rows(tmp_path / "contour.csv")})
        assert axis == pytest.approx(np.linspace(low, high, 4))
    assert 0 < facts["explained_2"] <= facts["explained_1"] < 100


def test_the_plane_projects_the_snapshots_and_is_orthonormal(
    trajectories, trained, tmp_path, rows, monkeypatch
):
    """Also where the parameters of all snapshots are read in several blocks."""
    monkeypatch.setattr(snapshot_points, "BLOCK_BYTES", 2**14)
    assert trajectories("--run", trained, "--out", tmp_path, "--part", "plane").status == 0
    assert not (tmp_path / "contour.csv").exists()
    plane = load_file(tmp_path / "plane.safetensors")
    final = {n: p.detach().numpy() for n, p in load_network(trained).named_parameters()}
    assert plane.keys() == {f"{a}.{n}" for a in "xy" for n in final}
    x, y = (np.concatenate([plane[f"{a}.{n}"].ravel() for n in final]) for a in "xy")
    assert [x @ x, y @ y, x @ y] == pytest.approx([1, 1, 0], abs=1e-5)
    points = rows(tmp_path / "trajectory.csv")
    assert any(point["grown"] == "1" for point in points)
    fitted = json.loads((tmp_path / "plane.json").read_text())["fitted"]
    assert fitted == sum(point["grown"] == "0" for point in points)  # a snapshot each epoch
    for point in points[:-1]:
        grown = "-grown" if point["grown"] == "1" else ""
        file = trained / f"snapshots/{int(point['epoch']):05d}{grown}.safetensors"
        there = load_file(file)
        d = np.concatenate([(there.get(n, np.zeros_like(v)) - v).ravel() for n, v in final.items()])
        assert [d @ x, d @ y] == pytest.approx([float(point["x"]), float(point["y"])], abs=1e-3)


def test_a_contour_in_parts_is_the_contour(trajectories, trained, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    evaluation = ["--run", trained, "--images", 50]
    assert trajectories(*evaluation, "--out", whole, "--points", 3).status == 0
    for part in (["--part", "plane", "--points", 3], ["--block", "2/2"], ["--block", "1/2"]):
        assert trajectories(*evaluation, "--out", parts, *part).status == 0
    assert trajectories(*evaluation, "--out", parts, "--gather", 2).status == 0
    for name in ("contour.csv", "trajectory.csv", "plane.json", "settings.json"):
        assert (parts / name).read_bytes() == (whole / name).read_bytes()


def test_another_plane_is_refused_where_blocks_are(trajectories, trained, tmp_path, one_line):
    options = ["--run", trained, "--out", tmp_path, "--images", 50]
    assert trajectories(*options, "--points", 3).status == 0
    before = {f.name: f.read_bytes() for f in tmp_path.iterdir() if f.is_file()}
    for other in (["--points", 4], []):
        assert "--restart" in one_line(trajectories(*options, *other))
    line = one_line(trajectories(*options, "--points", 5, "--block", "1/3"))
    assert "--points: found 5" in line
    assert {f.name: f.read_bytes() for f in tmp_path.iterdir() if f.is_file()} == before
    assert trajectories(*options, "--points", 3).out.count("points/s") == 0
    assert trajectories(*options, "--points", 4, "--part", "plane").status == 0
    for part in (["--block", "1/3"], ["--gather", 3]):
        assert "--restart" in one_line(trajectories(*options, *part))
    assert trajectories(*options, "--points", 4, "--restart").out.count("points/s") == 4


def test_runs_that_have_no_trajectory(trajectories, run_copy, tmp_path, one_line):
    options = ["--run", run_copy, "--out", tmp_path / "out"]
    assert "plane.json: is not there" in one_line(trajectories(*options, "--block", "1/2"))
    files = sorted((run_copy / "snapshots").iterdir())
    more = shutil.copy(files[0], files[0].with_name("00099.safetensors"))
    assert f"{more}: is not sealed" in one_line(trajectories(*options))
    for file in [*files[1:], more]:
        file.unlink()
    seal(run_copy / "summary.json")
    assert "fewer than 3 points" in one_line(trajectories(*options))
    files[0].write_bytes(b"damaged")
    seal(run_copy / "summary.json")
    assert f"{files[0]}: broken or unreadable" in one_line(trajectories(*options))
    files[0].unlink()
    seal(run_copy / "summary.json")
    assert "no snapshots; train it with" in one_line(trajectories(*options))
    assert not (tmp_path / "out").exists()


def test_a_plane_of_other_weights(trajectories, run_copy, tmp_path, one_line):
    options = ["--run", run_copy, "--out", tmp_path / "out"]
    assert trajectories(*options, "--part", "plane", "--points", 3).status == 0
    plane = tmp_path / "out/plane.safetensors"
    content = plane.read_bytes()
    plane.write_bytes(content[:-1] + b"x")
    assert "does not belong to plane.json" in one_line(trajectories(*options, "--block", "1/2"))
    plane.write_bytes(content)
    with (run_copy / "weights.safetensors").open("r+b") as file:
        file.seek(-4, 2)
        file.write(bytes(4))
    seal(run_copy / "summary.json")
    assert "is of other weights" in one_line(trajectories(*options, "--block", "1/2"))


def test_folders_that_hold_no_finished_run_or_cannot_be_made(either, run_copy, tmp_path, one_line):
    def line(run=run_copy, out=tmp_path / "out"):
        return one_line(either("--run", run, "--out", out))

    assert "cannot be made" in line(out=run_copy / "spec.yaml")
    assert "holds no run" in line(tmp_path / "nowhere")
    for name, told in (("weights.safetensors", "no weights of a run"),
                       ("summary.json", "no summary of a finished run")):  # fmt: skip
        (run_copy / name).write_text("{}")
        seal(run_copy / "summary.json")
        assert f"{name}: {told}" in line()
    for file in run_copy.glob("summary.json*"):
        file.unlink()
    assert "is not finished" in line()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"network": "Basic3ResNet-9-9-9", "depth": "9-9-9"}, "network is Basic3ResNet-9-9-9"),
        ({"data": {"checksum": "0" * 64}}, "data 'digits' is not what this run was trained on"),
    ],
)
def test_weights_or_data_of_another_run(surfaces, run_copy, tmp_path, one_line, change, text):
    summary = json.loads((run_copy / "summary.json").read_text())
    change = change | ({"data": summary["data"] | change["data"]} if "data" in change else {})
    write_result(run_copy, summary | change)
    assert text in one_line(surfaces("--run", run_copy, "--out", tmp_path / "out"))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        *(([f"--block={text}"], "allowed: I/N with I from 1 to N") for text in NO_BLOCKS),
        (["--block", "1/9", "--points", "5"], "9 blocks of a grid of 5 rows; allowed: 1 to 5"),
        (["--gather", "9", "--points", "5"], "9 blocks of a grid of 5 rows; allowed: 1 to 5"),
        (["--gather", "0"], "allowed: a whole number from 1"),
        (["--gather", "2", "--block", "1/2"], "not allowed with"),
        (["--points", "4"], "--points: found 4; allowed: an odd number"),
        (["--points", "9" * 5000], "allowed: a whole number from 3"),
        (["--span", "nan"], "allowed: a number above 0"),
        (["--span", "0"], "allowed: a number above 0"),
        (["--seed", "-1"], "--seed"),
        (["--images", "0"], "allowed: a whole number from 1"),
        (["--threads", "0"], "allowed: a whole number from 1"),
        (["--device", "abacus"], "device: found 'abacus'"),
    ],
)
def test_options_that_are_mistakes(surfaces, trained, tmp_path, one_line, options, text):
    line = one_line(surfaces("--run", trained, "--out", tmp_path / "out", *options))
    assert text in line


def test_a_run_elsewhere_in_a_process_of_its_own(trained, tmp_path, rows):
    run = shutil.copytree(trained, tmp_path / "somewhere else")
    options = ["--out", "out", "--points", "3", "--images", "20", "--device", "cpu"]
    command = [sys.executable, "-m", "analysis", "surface", "--run", str(run), *options]
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert len(rows(tmp_path / "out/surface.csv")) == 9
