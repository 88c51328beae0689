"""No space left, a read-only folder, vanished data: one line, and all that was there is intact."""

import shutil
import signal

import pytest
from mounts import fill, read_only, small_disk
from run_results import listing, results

from autogrow.training import checkpoint


@pytest.fixture
def small(tmp_path):
    with small_disk(tmp_path / "disk", 4096) as disk:
        yield disk


@pytest.fixture
def broken_off(forks, cases):
    """Start a growing run and kill it when it has two checkpoints."""

    def make(out):
        at = ["autogrow.training.optimizer", "SGD.step", "after", 50, signal.SIGKILL]
        assert forks([*cases["autogrow"], "--out", out], at=at) == -signal.SIGKILL
        assert len(checkpoint.files(out)) == 2
        return out

    return make


def one_line(forks, status=2):
    told = forks.told
    assert told.count("\n") == 1, told
    assert "Traceback" not in told
    assert told.startswith("autogrow: error: ")
    return told


@pytest.mark.parametrize("left", [0, 4096, 3 * 4096, 10 * 4096, 40 * 4096])
def test_a_disk_that_fills_up(forks, cases, undisturbed, broken_off, small, left):
    """However little is left: whatever does not fit any more, the checkpoints are whole."""
    whole, _ = undisturbed("autogrow")
    out = broken_off(small / "run")
    others = fill(small, leave=left)
    command = [*cases["autogrow"], "--out", out]
    assert forks(command) == 2, forks.told
    assert "No space left on device" in one_line(forks)
    assert str(out) in forks.told
    assert checkpoint.load_latest(out, pytest.fail) is not None
    others.unlink()
    assert forks(command) == 0, forks.told
    assert results(out) == results(whole)


def test_a_disk_that_is_full_from_the_start(forks, cases, small):
    fill(small)
    assert forks([*cases["scratch"], "--out", small / "run"]) == 2
    assert "No space left on device" in one_line(forks)


def test_a_read_only_folder(forks, cases, broken_off, undisturbed, tmp_path):
    out = broken_off(tmp_path / "disk" / "run")
    before = listing(out)
    command = [*cases["autogrow"], "--out", out]
    with read_only(tmp_path / "disk"):
        assert forks(command) == 2
        assert "Read-only file system" in one_line(forks)
        assert forks([*cases["scratch"], "--out", tmp_path / "disk" / "another"]) == 2
        assert "Read-only file system" in one_line(forks)
    assert listing(out) == before
    assert forks(command) == 0, forks.told
    assert results(out) == results(undisturbed("autogrow")[0])


def test_a_read_only_finished_run_is_still_complete(forks, cases, undisturbed, tmp_path):
    out = tmp_path / "disk" / "run"
    shutil.copytree(undisturbed("scratch")[0], out)
    before = listing(out)
    with read_only(tmp_path / "disk"):
        assert forks([*cases["scratch"], "--out", out]) in (0, 2)
        assert "Traceback" not in forks.told
    assert listing(out) == before


def test_data_that_vanished_between_two_starts(forks, cases, tmp_path, rng_images):
    data = rng_images(tmp_path / "images")
    command = [*cases["scratch"], "--data", f"folder:{data}", "--data-fraction", "1"]
    command += ["--out", tmp_path / "run"]
    assert forks([*command[:-2], "--out", tmp_path / "whole"]) == 0, forks.told
    at = ["autogrow.training.optimizer", "SGD.step", "after", 5, signal.SIGKILL]
    assert forks(command, at=at) == -signal.SIGKILL
    before = listing(tmp_path / "run")
    data.rename(tmp_path / "elsewhere")
    assert forks(command) == 2
    assert str(data) in one_line(forks)
    after = listing(tmp_path / "run", but=["lock"])
    assert after == {k: v for k, v in before.items() if k != "lock"}
    (tmp_path / "elsewhere").rename(data)
    assert forks(command) == 0, forks.told
    assert results(tmp_path / "run") == results(tmp_path / "whole")


@pytest.fixture
def rng_images():
    """Make a small image folder of two classes."""
    import numpy as np
    from PIL import Image

    def make(folder):
        rng = np.random.default_rng(0)
        for split, count in (("train", 40), ("test", 10)):
            for label in ("a", "b"):
                (folder / split / label).mkdir(parents=True)
                for i in range(count):
                    pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
                    Image.fromarray(pixels).save(folder / split / label / f"{i}.png")
        return folder

    return make
