"""A user's own data in one ``.npz`` file.

Each member's header is checked against the archive's directory before anything
is allocated: ``numpy.load`` would trust a damaged header and ask for any amount
of memory. Object arrays need pickle, which can run code, so they are refused.
"""

from __future__ import annotations

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autogrow.data.checks import (
    RawSplit,
    check_every_class,
    check_images,
    check_labels,
    check_same_shape,
)
from autogrow.errors import UserError
from autogrow.files.reading import printable, reading, require_file

# Deflate cannot shrink data further than this, so a header that claims more is
# wrong, and nothing of that size needs to be allocated to find out.
MAX_DEFLATE_RATIO = 1032
KEYS = ("x_train", "y_train", "x_test", "y_test")
KIND = "an .npz file with x_train, y_train, x_test and y_test, as numpy.savez writes it"


@dataclass(frozen=True)
class Header:
    """Shape and dtype of an array in the file."""

    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def image_shape(self) -> tuple[int, ...]:
        """The shape (N, H, W, C); grey images may be stored as (N, H, W)."""
        return (*self.shape, 1) if len(self.shape) == 3 else self.shape


def read_npz(path: Path) -> tuple[RawSplit, RawSplit, tuple[str, ...]]:
    """Read images and labels of both splits.

    Parameters
    ----------
    path
        The file. x_train and x_test: uint8, (N, H, W, C) or (N, H, W); y_train
        and y_test: integers, (N,), 0 to C - 1.

    Returns
    -------
    train, test : RawSplit
        Grey images have one channel.
    classes : tuple of str
        "0", "1", ...

    Raises
    ------
    UserError
        If the file is damaged, or a key, dtype, shape or label is not allowed.
    """
    headers = _read_headers(path)
    arrays = _read_arrays(path, headers, KEYS)
    n_classes = _count_classes(arrays, path)
    train, test = (
        RawSplit(
            images=arrays[f"x_{part}"].reshape(headers[f"x_{part}"].image_shape),
            labels=arrays[f"y_{part}"],
            images_from=_where(path, f"x_{part}"),
            labels_from=_where(path, f"y_{part}"),
        )
        for part in ("train", "test")
    )
    return train, test, tuple(str(label) for label in range(n_classes))


def describe_npz(path: Path) -> tuple[int, int, int]:
    """Return the image size, channels and number of classes without reading images.

    Parameters
    ----------
    path
        See :func:`read_npz`.

    Raises
    ------
    UserError
        As :func:`read_npz`, except that images are not looked at.
    """
    headers = _read_headers(path)
    n_classes = _count_classes(_read_arrays(path, headers, ("y_train", "y_test")), path)
    _, height, _, channels = headers["x_train"].image_shape
    return height, channels, n_classes


def _where(path: Path, key: str) -> str:
    return f"{printable(path)}: {key}"


def _read_headers(path: Path) -> dict[str, Header]:
    """Read and check the four headers."""
    on_disk = require_file(path, KIND)
    with reading(path, KIND), zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        missing = [key for key in KEYS if f"{key}.npy" not in names]
        if missing:
            found = ", ".join(sorted(name.removesuffix(".npy") for name in names)) or "nothing"
            raise UserError(
                f"{printable(path)}: found {printable(found)}; missing: {', '.join(missing)}; "
                f"allowed: {KIND}"
            )
        headers = {key: _read_header(archive, key, path, on_disk) for key in KEYS}
    for part in ("train", "test"):
        images, labels = headers[f"x_{part}"], headers[f"y_{part}"]
        check_images(images.dtype, images.image_shape, _where(path, f"x_{part}"))
        if labels.dtype.kind not in "iu" or len(labels.shape) != 1:
            raise UserError(
                f"{_where(path, f'y_{part}')}: found {printable(labels.dtype)} labels of shape "
                f"{printable(labels.shape)}; allowed: integers of shape (N,)"
            )
        if labels.shape[0] != images.shape[0]:
            raise UserError(
                f"{_where(path, f'y_{part}')}: found {labels.shape[0]} labels for "
                f"{images.shape[0]} images; allowed: one per image"
            )
    check_same_shape(
        headers["x_train"].image_shape, headers["x_test"].image_shape, _where(path, "x_test")
    )
    return headers


def _read_header(archive: zipfile.ZipFile, key: str, path: Path, on_disk: int) -> Header:
    """Read one header, and check that the array it states can be in the file."""
    entry = archive.getinfo(f"{key}.npy")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UserError(
            f"{_where(path, key)}: found compression method {entry.compress_type}; "
            "allowed: none, or deflate"
        )
    if entry.compress_size > on_disk or entry.file_size > MAX_DEFLATE_RATIO * on_disk:
        raise UserError(
            f"{_where(path, key)}: found a stated size of {entry.file_size} bytes in a file of "
            f"{on_disk}; allowed: an undamaged file"
        )
    with archive.open(entry) as member:
        version = np.lib.format.read_magic(member)
        # Version 3 exists only for field names, which images do not have.
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(member)
        elif version == (2, 0):
            shape, _, dtype = np.lib.format.read_array_header_2_0(member)
        else:
            raise ValueError(f"npy version {version}")
        start = member.tell()
    if dtype.hasobject:
        raise UserError(
            f"{_where(path, key)}: found an object array, which only pickle could read; "
            "allowed: uint8 images and integer labels"
        )
    if min(shape, default=0) < 0 or start + math.prod(shape) * dtype.itemsize != entry.file_size:
        raise UserError(
            f"{_where(path, key)}: found {entry.file_size - start} bytes of data; allowed: "
            f"what its header states, {printable(dtype)} of shape {printable(shape)}"
        )
    return Header(shape=tuple(int(size) for size in shape), dtype=dtype)


def _read_arrays(
    path: Path, headers: dict[str, Header], keys: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Read arrays whose headers have been checked."""
    arrays = {}
    with reading(path, KIND), zipfile.ZipFile(path) as archive:
        for key in keys:
            with archive.open(f"{key}.npy") as member:
                arrays[key] = np.lib.format.read_array(member, allow_pickle=False)
            if arrays[key].shape != headers[key].shape:
                raise ValueError(f"{key} changed while it was read")
    return arrays


def _count_classes(arrays: dict[str, np.ndarray], path: Path) -> int:
    """Return the largest label + 1, and check that training has every class below it."""
    for key in ("y_train", "y_test"):
        check_labels(arrays[key], _where(path, key))
    n_classes = 1 + max(int(arrays["y_train"].max()), int(arrays["y_test"].max()))
    check_every_class(arrays["y_train"], n_classes, _where(path, "y_train"))
    return n_classes
