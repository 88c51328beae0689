"""Atomic writing: a file is there whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any

from autogrow.errors import UserError

Content = bytes | Callable[[Path], None]
"""All that a file is to hold, or what writes it to an empty file."""


def write_bytes(path: Path, data: Content, *, sync: bool = True) -> None:
    """Write a file through a temporary file, fsync and rename; see :func:`write_together`."""
    write_together({path: data}, sync=sync)


def write_together(contents: Mapping[Path, Content], *, sync: bool = True) -> None:
    """Write files that belong together; none is replaced before all are written.

    Parameters
    ----------
    contents
        What each file is to hold; folders are made.
    sync
        Whether to wait until all is on the disk; a file that every epoch rewrites
        can do without.

    Raises
    ------
    UserError
        If one cannot be written; what was there before is left as it was.
    """
    for path in contents:
        make_folder(path.parent)
    new = {path: path.with_name(f".{path.name}.{token_hex(8)}.tmp") for path in contents}
    path = Path()
    try:
        for path, data in contents.items():
            with new[path].open("xb") as file:  # a link that somebody has put there is not followed
                if isinstance(data, bytes):
                    file.write(data)
            if not isinstance(data, bytes):
                data(new[path])
            if sync:
                _sync(new[path])
        for path in contents:
            new[path].replace(path)
        if sync:
            for folder in {path.parent for path in contents}:
                _sync(folder)  # the names too
    except BaseException as error:
        for temporary in new.values():
            with contextlib.suppress(OSError):
                temporary.unlink()
        if not isinstance(error, OSError):
            raise
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None


def _sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # not every network file system can sync a folder
            raise
    finally:
        os.close(handle)


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, atomically."""
    write_bytes(path, json_bytes(value))


def json_bytes(value: Any) -> bytes:
    """Return the content of an indented JSON file."""
    return (json.dumps(value, indent=2) + "\n").encode()


def write_csv(
    path: Path, header: Sequence[str], rows: Iterable[Sequence[object]], *, sync: bool = True
) -> None:
    """Write a CSV, atomically."""
    write_bytes(path, csv_bytes(header, rows), sync=sync)


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return the content of a CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().encode()


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises
    ------
    UserError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: cannot be made: {error.strerror or error}") from None
