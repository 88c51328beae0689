"""MNIST and FashionMNIST from their published IDX files."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from autogrow.data.checks import RawData, RawSplit, assemble
from autogrow.data.containers import ImageData
from autogrow.data.locating import IDX_FILES, locate, plain_or_packed
from autogrow.data.registry import DATASETS, DIGITS
from autogrow.files.reading import read_published, reading

LARGEST = 64 * 2**20  # bytes; the largest published file has 47 MB
UNSIGNED_BYTES = 0x800  # magic number of such a file, less its number of dimensions

CLOTHES = "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot"
CLASSES = {"MNIST": DIGITS, "FashionMNIST": tuple(CLOTHES.split(","))}

# SHA-256 of the uncompressed files, in the order of IDX_FILES. The .gz files differ between
# publishers (gzip stores a time). FashionMNIST's are of Debian's package dataset-fashion-mnist.
CONTENTS = {
    "MNIST": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    "FashionMNIST": (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
}
SHA256 = {name: dict(zip(IDX_FILES, known, strict=True)) for name, known in CONTENTS.items()}


def load_mnist(name: str, *, root: Path | str | None, download: bool) -> ImageData:
    """Load ``MNIST`` or ``FashionMNIST``, zero-padded from 28x28 to 32x32."""
    _, folder = locate(name, root=root, download=download)

    def read(file: str, ndim: int) -> np.ndarray:
        known = SHA256.get(name, {}).get(file)
        return read_idx(plain_or_packed(folder / file), ndim=ndim, sha256=known)

    train, test = (
        RawSplit(
            read(images, 3)[..., None],
            read(labels, 1),
            images_from=str(folder / images),
            labels_from=str(folder / labels),
        )
        for images, labels in (IDX_FILES[:2], IDX_FILES[2:])
    )
    return assemble(DATASETS[name], RawData(train, test, CLASSES[name]))


def read_idx(path: Path, *, ndim: int, sha256: str | None = None) -> np.ndarray:
    """Read an IDX file of unsigned bytes with `ndim` dimensions, plain or compressed (``.gz``).

    `sha256` is that of the uncompressed file.
    """
    kind = f"an IDX file of unsigned bytes with {ndim} dimension{'s' * (ndim != 1)}"
    content = read_published(path, kind, LARGEST, sha256)
    with reading(path, kind):
        magic, *shape = struct.unpack_from(f">{1 + ndim}I", content)
        if magic != UNSIGNED_BYTES + ndim:
            raise ValueError(f"magic number {magic:#010x} instead of {UNSIGNED_BYTES + ndim:#010x}")
        return np.frombuffer(content, np.uint8, offset=4 + 4 * ndim).reshape(shape)
