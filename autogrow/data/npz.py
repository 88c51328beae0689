"""Read a user's own data from one ``.npz`` file, without pickle, which can run code."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from autogrow.data.checks import RawData, RawSplit
from autogrow.errors import UserError
from autogrow.files.reading import printable, reading, require_file

KEYS = ("x_train", "y_train", "x_test", "y_test")
SMALL = 64 * 2**20  # bytes of a member
MAX_EXPANSION = 100  # of a larger one; MNIST's images expand 5-fold
KIND = "an .npz file with x_train, y_train, x_test and y_test, as numpy.savez writes it"


def read_npz(path: Path, *, headers_only: bool = False) -> RawData:
    """Read images and labels of both splits; grey images may lack the axis of channels.

    With `headers_only` the images have their shape, but no content.
    """
    file_size = require_file(path, KIND)
    arrays = {}
    with reading(path, KIND), zipfile.ZipFile(path) as archive:
        names = sorted(name.removesuffix(".npy") for name in archive.namelist())
        missing = [key for key in KEYS if key not in names]
        if missing:
            raise UserError(
                f"{printable(path)}: found {printable(', '.join(names) or 'nothing')}; "
                f"missing: {', '.join(missing)}; allowed: {KIND}"
            )
        for key in KEYS:
            entry = archive.getinfo(f"{key}.npy")
            packed, size = min(entry.compress_size, file_size), entry.file_size
            if size > max(SMALL, MAX_EXPANSION * packed):
                raise UserError(
                    f"{printable(path)}: {key}: found {size:,} bytes packed into {packed:,}; "
                    f"allowed: {MAX_EXPANSION} times as many (numpy.savez does not pack)"
                )
            with reading(path / key, KIND), archive.open(f"{key}.npy") as member:
                if headers_only and key.startswith("x"):
                    arrays[key] = _without_content(member)
                else:
                    arrays[key] = np.lib.format.read_array(member, allow_pickle=False)
            if key.startswith("x") and arrays[key].ndim == 3:
                arrays[key] = arrays[key][..., None]
    train, test = (
        RawSplit(
            arrays[f"x_{part}"],
            arrays[f"y_{part}"],
            images_from=f"{printable(path)}: x_{part}",
            labels_from=f"{printable(path)}: y_{part}",
        )
        for part in ("train", "test")
    )
    return RawData(train, test)


def _without_content(member: IO[bytes]) -> np.ndarray:
    """Return an array of the shape and type that a header states; it takes up no memory."""
    # Version 3 exists only for field names, which images do not have.
    one = np.lib.format.read_magic(member) == (1, 0)
    read = np.lib.format.read_array_header_1_0 if one else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(member)
    if dtype.hasobject:
        raise ValueError("an object array, which only pickle could read")
    return np.broadcast_to(np.zeros((), dtype), shape)
