"""Data sets on a machine's own disk: copied once, read from there."""

import os
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

from autogrow.data import load, scratch
from autogrow.data.scratch import staged
from autogrow.errors import UserError


@pytest.fixture
def disk(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOGROW_SCRATCH", str(tmp_path / "disk"))
    return tmp_path / "disk"


@pytest.fixture
def images(tmp_path):
    """A place with a data set of folders, as ImageNet is."""
    home = tmp_path / "shared" / "Pictures"
    for part, count in (("train", 5), ("val", 2)):
        for name in ("cat", "dog"):
            (home / part / name).mkdir(parents=True)
            for i in range(count):
                (home / part / name / f"{i}.JPEG").write_text(f"{part} {name} {i}")
    (home / "val_labels.txt").write_text("labels")
    return tmp_path / "shared"


def content(folder):
    """The text of each file by its path; links are followed, and hidden files do not count."""
    walked = os.walk(folder, followlinks=True)
    files = [Path(root) / f for root, _, names in walked for f in names if not f.startswith(".")]
    return {str(file.relative_to(folder)): file.read_text() for file in files}


def test_a_named_data_set_is_read_from_its_copy(tmp_path, disk, write_idx, no_checksums):
    write_idx(tmp_path / "root/MNIST/raw")
    there = load("MNIST", root=tmp_path / "root").train.images
    [copy] = disk.rglob("train-images-idx3-ubyte")
    assert len([f for f in disk.rglob("*") if f.is_file()]) == 4
    # The copy alone is read now, until the original changes.
    copied = copy.stat().st_mtime_ns
    assert np.array_equal(load("MNIST", root=tmp_path / "root").train.images, there)
    assert copy.stat().st_mtime_ns == copied
    original = tmp_path / "root/MNIST/raw/train-images-idx3-ubyte"
    original.write_bytes(original.read_bytes()[:-1] + b"\xff")
    os.utime(original, (1e9, 1e9))
    assert load("MNIST", root=tmp_path / "root").train.images[-1, -3, -3, 0] == 255


def test_folders_are_copied_with_the_small_files_beside_them_once(
    images, disk, capsys, monkeypatch
):
    (images / "Pictures" / "unused").mkdir()
    monkeypatch.setattr(scratch, "SMALL", 6)
    large = images / "Pictures" / "large.txt"
    large.write_text("large file")
    place = staged(images, "Pictures", ["train", "val"])
    assert disk in place.parents
    large.unlink()
    assert content(place / "Pictures") == content(images / "Pictures")
    assert not (place / "Pictures" / "unused").exists()
    assert "copying to" in capsys.readouterr().err
    assert staged(images, "Pictures", ["train", "val"]) == place
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("start", ["", "./"])
def test_a_tar_beside_the_folder_is_unpacked_instead(images, disk, start, monkeypatch):
    with tarfile.open(images / "Pictures.tar", "w") as tar:
        tar.add(images / "Pictures", f"{start}Pictures")
    late = images / "Pictures/train/dog/late.JPEG"
    late.write_text("not in the tar")
    changed = images / "Pictures/val/cat/0.JPEG"
    changed.write_text("another picture")
    copied, copy2 = [], scratch.shutil.copy2
    monkeypatch.setattr(scratch.shutil, "copy2", lambda *a: (copied.append(a[0]), copy2(*a)))
    place = staged(images, "Pictures", ["train", "val"])
    assert content(place / "Pictures") == content(images / "Pictures")
    assert sorted(copied) == [late, changed, images / "Pictures/val_labels.txt"]


def test_what_a_killed_copy_has_left_is_not_used(images, disk):
    copyfile = scratch.shutil.copyfile

    def dies_later(source, *rest, **options):
        if str(source).endswith("dog/3.JPEG"):
            raise KeyboardInterrupt
        return copyfile(source, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scratch.shutil, "copyfile", dies_later)
        with pytest.raises(KeyboardInterrupt):
            staged(images, "Pictures", ["train"])
    assert list(disk.rglob("dog/*.JPEG"))
    place = staged(images, "Pictures", ["train"])
    assert content(place / "Pictures/train") == content(images / "Pictures/train")
    assert sorted(f.name for f in (place / "Pictures").iterdir()) == ["train", "val_labels.txt"]


CHANGES = [
    Path.unlink,
    lambda file: file.with_name("new.JPEG").write_text("new"),
    lambda file: file.write_text("another"),
    lambda file: os.utime(file, (1e9, 1e9)),
    lambda file: shutil.rmtree(file.parents[1] / "cat", ignore_errors=True),
]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_changes_the_copy_follows(images, disk, seed):
    """Links among the source, and any change of it or of its copy between two uses."""
    rng = np.random.default_rng(seed)
    home = images / "Pictures"
    (home / "train/dog").rename(images / "apart")
    (home / "train/dog").symlink_to(images / "apart")
    (home / "train/.hidden").symlink_to("nowhere")
    (home / "val/empty").mkdir()
    for _ in range(4):
        place = staged(images, "Pictures", ["train", "val"])
        assert content(place / "Pictures") == content(home)
        assert (place / "Pictures/val/empty").is_dir()
        for change in rng.integers(len(CHANGES), size=3):
            root = (home, place / "Pictures")[rng.integers(2)]
            files = sorted((root / "train").glob("*/*"))
            CHANGES[change](files[rng.integers(len(files))])


def test_two_data_roots_are_not_mixed_up(images, disk, tmp_path):
    other = tmp_path / "other"
    (other / "Pictures/train").mkdir(parents=True)
    (other / "Pictures/train/file").write_text("other")
    places = [staged(root, "Pictures", ["train"]) for root in (images, other)]
    assert content(places[1] / "Pictures/train") == {"file": "other"}
    assert len(content(places[0] / "Pictures/train")) == 10


def test_no_room_is_told_in_one_line(images, disk, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scratch.shutil, "copyfile", full)
    with pytest.raises(UserError, match=r"AUTOGROW_SCRATCH: .*No space left on device; allowed"):
        staged(images, "Pictures", ["train"])


def test_a_tar_without_the_folder_is_told(images, disk):
    with tarfile.open(images / "Pictures.tar", "w") as tar:
        tar.add(images / "Pictures/train", "Pictures/train")
    with pytest.raises(UserError, match="has no Pictures/val in it"):
        staged(images, "Pictures", ["train", "val"])
