"""Damaged files: whatever the damage, data or one clear line, never a traceback."""

import gzip
import io
import itertools
import struct
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from data_sets import change_folder, claiming
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from autogrow.batches.decoding import Request, _Files
from autogrow.data import info, load
from autogrow.data.mnist import read_idx
from autogrow.errors import UserError

FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
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


def npz_content(save, **changes):
    arrays = {
        "x_train": RNG.integers(0, 256, (6, 4, 4, 3), dtype=np.uint8),
        "y_train": np.arange(6) % 2,
        "x_test": RNG.integers(0, 256, (4, 4, 4, 3), dtype=np.uint8),
        "y_test": np.arange(4) % 2,
    }
    buffer = io.BytesIO()
    save(buffer, **{**arrays, **changes})
    return buffer.getvalue()


PLAIN, PACKED = npz_content(np.savez), npz_content(np.savez_compressed)


@FEW
@given(st.one_of(damage(PLAIN), damage(PACKED), st.binary(max_size=200)))
def test_damaged_npz(content):
    survives_npz(content)


DTYPES = st.sampled_from(
    ["u1", "i1", "u8", "i8", "f4", "f8", "c8", "?", "O", "U3", "S2", "M8[s]", "V3"]
)
SHAPES = st.lists(st.integers(0, 4), max_size=5).map(tuple)
KEYS = st.sampled_from(["x_train", "y_train", "x_test", "y_test", "X_train", "é/.."])


@FEW
@given(st.dictionaries(KEYS, st.tuples(DTYPES, SHAPES), max_size=6))
@example({"x_train": ("u1", (2, 4, 4, 3)), "y_train": ("i8", (2,))})
def test_wrong_arrays(changes):
    arrays = {key: np.zeros(shape, dtype) for key, (dtype, shape) in changes.items()}
    survives_npz(npz_content(np.savez, **arrays))


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


@FEW
@given(st.data(), st.sampled_from(CODED), st.booleans())
def test_damaged_images(data, coded, first):
    suffix, content = coded
    with tempfile.TemporaryDirectory() as folder:
        for part in ("train", "val"):
            for name in ("a", "b"):
                path = Path(folder) / part / name / f"1.{suffix}"
                path.parent.mkdir(parents=True)
                path.write_bytes(content)
        path = Path(folder) / "train" / "a" / f"{0 if first else 2}.{suffix}"
        path.write_bytes(data.draw(damage(content)))
        survives(load, f"folder:{folder}")
        survives(info, f"folder:{folder}")


@FEW
@given(st.text(max_size=40), st.sampled_from(["", "npz:", "folder:", "npz:/", "folder:~"]))
def test_any_name(text, prefix):
    survives(load, prefix + text)
    survives(info, prefix + text)


# --- seeded cases: 300 inputs, most of them malformed --------------------------------------


def spoiled(rng, content):
    """Flip bytes, most of them near the start, cut the end off or repeat a part."""
    content = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        content[int(rng.integers(len(content)) * rng.random() ** 3)] = rng.integers(256)
    cut = int(rng.integers(1, len(content)))
    return bytes([content, content[:cut], content + content[cut:]][rng.integers(3)])


def strange_npz(rng):
    arrays = {}
    for key in ("x_train", "y_train", "x_test", "y_test"):
        shape = rng.choice([0, 1, 2, 4, 2**40], rng.integers(1, 6), p=[0.1, 0.2, 0.3, 0.3, 0.1])
        kind = rng.choice(["|u1", "<i8", ">i2", "|O", "<f8", "|V0", "nonsense", "<U9"])
        order = rng.choice(["True", "False", "None"], p=[0.2, 0.7, 0.1])
        header = f"{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {(*shape.tolist(),)}}}\n"
        start = b"\x93NUMPY" + bytes([rng.choice([1, 1, 1, 2, 9]), 0])
        arrays[key] = start + len(header).to_bytes(2, "little") + header.encode() + bytes(64)
    buffer, packing = io.BytesIO(), rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    with zipfile.ZipFile(buffer, "w", packing) as archive:
        for key in rng.choice([*arrays], rng.integers(3, 5), replace=False):
            archive.writestr(f"{key}.npy", arrays[key])
    return buffer.getvalue()


def strange_image(rng):
    suffix = rng.choice(["png", "jpeg", "bmp", "webp"])
    content = claiming(suffix, int(rng.choice([0, 1, 15, 17, 9000, 16383])))
    return suffix, content if rng.random() < 0.5 else spoiled(rng, content)


@pytest.mark.parametrize("seed", range(60))
def test_seeded_malformed_inputs(tmp_path, seed, recwarn):
    rng = np.random.default_rng(seed)
    for content in (strange_npz(rng), spoiled(rng, [PLAIN, PACKED][seed % 2])):
        survives_npz(content)
    idx = struct.pack(">4I", 0x800 + rng.integers(2, 5), *rng.integers(0, 6, 3)) + bytes(60)
    for content in (idx, spoiled(rng, IDX)):
        packed = gzip.compress(content)
        for name, written in (
            ("file", content),
            ("file.gz", [packed, spoiled(rng, packed)][seed % 2]),
        ):
            (tmp_path / name).write_bytes(written)
            survives(read_idx, tmp_path / name, ndim=3)
    suffix, image = strange_image(rng)
    for part, label in itertools.product(("train", "val"), "ab"):
        file = tmp_path / "own" / part / label / f"1.{suffix}"
        file.parent.mkdir(parents=True)
        file.write_bytes(claiming(suffix, 16))
    path = tmp_path / "own" / "train" / "a" / f"{rng.integers(3)}.{suffix}"
    path.write_bytes(image)
    word = rng.choice(["rm", "mkdir", "file", "link", "pipe"])
    for changes in ("", f"{word} {rng.choice(['val', 'train/b', 'val/c', 'train/a/2.png'])}"):
        with suppress(OSError):
            change_folder(tmp_path / "own", changes or "mkdir train/.hidden")
        for form in ("folder", "imagenet"):
            for function in (load, info):
                survives(function, f"{form}:{tmp_path / 'own'}")
    for draw in (None, (seed, 1, 2)):
        [bad] = _Files().__getitems__([Request(str(path), 0, 8, draw)]).damaged or [("", "")]
        assert bad[1].isprintable()
    assert not recwarn.list
