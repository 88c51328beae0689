"""CIFAR10, CIFAR100 and SVHN, whose published checksums torchvision knows.

The checksum of each file's content is compared first, and of the CIFAR sets' pickles nothing but
arrays and plain values is read: no pickle can run code here.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from autogrow.data.checks import RawData, RawSplit, assemble
from autogrow.data.containers import ImageData
from autogrow.data.locating import locate, plain_or_packed
from autogrow.data.registry import DATASETS, DIGITS
from autogrow.files.reading import PUBLISHED, printable, read_published, reading

LARGEST = 256 * 2**20  # bytes; the largest published file has 182 MB


def load_torchvision(name: str, *, root: Path | str | None, download: bool) -> ImageData:
    """Load ``CIFAR10``, ``CIFAR100`` or ``SVHN`` (its train split, without extra)."""
    _, folder = locate(name, root=root, download=download)
    from torchvision import datasets

    cls = getattr(datasets, name)
    if name == "SVHN":
        train, test = (_svhn(folder, *cls.split_list[part][1:]) for part in ("train", "test"))
        return assemble(DATASETS[name], RawData(train, test, DIGITS))
    train, test = (_cifar(folder, files) for files in (cls.train_list, cls.test_list))
    meta = _unpickled(folder, cls.meta["filename"], cls.meta["md5"])
    return assemble(DATASETS[name], RawData(train, test, tuple(meta[cls.meta["key"]])))


def _cifar(folder: Path, files: list[tuple[str, str]]) -> RawSplit:
    parts = [_unpickled(folder, file, md5) for file, md5 in files]
    pixels = np.concatenate([part["data"] for part in parts]).reshape(-1, 3, 32, 32)
    key = "labels" if "labels" in parts[0] else "fine_labels"
    labels = np.concatenate([part[key] for part in parts])
    source = printable(folder)
    return RawSplit(pixels.transpose(0, 2, 3, 1), labels, source, source)


def _svhn(folder: Path, file: str, md5: str) -> RawSplit:
    from scipy.io import loadmat

    path = plain_or_packed(folder / file)
    content = read_published(path, PUBLISHED, LARGEST, md5)
    with reading(path, PUBLISHED):
        loaded = loadmat(io.BytesIO(content))
    source = printable(path)
    # Their class 10 is the digit 0.
    labels = np.where(loaded["y"] == 10, 0, loaded["y"]).astype(np.int64).ravel()
    return RawSplit(loaded["X"].transpose(3, 0, 1, 2), labels, source, source)


class _ArraysAlone(pickle.Unpickler):
    """Reads plain values and numpy's arrays, and refuses every other class or function."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what a pickle names, if it belongs to an array."""
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        if name == "_reconstruct" and module.endswith("core.multiarray"):
            return np.zeros(0).__reduce__()[0]
        raise pickle.UnpicklingError(f"{module}.{name} is no array")


def _unpickled(folder: Path, file: str, md5: str) -> dict[str, Any]:
    path = plain_or_packed(folder / file)
    content = read_published(path, PUBLISHED, LARGEST, md5)
    with reading(path, PUBLISHED):
        loaded: dict[str, Any] = _ArraysAlone(io.BytesIO(content), encoding="latin1").load()
    return loaded
