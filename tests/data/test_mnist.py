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


def test_the_first_complete_place_wins(tmp_path, write_idx, no_checksums, monkeypatch):
    for count, place in enumerate(("argument", "environment", "path")):
        write_idx(tmp_path / place / "MNIST" / "raw", n_train=10 * (count + 1))
    write_idx(tmp_path / "path" / "fashion-mnist", gz=True, n_train=40)  # as Debian has it
    searched = os.pathsep.join([str(tmp_path / "none"), "", str(tmp_path / "path")])
    monkeypatch.setenv("AUTOGROW_DATA_PATH", searched)
    assert len(load("FashionMNIST").train) == 40
    assert len(load("MNIST").train) == 30
    monkeypatch.setenv("AUTOGROW_DATA_ROOT", str(tmp_path / "environment"))
    assert len(load("MNIST").train) == 20
    assert len(load("MNIST", root=tmp_path / "argument").train) == 10
    incomplete = tmp_path / "argument" / "MNIST" / "raw"
    (incomplete / LABELS).unlink()
    assert len(load("MNIST", root=tmp_path / "argument").train) == 30
    monkeypatch.setenv("AUTOGROW_DATA_PATH", "/nope")
    with pytest.raises(UserError, match=f"MNIST without {LABELS};"):
        load("MNIST", root=tmp_path / "argument")
    with pytest.raises(UserError, match="ubyte: found a file; allowed: a folder"):
        load("MNIST", root=incomplete / IMAGES)
    monkeypatch.delenv("AUTOGROW_DATA_ROOT")
    monkeypatch.delenv("AUTOGROW_DATA_PATH")
    assert [str(place) for place in places(None)] == ["data", "/usr/share/datasets"]


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


def digests(folder, hashed, opened):
    """The digest of each file, by its name without .gz."""
    return {f: hashed(opened(folder / f"{f}.gz").read()).hexdigest() for f in IDX_FILES}


def test_sha256_of_the_content_is_checked(tmp_path, write_idx, monkeypatch):
    folder = tmp_path / "FashionMNIST" / "raw"
    write_idx(folder, gz=True)
    with pytest.raises(
        UserError,
        match=rf"{IMAGES}\.gz: found SHA-256 .*; allowed: .*, uncompressed, the published",
    ):
        load("FashionMNIST", root=tmp_path)
    expected = digests(folder, hashlib.sha256, gzip.open)
    monkeypatch.setitem(mnist.SHA256, "FashionMNIST", expected)
    load("FashionMNIST", root=tmp_path)
    monkeypatch.setitem(expected, LABELS, "0" * 64)
    with pytest.raises(UserError, match=rf"{LABELS}\.gz: found SHA-256"):
        load("FashionMNIST", root=tmp_path)


def test_md5_of_gz_is_checked_and_nothing_else_is_read(tmp_path, write_idx, monkeypatch):
    from torchvision.datasets import MNIST

    assert {f"{f}.gz": md5 for f, md5 in mnist.GZ_MD5["MNIST"].items()} == dict(MNIST.resources)
    folder = tmp_path / "MNIST" / "raw"
    write_idx(folder)
    with pytest.raises(
        UserError, match=rf"{IMAGES}: found without {IMAGES}\.gz; .*get it again: .*--download"
    ):
        load("MNIST", root=tmp_path)  # uncompressed: no checksum is published
    packed = write_idx(folder, gz=True)
    with pytest.raises(UserError, match=rf"{IMAGES}\.gz: found MD5 "):
        load("MNIST", root=tmp_path)
    expected = digests(folder, hashlib.md5, lambda path: path.open("rb"))
    monkeypatch.setitem(mnist.GZ_MD5, "MNIST", expected)
    read = load("MNIST", root=tmp_path).train.images[:, 2:-2, 2:-2, 0]
    assert np.array_equal(read, packed[IMAGES])


def test_the_size_of_the_images_is_checked(tmp_path, write_idx, no_checksums):
    write_idx(tmp_path / "MNIST" / "raw", size=27)
    with pytest.raises(UserError, match="of 27x27 pixels and 1 channel; allowed for MNIST: 28x28"):
        load("MNIST", root=tmp_path)


GOOD = bytes([0, 0, 8, 3]) + struct.pack(">3I", 2, 3, 3) + bytes(18)
PACKED = gzip.compress(GOOD)
BROKEN = [
    (b"", "broken or unreadable"),
    (GOOD[:10], "broken or unreadable"),
    (bytes([0, 0, 8, 1]) + GOOD[4:], "magic number 0x00000801 instead of 0x00000803"),
    (bytes([0, 0, 13, 3]) + GOOD[4:], "magic number 0x00000d03"),
    (GOOD[:-1], "array of size 17 into shape"),
    (GOOD + b"x", "array of size 19 into shape"),
    (GOOD[:4] + b"\xff" * 12 + GOOD[16:], "broken or unreadable"),
]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        *(("file", content, message) for content, message in BROKEN),
        *(("file.gz", gzip.compress(content), message) for content, message in BROKEN),
        ("file.gz", PACKED[:-10], "broken or unreadable"),
        ("file.gz", PACKED[:-6] + bytes(6), "broken or unreadable"),  # the checksum of gzip
        ("file.gz", GOOD, "broken or unreadable"),
        ("file.gz", gzip.compress(GOOD + bytes(2**20)), "more than 40 bytes"),
    ],
)
def test_broken_idx(tmp_path, monkeypatch, name, content, message):
    monkeypatch.setattr(mnist, "LARGEST", 40)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=f"/{name}: .*{message}.*; allowed: an IDX file"):
        read_idx(tmp_path / name, ndim=3)


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
