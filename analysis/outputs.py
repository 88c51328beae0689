"""Files that belong together: all of them are written, or those that were there stay."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autogrow import files
from autogrow.errors import UserError


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


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Write files, whose folders are made; none is replaced before all are on the disk.

    Raises
    ------
    UserError
        If one cannot be written.
    """
    for path in contents:
        make_folder(path.parent)
    files.write_together(contents)
