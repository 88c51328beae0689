"""Data sets on a machine's own disk: copied once, read from there."""

import os
import tarfile

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
    return {str(f.relative_to(folder)): f.read_text() for f in folder.rglob("*") if f.is_file()}


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
def test_a_tar_beside_the_folder_is_unpacked_instead(images, disk, start):
    with tarfile.open(images / "Pictures.tar", "w") as tar:
        tar.add(images / "Pictures", f"{start}Pictures")
    wanted = content(images / "Pictures")
    for file in (images / "Pictures").rglob("*.JPEG"):
        file.write_text("not this")
    place = staged(images, "Pictures", ["train", "val"])
    assert content(place / "Pictures") == wanted


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
