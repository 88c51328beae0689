"""MNIST and FashionMNIST from their published IDX files."""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
from pathlib import Path
from typing import IO

import numpy as np

from autogrow.data.checks import RawSplit, assemble
from autogrow.data.containers import ImageData
from autogrow.data.locating import IDX_FILES, locate
from autogrow.data.npz import MAX_DEFLATE_RATIO
from autogrow.data.registry import DATASETS, DIGITS
from autogrow.errors import UserError
from autogrow.files.reading import check_md5, printable, reading, require_file

CLASSES = {
    "MNIST": DIGITS,
    "FashionMNIST": (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
}

# SHA-256 of the uncompressed files, as taken from Debian's package
# dataset-fashion-mnist. The .gz files differ between publishers (gzip stores a
# time), so only the content can be compared.
SHA256: dict[str, dict[str, str]] = {
    "FashionMNIST": {
        "train-images-idx3-ubyte": (
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
        ),
        "train-labels-idx1-ubyte": (
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
        ),
        "t10k-images-idx3-ubyte": (
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
        ),
        "t10k-labels-idx1-ubyte": (
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
        ),
    },
}

# MD5 of the published .gz files, as in torchvision.datasets.MNIST.resources.
GZ_MD5: dict[str, dict[str, str]] = {
    "MNIST": {
        "train-images-idx3-ubyte": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte": "ec29112dd5afa0611ce80d1b7f02629c",
    },
}


def load_mnist(name: str, *, root: Path | str | None, download: bool) -> ImageData:
    """Load ``MNIST`` or ``FashionMNIST``, zero-padded from 28x28 to 32x32.

    Parameters
    ----------
    name
        One of the two.
    root, download
        See :func:`autogrow.data.loading.load`.

    Returns
    -------
    ImageData
        60,000 and 10,000 grey images in the published files.

    Raises
    ------
    UserError
        If a file is missing, damaged or not the published one.
    """
    _, folder = locate(name, root=root, download=download)
    raw = []
    for images_file, labels_file in (IDX_FILES[:2], IDX_FILES[2:]):
        images, images_from = _read(name, folder, images_file, ndim=3)
        labels, labels_from = _read(name, folder, labels_file, ndim=1)
        raw.append(RawSplit(images[..., None], labels, images_from, labels_from))
    return assemble(DATASETS[name], *raw, classes=CLASSES[name])


def _read(name: str, folder: Path, file: str, *, ndim: int) -> tuple:
    """Return the array of a file, plain or compressed, and the path it came from."""
    plain, packed = folder / file, folder / f"{file}.gz"
    md5 = GZ_MD5.get(name, {}).get(file)
    if md5 is not None:  # of the compressed file alone, so no other is read
        if not packed.exists():
            raise UserError(
                f"{plain}: found without {packed.name}; allowed: that published file, which "
                "alone has a known checksum; delete this one and get it again: "
                f"{DATASETS[name].how_to_get}"
            )
        check_md5(packed, md5)
    candidates = (plain, packed) if md5 is None else (packed,)
    path = next((candidate for candidate in candidates if candidate.exists()), None)
    if path is None:
        raise UserError(f"{plain}: not found; allowed: this file, or the same with .gz")
    return read_idx(path, ndim=ndim, sha256=SHA256.get(name, {}).get(file)), str(path)


UNSIGNED_BYTE = 0x08


def read_idx(path: Path, *, ndim: int, sha256: str | None = None) -> np.ndarray:
    """Read an IDX file of unsigned bytes, plain or compressed (``.gz``).

    Parameters
    ----------
    path
        The file.
    ndim
        Number of dimensions it must have: 3 for images, 1 for labels.
    sha256
        Expected SHA-256 of the uncompressed file; None: not checked.

    Returns
    -------
    numpy.ndarray
        uint8, with the shape that the header states.

    Raises
    ------
    UserError
        If the file is missing, damaged, of another type or number of dimensions,
        shorter or longer than its header states, or not the expected file.
    """
    kind = f"an IDX file of unsigned bytes with {ndim} dimension{'s' * (ndim != 1)}"
    on_disk = require_file(path, kind)
    compressed = path.suffix == ".gz"
    with reading(path, kind), gzip.open(path) if compressed else path.open("rb") as file:
        header = file.read(4 + 4 * ndim)
        shape = _parse_header(header, ndim, path, kind)
        count = math.prod(shape)
        most = on_disk * MAX_DEFLATE_RATIO if compressed else on_disk - len(header)
        values = None if count > most else _read_exactly(file, count)
    if values is None:
        size = f"{most} at most" if compressed else str(most)
        raise UserError(
            f"{printable(path)}: found room for {size} values; "
            f"allowed: the {count} of shape {shape} that its header states"
        )
    if sha256 is not None:
        digest = hashlib.sha256(header)
        digest.update(values.data)
        if digest.hexdigest() != sha256:
            raise UserError(
                f"{printable(path)}: found SHA-256 {digest.hexdigest()} (uncompressed); "
                f"allowed: {sha256}, the published file; delete it and get it again"
            )
    return values.reshape(shape)


def _parse_header(header: bytes, ndim: int, path: Path, kind: str) -> tuple[int, ...]:
    if len(header) < 4 + 4 * ndim:
        raise UserError(
            f"{printable(path)}: found {len(header)} bytes, shorter than a header; allowed: {kind}"
        )
    expected = bytes([0, 0, UNSIGNED_BYTE, ndim])
    if header[:4] != expected:
        raise UserError(
            f"{printable(path)}: found magic number 0x{header[:4].hex()}; "
            f"allowed: 0x{expected.hex()}, {kind}"
        )
    return struct.unpack(f">{ndim}I", header[4:])


def _read_exactly(file: IO[bytes], count: int) -> np.ndarray:
    """Read `count` bytes and make sure that the file ends there."""
    values = np.empty(count, dtype=np.uint8)
    view = memoryview(values)
    filled = 0
    while filled < count:
        got = file.readinto(view[filled:])
        if not got:
            raise EOFError(f"{filled} values instead of the {count} that the header states")
        filled += got
    # Reading on to the end also makes gzip compare its checksum.
    if file.read(1):
        raise ValueError(f"more than the {count} values that the header states")
    return values
