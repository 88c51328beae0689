"""Damaged files: whatever the damage, data or one clear line, never a traceback."""

import gzip
import io
import tempfile
import zipfile
from itertools import product
from math import prod
from pathlib import Path

import numpy as np
from data_sets import change_folder, claiming
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from autogrow.batches.decoding import Request, _Files
from autogrow.data import info, load
from autogrow.data.mnist import read_idx
from autogrow.errors import UserError

FEW = settings(max_examples=100, derandomize=True)
RNG = np.random.Generator(np.random.PCG64(1))


def damage(content):
    """Replace up to six stretches of the content by other bytes: flipped, cut, inserted."""
    where, removed = st.integers(0, len(content)), st.integers(0, 40) | st.just(len(content))
    splices = st.tuples(where, removed, st.binary(max_size=8))

    def damaged(drawn):
        result = content
        for start, n, new in drawn:
            result = result[:start] + new + result[start + n :]
        return result

    return st.lists(splices, min_size=1, max_size=6).map(damaged)


def survives(function, *args, **kwargs):
    """Data, or a UserError of one printable line."""
    try:
        function(*args, **kwargs)
    except UserError as error:
        message = str(error)
        assert "allowed" in message, message
        assert message.isprintable()
        assert len(message) < 1500


def survives_npz(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own.npz"
        path.write_bytes(content)
        for function in (load, info):
            survives(function, f"npz:{path}")


def npz_content(save):
    arrays = {
        "x_train": RNG.integers(0, 256, (6, 4, 4, 3), dtype=np.uint8),
        "y_train": np.arange(6) % 2,
        "x_test": RNG.integers(0, 256, (4, 4, 4, 3), dtype=np.uint8),
        "y_test": np.arange(4) % 2,
    }
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()


PLAIN, PACKED = npz_content(np.savez), npz_content(np.savez_compressed)


@FEW
@given(st.one_of(damage(PLAIN), damage(PACKED), st.binary(max_size=200)))
def test_damaged_npz(content):
    survives_npz(content)


DTYPES = st.sampled_from(
    ["u1", "i1", "u8", "i8", "f4", "f8", "c8", "?", "O", "U3", "S2", "M8[s]", "V3"]
)
SHAPES = st.lists(st.integers(0, 4) | st.sampled_from([2**40, -1]), max_size=5).map(tuple)
KEYS = st.sampled_from(["x_train", "y_train", "x_test", "y_test", "X_train", "é/.."])


@FEW
@given(st.dictionaries(KEYS, st.tuples(DTYPES, SHAPES), max_size=6))
@example({"x_train": ("u1", (2, 4, 4, 3)), "y_train": ("i8", (2,))})
def test_wrong_arrays(changes):
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(PLAIN)) as plain, zipfile.ZipFile(buffer, "w") as archive:
        members = {name: plain.read(name) for name in plain.namelist()}
        for key, (dtype, shape) in changes.items():
            header = {"descr": dtype, "fortran_order": False, "shape": shape}
            member = io.BytesIO()
            np.lib.format.write_array_header_1_0(member, header)
            content = bytes(min(4096, abs(prod(shape)) * np.dtype(dtype).itemsize))
            members[f"{key}.npy"] = member.getvalue() + content
        for name, content in members.items():
            archive.writestr(name, content)
    survives_npz(buffer.getvalue())


IDX = bytes([0, 0, 8, 3, 0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 0, 4]) + bytes(range(80))


@FEW
@given(damage(IDX), damage(gzip.compress(IDX)))
def test_damaged_idx(plain, packed):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("file", plain), ("file.gz", packed)):
            path = Path(folder) / name
            path.write_bytes(content)
            survives(read_idx, path, ndim=3)


def encode(suffix, shape):
    buffer = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, shape, dtype=np.uint8)).save(buffer, format=suffix)
    return suffix, buffer.getvalue()


CODED = [encode(s, shape) for s in ("png", "jpeg", "bmp", "webp") for shape in [(9, 9), (9, 9, 3)]]
SIDES = st.sampled_from([0, 1, 9, 17, 9000, 16383])
CHANGES = [
    f"{word} {{0}}".format(name)
    for word in ("rm", "rm {0}; file", "rm {0}; link")
    for name in ("val", "train/b")
]
CHANGES += ["pipe train/a/2.png", "link train/c", "mkdir val/c", "mkdir .hidden"]


@FEW
@given(st.data(), st.sampled_from(CODED), st.integers(0, 2), st.sampled_from(CHANGES))
def test_damaged_images(data, coded, number, change):
    suffix, content = coded
    with tempfile.TemporaryDirectory() as folder:
        for part, name in product(("train", "val"), "ab"):
            path = Path(folder) / part / name / f"1.{suffix}"
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
        path = Path(folder) / "train" / "a" / f"{number}.{suffix}"
        claims = SIDES.map(lambda side: claiming(suffix, side))
        path.write_bytes(data.draw(claims | damage(content) | claims.flatmap(damage)))
        decoded = _Files().__getitems__([Request(str(path), 0, 8, d) for d in (None, (0, 1, 2))])
        assert all(reason.isprintable() for _, reason in decoded.damaged)
        for changes in ("mkdir train/.hidden", change):
            change_folder(Path(folder), changes)
            for form, function in product(("folder", "imagenet"), (load, info)):
                survives(function, f"{form}:{folder}")


@FEW
@given(st.text(max_size=40), st.sampled_from(["", "npz:", "folder:", "npz:/", "folder:~"]))
def test_any_name(text, prefix):
    survives(load, prefix + text)
    survives(info, prefix + text)
