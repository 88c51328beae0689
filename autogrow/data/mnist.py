"""MNIST and FashionMNIST from their published IDX files."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np

from autogrow.data.checks import RawData, RawSplit, assemble
from autogrow.data.containers import ImageData
from autogrow.data.locating import IDX_FILES, locate
from autogrow.data.registry import DATASETS, DIGITS
from autogrow.errors import UserError
from autogrow.files.reading import (
    PUBLISHED,
    reading,
    require_digest,
    require_file,
    require_md5,
)

LARGEST = 64 * 2**20  # bytes; the largest published file has 47 MB
UNSIGNED_BYTES = 0x800  # magic number of such a file, less its number of dimensions

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

# SHA-256 of the uncompressed files in Debian's package dataset-fashion-mnist. The .gz files
# differ between publishers (gzip stores a time), so only the content can be compared.
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
    train, test = (
        RawSplit(
            _read(name, folder, images, ndim=3)[..., None],
            _read(name, folder, labels, ndim=1),
            images_from=str(folder / images),
            labels_from=str(folder / labels),
        )
        for images, labels in (IDX_FILES[:2], IDX_FILES[2:])
    )
    return assemble(DATASETS[name], RawData(train, test, CLASSES[name]))


def _read(name: str, folder: Path, file: str, *, ndim: int) -> np.ndarray:
    """Return the array of a published file, plain or compressed."""
    plain, packed = folder / file, folder / f"{file}.gz"
    md5 = GZ_MD5.get(name, {}).get(file)
    if md5 is None:
        path = plain if plain.exists() else packed
        return read_idx(path, ndim=ndim, sha256=SHA256.get(name, {}).get(file))
    if not packed.exists():
        raise UserError(
            f"{plain}: found without {packed.name}; allowed: that published file, which "
            "alone has a known checksum; delete this one and get it again: "
            f"{DATASETS[name].how_to_get}"
        )
    require_md5(packed, md5)
    return read_idx(packed, ndim=ndim)


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
    require_file(path, kind)
    opened = gzip.open if path.suffix == ".gz" else open
    with reading(path, kind), opened(path, "rb") as file:
        content = file.read(LARGEST + 1)
    if sha256 is not None:
        found = hashlib.sha256(content).hexdigest()
        require_digest(path, "SHA-256", found, sha256, f"uncompressed, {PUBLISHED}")
    with reading(path, kind):
        if len(content) > LARGEST:
            raise ValueError(f"more than {LARGEST} bytes")
        magic, *shape = struct.unpack_from(f">{1 + ndim}I", content)
        if magic != UNSIGNED_BYTES + ndim:
            raise ValueError(f"magic number {magic:#010x} instead of {UNSIGNED_BYTES + ndim:#010x}")
        return np.frombuffer(content, np.uint8, offset=4 + 4 * ndim).reshape(shape)
