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
from autogrow.files.reading import PUBLISHED, reading, require_digest, require_file, require_md5

LARGEST = 64 * 2**20  # bytes; the largest published file has 47 MB
UNSIGNED_BYTES = 0x800  # magic number of such a file, less its number of dimensions

CLOTHES = "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot"
CLASSES = {"MNIST": DIGITS, "FashionMNIST": tuple(CLOTHES.split(","))}

# SHA-256 of the uncompressed files in Debian's package dataset-fashion-mnist, in the order of
# IDX_FILES. The .gz files differ between publishers (gzip stores a time).
FASHION_SHA256 = (
    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
)
SHA256 = {"FashionMNIST": dict(zip(IDX_FILES, FASHION_SHA256, strict=True))}

# MD5 of the published .gz files, as in torchvision.datasets.MNIST.resources.
MNIST_MD5 = (
    "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "d53e105ee54ea40749a09fcbcd1e9432",
    "9fb629c4189551a2d022fa330f9573f3",
    "ec29112dd5afa0611ce80d1b7f02629c",
)
GZ_MD5 = {"MNIST": dict(zip(IDX_FILES, MNIST_MD5, strict=True))}


def load_mnist(name: str, *, root: Path | str | None, download: bool) -> ImageData:
    """Load ``MNIST`` or ``FashionMNIST``, zero-padded from 28x28 to 32x32."""
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
    """Read an IDX file of unsigned bytes with `ndim` dimensions, plain or compressed (``.gz``).

    `sha256` is that of the uncompressed file.
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
