"""A user's own data in one ``.npz`` file.

numpy reads the arrays, without pickle, which can run code. numpy would trust a damaged
header and ask for any amount of memory, so each header is compared with the archive's
directory first.
"""

from __future__ import annotations

import math
import zipfile
from pathlib import Path

import numpy as np

from autogrow.data.checks import RawData, RawSplit
from autogrow.errors import UserError
from autogrow.files.reading import printable, reading, require_file

# Deflate cannot shrink data further than this.
MAX_DEFLATE_RATIO = 1032
KEYS = ("x_train", "y_train", "x_test", "y_test")
KIND = "an .npz file with x_train, y_train, x_test and y_test, as numpy.savez writes it"


def read_npz(path: Path, *, headers_only: bool = False) -> RawData:
    """Read images and labels of both splits.

    Parameters
    ----------
    path
        The file. x_train and x_test: uint8, (N, H, W, C) or (N, H, W); y_train
        and y_test: integers, (N,), 0 to C - 1.
    headers_only
        Whether to leave the images unread: they have their shape, but no content.

    Raises
    ------
    UserError
        If the file is damaged or a key is missing.
    """
    on_disk = require_file(path, KIND)
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
            shape, dtype = _checked_header(archive, key, on_disk)
            if headers_only and key.startswith("x"):
                arrays[key] = np.broadcast_to(np.zeros((), dtype), shape)
            else:
                with archive.open(f"{key}.npy") as member:
                    arrays[key] = np.lib.format.read_array(member, allow_pickle=False)
    train, test = (
        RawSplit(
            arrays[f"x_{part}"][..., None]
            if arrays[f"x_{part}"].ndim == 3
            else arrays[f"x_{part}"],
            arrays[f"y_{part}"],
            images_from=f"{printable(path)}: x_{part}",
            labels_from=f"{printable(path)}: y_{part}",
        )
        for part in ("train", "test")
    )
    return RawData(train, test)


def _checked_header(
    archive: zipfile.ZipFile, key: str, on_disk: int
) -> tuple[tuple[int, ...], np.dtype]:
    """Return shape and dtype of an array that can be in a file of `on_disk` bytes."""
    entry = archive.getinfo(f"{key}.npy")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{key}: compression method {entry.compress_type}")
    if entry.file_size > MAX_DEFLATE_RATIO * on_disk:
        raise ValueError(f"{key}: {entry.file_size} bytes stated in a file of {on_disk}")
    with archive.open(entry) as member:
        version = np.lib.format.read_magic(member)
        # Version 3 exists only for field names, which images do not have.
        read = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read = np.lib.format.read_array_header_2_0
        shape, _, dtype = read(member)
        start = member.tell()
    if dtype.hasobject:
        raise ValueError(f"{key}: an object array, which only pickle could read")
    if min(shape, default=0) < 0 or start + math.prod(shape) * dtype.itemsize != entry.file_size:
        raise ValueError(
            f"{key}: {entry.file_size - start} bytes instead of {dtype} of shape {shape}"
        )
    return shape, dtype
