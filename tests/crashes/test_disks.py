"""No space left, a read-only folder, vanished data: one line, and all that was there is intact."""

import shutil

import numpy as np
import pytest
from mounts import fill, read_only, small_disk
from run_results import listing

from autogrow.training import checkpoint

AT = ("autogrow.training.optimizer", "SGD.step", "after", 28)


@pytest.fixture
def small(tmp_path):
    with small_disk(tmp_path / "disk", 4096) as disk:
        yield disk


@pytest.mark.parametrize("left", [0, 4096, 3 * 4096, 10 * 4096, 20 * 4096])
def test_a_disk_that_fills_up(run_of, small, left):
    """However little is left: whatever does not fit any more, the checkpoints are whole."""
    run = run_of("autogrow", small / "run").killed(AT)
    assert len(checkpoint.files(run.out)) == 2
    others = fill(small, leave=left)
    run.ends_in_one_line("No space left on device", run.out)
    assert checkpoint.load_latest(run.out, pytest.fail) is not None
    others.unlink()
    run.finishes()


def test_a_disk_that_is_full_from_the_start(run_of, small):
    fill(small)
    run_of("scratch", small / "run").ends_in_one_line("No space left on device")


def test_a_read_only_folder(run_of, undisturbed, forks, tmp_path):
    disk = tmp_path / "disk"
    run = run_of("autogrow", disk / "run").killed(AT)
    finished = run_of("scratch", disk / "finished")
    shutil.copytree(undisturbed("scratch")[0], finished.out)
    before = [listing(out) for out in (run.out, finished.out)]
    with read_only(disk):
        run.ends_in_one_line("Read-only file system")
        run_of("scratch", disk / "another").ends_in_one_line("Read-only file system")
        assert finished() in (0, 2)
        assert "Traceback" not in forks.told
    assert [listing(out) for out in (run.out, finished.out)] == before
    run.finishes()


def test_data_that_vanished_between_two_starts(run_of, tmp_path):
    file, rng = tmp_path / "images.npz", np.random.default_rng(0)
    images = {f"x_{s}": rng.integers(0, 256, (80, 8, 8), dtype=np.uint8) for s in ("train", "test")}
    np.savez(file, **images, y_train=np.arange(80) % 2, y_test=np.arange(80) % 2)
    run, whole = run_of("scratch"), run_of("scratch", tmp_path / "whole")
    for each in (run, whole):
        each.command += ["--data", f"npz:{file}", "--data-fraction", "1"]
    assert whole() == 0, whole.forks.told
    run.whole = lambda: (whole.out, None)
    run.killed((*AT[:3], 5))
    before = listing(run.out, but=["lock"])
    file.rename(tmp_path / "elsewhere")
    run.ends_in_one_line(file)
    assert listing(run.out, but=["lock"]) == before
    (tmp_path / "elsewhere").rename(file)
    run.finishes()
