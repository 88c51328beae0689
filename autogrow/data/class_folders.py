"""List folders that have a folder of image files for each class.

Classes and files are taken in the order of their names, so that labels do not depend on
the file system. Hidden entries such as .DS_Store do not count.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from autogrow.errors import UserError, allowed
from autogrow.files.reading import printable, require_folder, unreadable

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
LISTERS = 16  # threads: on a network file system most of the time is waiting

Files = list[tuple[str, int]]  # name and size, sorted by name


def class_names(folder: Path) -> list[str]:
    """Return the sorted names of the class folders: two or more, with no file beside them."""
    require_folder(folder, "a folder of images, with a folder for each class")
    entries = _entries(folder)
    files = [entry.name for entry in entries if not is_folder(entry)]
    if files:
        raise UserError(
            f"{printable(folder / min(files))}: found a file beside class folders{more(files)}; "
            "allowed: class folders only"
        )
    if len(entries) < 2:
        raise UserError(
            f"{printable(folder)}: found {len(entries)} class folders; allowed: 2 or more"
        )
    return sorted(entry.name for entry in entries)


def require_classes(folder: Path, classes: Sequence[str], train: Path) -> None:
    """Check that `folder` has the class folders that `train` has, and no others."""
    found = class_names(folder)
    for absent, missing, there in (
        (folder, sorted({*classes} - {*found}), train),
        (train, sorted({*found} - {*classes}), folder),
    ):
        if missing:
            raise UserError(
                f"{printable(absent)}: found no class folder {printable(missing[0])}"
                f"{more(missing)}, which {printable(there)} has; "
                "allowed: the same class folders in both"
            )


def has_folders(folder: Path) -> bool:
    """Return whether a folder of images, which must not be empty, contains any folder."""
    require_folder(folder, "a folder of images")
    entries = _entries(folder)
    if not entries:
        raise UserError(f"{printable(folder)}: found zero images; allowed: one or more")
    return any(is_folder(entry) for entry in entries)


def list_classes(
    folder: Path, classes: Sequence[str], *, may_be_empty: bool = False
) -> dict[str, Files]:
    """Return the files of each class; an error concerns the first class that has one."""
    with ThreadPoolExecutor(LISTERS) as pool:
        listed = pool.map(lambda c: list_files(folder / c, may_be_empty=may_be_empty), classes)
        return dict(zip(classes, listed, strict=True))


def list_files(folder: Path, *, may_be_empty: bool = False) -> Files:
    """Return the sorted names and sizes of the images in a folder; nothing else may be there."""
    files, others = [], []
    for entry in _entries(folder):
        try:
            status = entry.stat()
        except OSError as error:  # a link to nothing, for one
            raise unreadable(Path(entry.path), "an image file", error) from None
        if not stat.S_ISREG(status.st_mode) or not entry.name.lower().endswith(SUFFIXES):
            others.append(entry)
        files.append((entry.name, status.st_size))
    if others:
        first = min(others, key=lambda entry: entry.name)
        found = "another type" if first.is_file() else "no regular file"
        raise UserError(
            f"{printable(Path(first.path))}: found {found}{more(others)}; "
            f"allowed: image files {allowed(SUFFIXES)}"
        )
    if not files and not may_be_empty:
        raise UserError(f"{printable(folder)}: found no image; allowed: one or more")
    return sorted(files)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:  # not `reading`, whose filter of warnings is not for threads
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise unreadable(folder, "a folder", error) from None


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder; a link to itself, for one, is not."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def more(things: Sequence[object]) -> str:
    """Return how many there are beside the one that a message names."""
    return f" (and {len(things) - 1:,} more)" if len(things) > 1 else ""
