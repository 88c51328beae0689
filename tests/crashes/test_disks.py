"""No space left, a read-only folder, vanished data: one line, and all that was there is intact."""

import shutil

import pytest
from mounts import fill, read_only, small_disk
from run_results import listing

from autogrow.training import checkpoint

AT = ("autogrow.training.optimizer", "SGD.step", "after", 50)


@pytest.fixture
def small(tmp_path):
    with small_disk(tmp_path / "disk", 4096) as disk:
        yield disk


@pytest.mark.parametrize("left", [0, 4096, 3 * 4096, 10 * 4096, 40 * 4096])
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


def test_data_that_vanished_between_two_starts(run_of, tmp_path, image_folder):
    more = ["--data", f"folder:{image_folder}", "--data-fraction", "1"]
    run, whole = run_of("scratch"), run_of("scratch", tmp_path / "whole")
    for each in (run, whole):
        each.command += more
    assert whole() == 0
    run.whole = lambda: (whole.out, None)
    run.killed((*AT[:3], 5))
    before = listing(run.out, but=["lock"])
    image_folder.rename(tmp_path / "elsewhere")
    run.ends_in_one_line(image_folder)
    assert listing(run.out, but=["lock"]) == before
    (tmp_path / "elsewhere").rename(image_folder)
    run.finishes()


@pytest.fixture
def image_folder(tmp_path):
    """A small image folder of two classes."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    for split, count in (("train", 40), ("test", 10)):
        for label in ("a", "b"):
            place = tmp_path / "images" / split / label
            place.mkdir(parents=True)
            for i in range(count):
                pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(place / f"{i}.png")
    return tmp_path / "images"
