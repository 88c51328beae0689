"""Reader of the IDX format, in which MNIST and its relatives are published.

A file is a big-endian header - two zero bytes, a type byte (8: unsigned byte),
the number of dimensions, then one 32-bit size per dimension - and the values.
Described at http://yann.lecun.com/exdb/mnist/.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
from pathlib import Path
from typing import IO

import numpy as np

from autogrow.data.reading import printable, reading, require_file
from autogrow.errors import UserError

UNSIGNED_BYTE = 0x08
# Deflate cannot shrink data further than this, so a header that claims more is
# wrong, and nothing of that size needs to be allocated to find out.
MAX_DEFLATE_RATIO = 1032


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


def check_md5(path: Path, md5: str) -> None:
    """Check the MD5 of a file as it lies on disk.

    Parameters
    ----------
    path
        The file.
    md5
        Expected, 32 hexadecimal digits.

    Raises
    ------
    UserError
        If it differs, or the file cannot be read.
    """
    require_file(path, "a file")
    with reading(path, "a file"), path.open("rb") as file:
        # The publisher's choice of hash; it guards against damage, not attack.
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != md5:
        raise UserError(
            f"{printable(path)}: found MD5 {found}; "
            f"allowed: {md5}, the published file; delete it and get it again"
        )


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
