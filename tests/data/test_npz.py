"""A user's own .npz file: what is accepted, and every mistake."""

import hashlib
import io
import os
import zipfile

import numpy as np
import pytest

from autogrow.data import info, load, measure_statistics, npz
from autogrow.errors import UserError

both = pytest.mark.parametrize("function", [load, info])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "own.npz"


@pytest.fixture
def write(path, npz_arrays):
    """Write the valid arrays with changes; None removes a key. Returns the data set's name."""

    def write(save=np.savez, **changes):
        arrays = {k: v for k, v in {**npz_arrays, **changes}.items() if v is not None}
        save(path, **arrays)
        return f"npz:{path}"

    return write


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_round_trip(write, npz_arrays, save):
    name = write(save)
    data = load(name)
    assert data.name == name
    assert np.array_equal(data.train.images, npz_arrays["x_train"])
    assert np.array_equal(data.test.labels, npz_arrays["y_test"])
    assert data.train.labels.dtype == np.int64
    assert data.classes == ("0", "1", "2")
    assert (data.crop_padding, data.flip, data.statistics_source) == (1, False, "measured")
    assert (data.mean, data.std) == measure_statistics(npz_arrays["x_train"])
    entry = info(name)
    assert (entry.name, entry.image_size, entry.channels, entry.n_classes) == (name, 8, 3, 3)
    assert (entry.mean, entry.crop_padding, entry.flip) == (None, 1, False)


def test_the_content_may_have_to_be_known(path, write, npz_arrays):
    write(**npz_arrays)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert load(f"npz:{path}", sha256=digest).checksum == load(f"npz:{path}").checksum
    with pytest.raises(UserError, match=f"found SHA-256 {digest}; allowed: 000.*data_sha256"):
        load(f"npz:{path}", sha256="0" * 64)


def test_grey_without_channel_axis_in_the_home_folder(write, npz_arrays, tmp_path, monkeypatch):
    write(x_train=npz_arrays["x_train"][..., 0], x_test=npz_arrays["x_test"][..., 0])
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load("npz:~/own.npz").train.images.shape == (12, 8, 8, 1)
    assert info("npz:~/own.npz").channels == 1


def test_fortran_order_and_version_two(path, npz_arrays):
    with zipfile.ZipFile(path, "w") as archive:
        for key, array in npz_arrays.items():
            buffer = io.BytesIO()
            array = array.astype(">i4") if key == "y_test" else array
            np.lib.format.write_array(buffer, np.asfortranarray(array), version=(2, 0))
            archive.writestr(f"{key}.npy", buffer.getvalue())
    assert np.array_equal(load(f"npz:{path}").train.images, npz_arrays["x_train"])
    assert info(f"npz:{path}").image_size == 8


U = np.uint8
Y = np.arange(12) % 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_test": None}, "missing: x_test;"),
        ({"x_train": np.zeros((12, 8, 8, 3))}, "x_train: found float64 images; allowed: uint8"),
        ({"x_train": np.zeros((12, 64), U)}, r"x_train: found images of shape \(12, 64\)"),
        ({"x_train": np.zeros((12, 3, 8, 8), U)}, "allowed: square images"),
        ({"x_train": np.zeros((12, 8, 8, 0), U)}, "8x8 pixels and 0 channels"),
        ({"x_train": np.zeros((0, 8, 8, 3), U), "y_train": Y[:0]}, "x_train: found zero images"),
        ({"x_test": np.zeros((0, 8, 8, 3), U), "y_test": Y[:0]}, "x_test: found zero images"),
        ({"x_test": np.zeros((6, 9, 9, 3), U)}, "x_test: found images of 9x9 .*allowed: 8x8"),
        ({"x_test": np.zeros((6, 8, 8), U)}, "x_test: found .* 1 channel; .* 3 channels"),
        ({"y_train": Y[:11]}, "y_train: found 11 labels for 12 images"),
        ({"y_train": Y.astype(float)}, "y_train: found float64 labels"),
        ({"y_train": Y[:, None]}, r"y_train: .*of shape \(12, 1\); allowed: integers of shape"),
        ({"y_train": Y - 1}, "y_train: found label -1; allowed: 0 or more"),
        ({"y_train": Y * 2}, "no training image of class 1; .*from 0 to 4"),
        ({"y_test": np.full(6, 7)}, "no training image of class 3; .*from 0 to 7"),
        ({"y_test": np.full(6, 2**62)}, "no training image of class 3"),
        ({"y_test": np.full(6, 2**64 - 1, np.uint64)}, "no training image of class 3"),
        ({"y_train": Y * 0, "y_test": np.zeros(6, int)}, "found 1 class; allowed: two or more"),
        ({"x_train": np.array([None] * 12)}, "x_train: broken .*(Object|object) array"),
        ({"y_train": Y.astype(object)}, "y_train: broken .*(Object|object) array"),
    ],
)
@both
def test_mistakes(write, function, changes, message):
    with pytest.raises(UserError, match=message) as caught:
        function(write(**changes))
    assert "own.npz" in str(caught.value)


@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "text", "npy", "cut", "pipe"])
@both
def test_not_an_npz(path, write, function, kind):
    name = write()
    content = path.read_bytes()
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)  # a reader would wait for ever
    elif kind == "npy":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    elif kind != "missing":
        path.write_bytes({"empty": b"", "text": b"hello", "cut": content[:-30]}[kind])
    with pytest.raises(UserError, match=r"own\.npz: .*allowed: an \.npz file with x_train"):
        function(name)


@both
def test_a_member_that_would_fill_the_memory(path, function, monkeypatch):
    monkeypatch.setattr(npz, "SMALL", 10**6)
    np.savez_compressed(path, **dict.fromkeys(npz.KEYS, np.zeros((1, 1000, 1001), U)))
    message = "x_train: found 1,001,128 bytes packed into .*; allowed: 100 times as many"
    with pytest.raises(UserError, match=message):
        function(f"npz:{path}")
    np.savez(path, **dict.fromkeys(npz.KEYS, np.zeros((1, 1000, 1001), U)))
    with pytest.raises(UserError, match="allowed: square images"):
        function(f"npz:{path}")


def npy(dtype, shape):
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY\x07\x00",
        npy("|u1", "(10**9,)"),
        npy("|u1", "(1000000000000, 32, 32, 3)"),
        npy("|u1", "(-1, -1, 1, 1)"),
        npy("|V0", "(9, 9)"),
        npy("|u1", "()"),
        npy("|u1", "(0, 10000000000000000, 1, 1)"),
        npy([("a", "|u1")], "(0,)"),
        npy("|O", "(9,)"),
    ],
)
def test_hostile_headers(path, write, content):
    name = write()
    with zipfile.ZipFile(path) as archive:
        members = {entry: archive.read(entry) for entry in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for entry, data in {**members, "x_train.npy": content}.items():
            archive.writestr(entry, data)
    with pytest.raises(UserError, match=r"x_train: (broken|does not fit|found)"):
        load(name)


def test_damaged_pixels_fail_the_zip_checksum(path, write, npz_arrays):
    name = write()
    content = bytearray(path.read_bytes())
    content[content.index(npz_arrays["x_train"].tobytes()) + 77] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="CRC"):
        load(name)


def test_a_part_of_the_test_set(write, npz_arrays):
    """Always the same images, each class with its share; the training images stay."""
    arrays = {part: np.concatenate([npz_arrays[part]] * 10) for part in ("x_test", "y_test")}
    name = write(**arrays)
    whole, some, again = (load(name, test_images=n) for n in (0, 12, 12))
    assert (len(whole.test), len(some.test)) == (len(arrays["y_test"]), 12)
    assert np.array_equal(some.test.images, again.test.images)
    assert np.array_equal(some.train.images, whole.train.images)
    shares = [np.bincount(data.test.labels) / len(data.test) for data in (some, whole)]
    assert np.abs(shares[0] - shares[1]).max() < 0.1
    assert info(name).divided(12) == (len(whole.train), 12)
