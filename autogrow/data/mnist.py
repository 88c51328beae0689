"""MNIST and FashionMNIST from their published IDX files."""

from __future__ import annotations

from pathlib import Path

from autogrow.data.checks import RawSplit, assemble
from autogrow.data.idx import check_md5, read_idx
from autogrow.data.images import ImageData
from autogrow.data.places import IDX_FILES, locate
from autogrow.data.registry import DATASETS, DIGITS
from autogrow.errors import UserError

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
