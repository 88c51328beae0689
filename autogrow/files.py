"""Atomic writing: a file is there whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from autogrow.errors import UserError


def write_bytes(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Write ``data`` to ``path`` through a temporary file, fsync and rename.

    Parameters
    ----------
    path
        The file; its folder must exist.
    data
        The whole content.
    sync
        Whether to wait until the data is on the disk; a file that is written
        anew after every epoch can do without.

    Raises
    ------
    UserError
        If the file cannot be written; what was there before is left as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, atomically."""
    write_bytes(path, (json.dumps(value, indent=2) + "\n").encode())


def write_csv(
    path: Path, header: Sequence[str], rows: Iterable[Sequence[object]], *, sync: bool = True
) -> None:
    """Write a CSV, atomically."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_bytes(path, text.getvalue().encode(), sync=sync)


def read_json(path: Path) -> Any:
    """Return the content of a JSON file.

    Raises
    ------
    UserError
        If it cannot be read or is not JSON.
    """
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise UserError(f"{path}: is not JSON: {error}; delete it to start over") from None
