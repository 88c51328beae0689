"""Landscapes on full and read-only disks, from vanished data and from damaged files."""

import numpy as np
import pytest
from damage import contents, flipped, told_in_one_line, truncated
from mounts import fill, read_only, small_disk

SMALL = ("--points", 3, "--images", 20)


@pytest.fixture
def refused(one_line):
    """Check that a command was refused and changed nothing in a folder."""

    def check(folder, call, told_of):
        before = contents(folder)
        line = one_line(call())
        assert told_of in line, line
        assert {f: c for f, c in contents(folder).items() if f in before} == before

    return check


def test_a_full_disk(either, trained, tmp_path, refused):
    with small_disk(tmp_path / "disk", 1024) as disk:
        options = ["--run", trained, "--out", disk / "out", *SMALL]
        statuses = []
        for pages in range(0, 250, 8):
            others = fill(disk, leave=pages * 4096)
            before = contents(disk / "out")
            told = either(*options)
            statuses.append(told.status)
            if told.status == 0:
                break
            assert told.err.count("\n") == 1
            assert "No space left on device" in told.err
            assert str(disk / "out") in told.err
            after = contents(disk / "out")
            assert {f: after[f] for f in before} == before
            assert not [f for f in after if f.suffix == ".tmp"]
            others.unlink()
        # Each call continued what the one before had room for.
        assert statuses[-1] == 0
        assert len(statuses) > 1
        assert either("--run", trained, "--out", tmp_path / "out", *SMALL).status == 0
        found, whole = (
            {f.relative_to(out): c for f, c in contents(out).items()}
            for out in (disk / "out", tmp_path / "out")
        )
        assert found == whole
        # Another grid would throw this one away, and has no room.
        fill(disk)
        other = [*options[:4], "--points", 5, "--images", 20, "--restart"]
        refused(disk / "out", lambda: either(*other), "No space left on device")


def test_a_disk_that_is_read_only(either, trained, tmp_path, refused):
    out = tmp_path / "out"
    options = ["--run", trained, "--out", out, *SMALL]
    out.mkdir()
    with read_only(out):
        refused(out, lambda: either(*options), "Read-only file system")
    assert either(*options).status == 0
    with read_only(out):
        other = [*options[:4], "--points", 5, "--images", 20, "--restart"]
        refused(out, lambda: either(*other), "Read-only file system")


def test_data_that_vanished(cli, surfaces, tiny, tmp_path, one_line):
    file, run = tmp_path / "images.npz", tmp_path / "run"
    noise = np.random.default_rng(0).integers(0, 256, (80, 8, 8, 1), np.uint8)
    labels = np.arange(80) % 3
    np.savez(file, x_train=noise[:64], x_test=noise[64:], y_train=labels[:64], y_test=labels[64:])
    options = [o for o in tiny.train if o not in ("--data", "digits", "--data-fraction", "0.2")]
    assert cli(*options, "--data", f"npz:{file}", "--out", run).status == 0
    arguments = ["--run", run, "--out", tmp_path / "out", "--points", 3]
    assert surfaces(*arguments, "--block", "1/3").status == 0
    before = contents(tmp_path / "out")
    file.rename(tmp_path / "elsewhere.npz")
    assert str(file) in one_line(surfaces(*arguments))
    assert contents(tmp_path / "out") == before
    (tmp_path / "elsewhere.npz").rename(file)
    assert surfaces(*arguments).status == 0


@pytest.mark.parametrize(
    ("name", "file", "times"),
    [
        ("surfaces", "summary.json", 30),
        ("surfaces", "spec.yaml", 30),
        ("surfaces", "weights.safetensors", 30),
        ("trajectories", "weights.safetensors", 15),
        ("trajectories", "snapshots/00002.safetensors", 15),
    ],
)
def test_damaged_files_of_the_run(request, name, run_copy, tmp_path, file, times):
    command = request.getfixturevalue(name)
    file = run_copy / file
    content = file.read_bytes()
    arguments = ["--run", run_copy, "--out", tmp_path / "out", *SMALL]
    for damaged in [*truncated(content, times), *flipped(content, times)]:
        file.write_bytes(damaged)
        told_in_one_line(command(*arguments), file)
        told_in_one_line(command(*arguments, "--restart"), file)


@pytest.mark.parametrize(
    "file", ["plane.json", "plane.safetensors", "settings.json", "blocks/2-of-3.csv"]
)
def test_damaged_files_of_the_landscape(trajectories, trained, tmp_path, file):
    out = tmp_path / "out"
    arguments = ["--run", trained, "--out", out, *SMALL]
    assert trajectories(*arguments).status == 0
    file = out / file
    content, result = file.read_bytes(), (out / "contour.csv").read_bytes()
    options = ["--run", trained, "--out", out, "--images", 20]
    if file.parent.name == "blocks":
        options += ["--gather", 3]
    else:
        # The block that is asked for is missing: each of the other files is read.
        options += ["--block", "1/3"]
        (out / "blocks/1-of-3.csv").unlink()
    for damaged in [None, *truncated(content, 30)]:
        file.unlink(missing_ok=True)
        if damaged is not None:
            if damaged.strip() == content.strip() and file.suffix == ".json":
                continue
            file.write_bytes(damaged)
        told_in_one_line(trajectories(*options), file)
        assert (out / "contour.csv").read_bytes() == result
    for damaged in flipped(content, 30):
        file.write_bytes(damaged)
        told = trajectories(*options)
        if told.status or file.name != "settings.json":  # which may mean the same
            told_in_one_line(told, out)
        if file.parent.name != "blocks":
            (out / "blocks/1-of-3.csv").unlink(missing_ok=True)
    file.write_bytes(content)
    assert trajectories(*arguments).status == 0
    assert (out / "contour.csv").read_bytes() == result
