"""MNIST and FashionMNIST in small files of the real layout, and where they are looked for."""

import gzip
import hashlib
import os
import struct
from urllib.error import URLError

import numpy as np
import pytest

from autogrow.data import load, mnist
from autogrow.data.locating import IDX_FILES, places
from autogrow.data.mnist import read_idx
from autogrow.errors import UserError

IMAGES, LABELS = IDX_FILES[:2]


@pytest.mark.parametrize(
    ("name", "flip", "gz"), [("MNIST", False, True), ("FashionMNIST", True, False)]
)
def test_torchvision_layout(tmp_path, write_idx, no_checksums, name, flip, gz):
    arrays = write_idx(tmp_path / name / "raw", gz=gz)
    data = load(name, root=tmp_path)
    assert data.train.images.shape == (30, 32, 32, 1)
    assert data.test.images.shape == (20, 32, 32, 1)
    assert np.array_equal(data.train.images[:, 2:-2, 2:-2, 0], arrays[IMAGES])
    assert data.train.images.sum() == arrays[IMAGES].sum()  # the padding is zero
    assert np.array_equal(data.train.labels, arrays[LABELS])
    assert (data.mean, data.std, data.statistics_source) == ((0.0,), (1.0,), "paper")
    assert (data.crop_padding, data.flip) == (0, flip)


def test_torchvision_reads_the_same(tmp_path, write_idx, no_checksums):
    from torchvision.datasets import FashionMNIST

    write_idx(tmp_path / "FashionMNIST" / "raw")
    theirs = FashionMNIST(str(tmp_path), train=True)
    ours = load("FashionMNIST", root=tmp_path).train
    assert np.array_equal(theirs.data.numpy(), ours.images[:, 2:-2, 2:-2, 0])
    assert np.array_equal(theirs.targets.numpy(), ours.labels)


def test_debian_layout_on_the_search_path(tmp_path, write_idx, no_checksums, monkeypatch):
    write_idx(tmp_path / "share" / "fashion-mnist", gz=True)
    paths = os.pathsep.join([str(tmp_path / "none"), "", str(tmp_path / "share")])
    monkeypatch.setenv("AUTOGROW_DATA_PATH", paths)
    assert len(load("FashionMNIST").train) == 30


def test_order_of_places(tmp_path, write_idx, no_checksums, monkeypatch):
    for count, place in enumerate(("argument", "environment", "path")):
        write_idx(tmp_path / place / "MNIST" / "raw", n_train=10 * (count + 1))
    monkeypatch.setenv("AUTOGROW_DATA_PATH", str(tmp_path / "path"))
    assert len(load("MNIST").train) == 30
    monkeypatch.setenv("AUTOGROW_DATA_ROOT", str(tmp_path / "environment"))
    assert len(load("MNIST").train) == 20
    assert len(load("MNIST", root=tmp_path / "argument").train) == 10
    monkeypatch.delenv("AUTOGROW_DATA_ROOT")
    monkeypatch.delenv("AUTOGROW_DATA_PATH")
    assert [str(place) for place in places(None)] == ["data", "/usr/share/datasets"]


def test_a_complete_place_wins_over_an_incomplete_one(
    tmp_path, write_idx, no_checksums, monkeypatch
):
    write_idx(tmp_path / "one" / "MNIST" / "raw")
    (tmp_path / "one" / "MNIST" / "raw" / LABELS).unlink()
    with pytest.raises(UserError, match=f"MNIST without {LABELS};"):
        load("MNIST", root=tmp_path / "one")
    write_idx(tmp_path / "two" / "MNIST" / "raw")
    monkeypatch.setenv("AUTOGROW_DATA_PATH", str(tmp_path / "two"))
    assert len(load("MNIST", root=tmp_path / "one").train) == 30


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "CIFAR10", "CIFAR100", "SVHN"])
def test_missing_names_the_set_every_place_and_the_command(tmp_path, monkeypatch, name):
    monkeypatch.setenv("AUTOGROW_DATA_PATH", os.pathsep.join(["/nope/one", "/nope/two"]))
    with pytest.raises(UserError) as caught:
        load(name, root=tmp_path / "mine")
    message = str(caught.value)
    for part in (name, str(tmp_path / "mine"), "/nope/one", "/nope/two"):
        assert part in message
    assert f"autogrow train --data {name} --download" in message
    assert ("dataset-fashion-mnist" in message) == (name == "FashionMNIST")


def test_root_is_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="file: found a file; allowed: a folder"):
        load("MNIST", root=tmp_path / "file")


def test_md5_table_is_torchvisions():
    from torchvision.datasets import MNIST

    assert {f"{file}.gz": md5 for file, md5 in mnist.GZ_MD5["MNIST"].items()} == dict(
        MNIST.resources
    )


def test_wrong_published_file(tmp_path, write_idx, monkeypatch):
    folder = tmp_path / "FashionMNIST" / "raw"
    write_idx(folder, gz=True)
    with pytest.raises(
        UserError,
        match=rf"{IMAGES}\.gz: found SHA-256 .*; allowed: .*, uncompressed, the published",
    ):
        load("FashionMNIST", root=tmp_path)
    digests = {
        name: hashlib.sha256(gzip.decompress((folder / f"{name}.gz").read_bytes())).hexdigest()
        for name in IDX_FILES
    }
    monkeypatch.setitem(mnist.SHA256, "FashionMNIST", digests)
    load("FashionMNIST", root=tmp_path)
    monkeypatch.setitem(digests, LABELS, "0" * 64)
    with pytest.raises(UserError, match=rf"{LABELS}\.gz: found SHA-256"):
        load("FashionMNIST", root=tmp_path)


def test_md5_of_gz_is_checked_and_nothing_else_is_read(tmp_path, write_idx, monkeypatch):
    folder = tmp_path / "MNIST" / "raw"
    arrays = write_idx(folder)
    wanted = (
        rf"{IMAGES}: found without {IMAGES}\.gz; .*delete this one and get it again: .*--download"
    )
    with pytest.raises(UserError, match=wanted):
        load("MNIST", root=tmp_path)  # uncompressed: no checksum is published
    packed = write_idx(folder, gz=True)
    with pytest.raises(UserError, match=rf"{IMAGES}\.gz: found MD5 "):
        load("MNIST", root=tmp_path)
    digests = {f: hashlib.md5((folder / f"{f}.gz").read_bytes()).hexdigest() for f in IDX_FILES}
    monkeypatch.setitem(mnist.GZ_MD5, "MNIST", digests)
    read = load("MNIST", root=tmp_path).train.images[:, 2:-2, 2:-2, 0]
    assert np.array_equal(read, packed[IMAGES])
    assert not np.array_equal(read, arrays[IMAGES])


GOOD = bytes([0, 0, 8, 3]) + struct.pack(">3I", 2, 3, 3) + bytes(18)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "broken or unreadable"),
        (GOOD[:10], "broken or unreadable"),
        (bytes([0, 0, 8, 1]) + GOOD[4:], "magic number 0x00000801 instead of 0x00000803"),
        (bytes([0, 0, 13, 3]) + GOOD[4:], "magic number 0x00000d03"),
        (GOOD[:-1], "array of size 17 into shape"),
        (GOOD + b"x", "array of size 19 into shape"),
        (GOOD[:4] + b"\xff" * 12 + GOOD[16:], "broken or unreadable"),
    ],
)
@pytest.mark.parametrize("gz", [False, True])
def test_broken_idx(tmp_path, content, message, gz):
    path = tmp_path / ("file.gz" if gz else "file")
    path.write_bytes(gzip.compress(content) if gz else content)
    with pytest.raises(UserError, match=message) as caught:
        read_idx(path, ndim=3)
    assert str(path) in str(caught.value)


def test_a_small_file_that_unpacks_to_more_than_a_published_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(mnist, "LARGEST", 33)
    (tmp_path / "file.gz").write_bytes(gzip.compress(GOOD + bytes(2**20)))
    with pytest.raises(UserError, match="more than 33 bytes"):
        read_idx(tmp_path / "file.gz", ndim=3)


def test_good_idx(tmp_path):
    (tmp_path / "file").write_bytes(GOOD)
    assert read_idx(tmp_path / "file", ndim=3).shape == (2, 3, 3)


@pytest.mark.parametrize("damage", ["cut", "crc", "not gzip", "folder"])
def test_broken_gz(tmp_path, damage):
    path, packed = tmp_path / "file.gz", bytearray(gzip.compress(GOOD))
    if damage == "cut":
        packed = packed[:-10]
    if damage == "crc":
        packed[-6] ^= 1
    if damage == "not gzip":
        packed = GOOD
    path.mkdir() if damage == "folder" else path.write_bytes(packed)
    with pytest.raises(UserError, match=r"file\.gz: .*allowed: an IDX file"):
        read_idx(path, ndim=3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_train": 0}, "found zero images"),
        ({"n_train": 9}, r"no training image of class 9 \(9\)"),
        ({"size": 27}, "found images of 27x27 pixels and 1 channel; allowed for MNIST: 28x28"),
    ],
)
def test_wrong_content(tmp_path, write_idx, no_checksums, options, message):
    write_idx(tmp_path / "MNIST" / "raw", **options)
    with pytest.raises(UserError, match=message):
        load("MNIST", root=tmp_path)


def test_counts_and_range(tmp_path, write_idx, no_checksums):
    folder = tmp_path / "MNIST" / "raw"
    write_idx(folder)
    labels = bytes([0, 0, 8, 1]) + struct.pack(">I", 29) + bytes(range(10)) * 2 + bytes(9)
    (folder / LABELS).write_bytes(labels)
    with pytest.raises(UserError, match="found 29 labels for 30 images"):
        load("MNIST", root=tmp_path)
    (folder / LABELS).write_bytes(labels[:4] + struct.pack(">I", 30) + labels[8:] + b"\x0a")
    with pytest.raises(UserError, match="found label 10; allowed: 0 to 9"):
        load("MNIST", root=tmp_path)


@pytest.mark.parametrize("name", ["FashionMNIST", "CIFAR10", "SVHN"])
def test_download_without_network(tmp_path, monkeypatch, name, capsys):
    def refuse(*_, **__):
        raise URLError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(UserError, match=rf"{name}: download to .* failed .*; allowed: a machine"):
        load(name, root=tmp_path / "new", download=True)
    assert capsys.readouterr().out == ""


def test_download_goes_to_the_root(tmp_path, write_idx, no_checksums, monkeypatch):
    from autogrow.data import locating as download

    asked = []

    def fetch(name, root):
        asked.append((name, root))
        write_idx(root / name / "raw")

    monkeypatch.setattr(download, "fetch", fetch)
    for _ in range(2):  # the second time there is nothing to download
        assert len(load("MNIST", root=tmp_path / "new", download=True).train) == 30
    assert asked == [("MNIST", tmp_path / "new")]


def test_download_writes_nothing_for_packaged_data(tmp_path):
    load("digits", root=tmp_path / "new", download=True)
    assert not (tmp_path / "new").exists()
