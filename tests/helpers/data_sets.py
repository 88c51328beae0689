"""Small data sets in the real layouts, made in temporary folders."""

import gzip
import io
import os
import shutil
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from autogrow.data import mnist
from autogrow.data.locating import IDX_FILES


def idx_bytes(array):
    """An array in IDX form."""
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture
def isolated_places(monkeypatch, tmp_path):
    """No test sees the machine's own data unless it asks for it."""
    monkeypatch.setenv("AUTOGROW_DATA_PATH", str(tmp_path / "no-such-place"))
    monkeypatch.setenv("AUTOGROW_DATA_ROOT", str(tmp_path / "root"))


@pytest.fixture
def rng():
    return np.random.Generator(np.random.PCG64(7))


@pytest.fixture
def no_checksums(monkeypatch):
    """Accept small stand-ins for the published IDX files."""
    monkeypatch.setattr(mnist, "SHA256", {})


@pytest.fixture
def write_idx(rng):
    """Write the four files of MNIST's layout; returns the arrays by file name."""

    def write(folder, *, gz=False, n_train=30, n_test=20, size=28):
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {}
        for (images, labels), n in zip(
            (IDX_FILES[:2], IDX_FILES[2:]), (n_train, n_test), strict=True
        ):
            arrays[images] = rng.integers(0, 256, (n, size, size), dtype=np.uint8)
            arrays[labels] = (np.arange(n) % 10).astype(np.uint8)
        for name, array in arrays.items():
            data = idx_bytes(array)
            path = folder / (name + ".gz" * gz)
            path.write_bytes(gzip.compress(data) if gz else data)
        return arrays

    return write


@pytest.fixture
def npz_arrays(rng):
    """Arrays of a valid .npz: 12 and 6 RGB images, three classes."""
    return {
        "x_train": rng.integers(0, 256, (12, 8, 8, 3), dtype=np.uint8),
        "y_train": np.arange(12) % 3,
        "x_test": rng.integers(0, 256, (6, 8, 8, 3), dtype=np.uint8),
        "y_test": np.arange(6) % 3,
    }


SIZES = [(320, 240), (240, 320), (500, 375), (90, 64), (256, 256), (33, 400)]  # width, height


def photograph(size, seed):
    """A picture of that size whose content is smooth, as a photograph's is."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


@pytest.fixture(scope="session")
def imagenet_folder(tmp_path_factory):
    """ImageNet's layout: 20 classes of 3 and 2 JPEG files, with its oddities; not to be changed."""
    folder = tmp_path_factory.mktemp("data") / "ImageNet"
    number = 0
    for part, each in (("train", 3), ("val", 2)):
        for c in range(20):
            inside = folder / part / f"n{7 * c + 1:08d}"
            inside.mkdir(parents=True)
            for _ in range(each):
                number += 1
                name = f"{inside.name}_{number}" if part == "train" else f"val_{number:08d}"
                picture = photograph(SIZES[number % len(SIZES)], number)
                kind = {5: "L", 6: "CMYK", 70: "L", 71: "CMYK"}.get(number)
                picture = picture.convert(kind) if kind else picture
                # As in the published set, one is a PNG by another name.
                form = "PNG" if number == 8 else "JPEG"
                options = {"quality": 90, "progressive": number % 4 == 0} if form == "JPEG" else {}
                picture.save(inside / f"{name}.JPEG", form, **options)
    return folder


@pytest.fixture
def imagenet_copy(imagenet_folder, tmp_path):
    """A copy that may be changed; its files are shared, so replace them, do not write into them."""
    copy = tmp_path / "copy" / "ImageNet"
    shutil.copytree(imagenet_folder, copy, copy_function=os.link)
    return copy


CLAIMS = {"png": 65500, "jpeg": 65500, "bmp": 65500, "webp": 16383}


def claiming(suffix, side):
    """A small image whose header says that it has `side` x `side` pixels."""
    buffer = io.BytesIO()
    photograph((16, 16), 0).save(buffer, format=suffix)
    content = bytearray(buffer.getvalue())
    start, layout = {
        "png": (16, ">II"),
        "jpeg": (content.find(b"\xff\xc0\x00\x11\x08") + 5, ">HH"),
        "bmp": (18, "<ii"),
        "webp": (content.find(b"\x9d\x01\x2a") + 3, "<HH"),
    }[suffix]
    struct.pack_into(layout, content, start, side, side)
    if suffix == "png":
        struct.pack_into(">I", content, 29, zlib.crc32(content[12:29]))
    return bytes(content)


def change_folder(root, changes):
    """Change files as a text says, such as ``rm train; mkdir val/dog; file a; cp val test``."""
    for change in changes.split("; "):
        word, *names = change.split()
        path, *more = (root / name for name in names)
        match word:
            case "rm":
                shutil.rmtree(path)
            case "mkdir":
                path.mkdir(parents=True)
            case "file":
                path.write_bytes(b"x")
            case "link":
                path.symlink_to(path)
            case "pipe":
                os.mkfifo(path)
            case "cp":
                shutil.copytree(path, *more)


@pytest.fixture
def cut_short():
    """Replace an image file by its first half."""

    def cut(file):
        content = file.read_bytes()
        file.unlink()
        file.write_bytes(content[: len(content) // 2])

    return cut
