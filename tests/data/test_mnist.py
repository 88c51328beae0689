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


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST"])
def test_files_are_known_by_their_content_zipped_or_not(tmp_path, write_idx, monkeypatch, name):
    folder = tmp_path / name / "raw"
    arrays = write_idx(folder)
    message = (
        rf"{{}}: found SHA-256 .*; allowed: {mnist.SHA256[name][IMAGES]}, uncompressed, the pub"
    )
    with pytest.raises(UserError, match=message.format(IMAGES)):
        load(name, root=tmp_path)
    contents = {file: (folder / file).read_bytes() for file in IDX_FILES}
    known = {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()}
    with monkeypatch.context() as patch:
        patch.setitem(mnist.SHA256, name, known)
        for level in (None, 1, 9):  # the same zipped again is another file
            for file in IDX_FILES if level else ():
                (folder / file).unlink(missing_ok=True)
                (folder / f"{file}.gz").write_bytes(
                    gzip.compress(contents[file], level, mtime=level)
                )
            read = load(name, root=tmp_path).train.images[:, 2:-2, 2:-2, 0]
            assert np.array_equal(read, arrays[IMAGES])
        patch.setitem(known, LABELS, "0" * 64)
        with pytest.raises(UserError, match=rf"{LABELS}\.gz: found SHA-256"):
            load(name, root=tmp_path)
    with pytest.raises(UserError, match=message.format(rf"{IMAGES}\.gz")):
        load(name, root=tmp_path)


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
