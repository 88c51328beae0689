"""Turn whatever a broken file makes a library raise into one clear line."""

from __future__ import annotations

import codecs
import hashlib
import json
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autogrow.errors import UserError

LONGEST_DETAIL = 160  # characters of a library's message, or of a name found in a file


@contextmanager
def reading(path: Path | str, allowed: str) -> Iterator[None]:
    """Turn every exception of the block into a :class:`UserError` that names the file.

    Parsers of untrusted bytes (gzip, zip, npy headers, pickle, mat, image codecs)
    raise a dozen unrelated types on damage, and which one depends on the version;
    so all are caught. Keep the block down to the library's call, so that mistakes
    of our own keep their traceback.

    Parameters
    ----------
    path
        The file or folder that is read.
    allowed
        What would have been right, for the end of the message.

    Raises
    ------
    UserError
        If the block raises; a UserError of the block passes unchanged.
    """
    try:
        # A damaged header also draws warnings, which would repeat the error's message.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"{printable(path)}: not found; allowed: {allowed}") from error
    except PermissionError as error:
        raise UserError(
            f"{printable(path)}: no permission to read it; allowed: {allowed} that you may read"
        ) from error
    except MemoryError as error:
        raise UserError(
            f"{printable(path)}: does not fit into memory; allowed: {allowed} that fits"
        ) from error
    except Exception as error:
        detail = printable(f"{type(error).__name__}: {error}")
        raise UserError(
            f"{printable(path)}: broken or unreadable ({detail}); allowed: {allowed}"
        ) from error


def printable(text: object) -> str:
    """Return `text` without characters that a terminal cannot show; long text is cut.

    A path is never cut: it is what a user looks for.
    """
    clean = "".join(char if char.isprintable() else "?" for char in " ".join(str(text).split()))
    if isinstance(text, Path) or len(clean) <= LONGEST_DETAIL:
        return clean
    return clean[: LONGEST_DETAIL - 3] + "..."


def require_file(path: Path, allowed: str) -> int:
    """Return the size of a regular file in bytes.

    Parameters
    ----------
    path
        The file.
    allowed
        What it should be, for the message.

    Raises
    ------
    UserError
        If it is missing, a folder, a pipe or a device (which would block a
        reader), or may not be looked at.
    """
    with reading(path, allowed):
        status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise UserError(f"{printable(path)}: found {kind}; allowed: {allowed}")
    return status.st_size


def require_folder(path: Path, allowed: str) -> None:
    """Check that `path` is a folder.

    Parameters
    ----------
    path
        The folder.
    allowed
        What it should be, for the message.

    Raises
    ------
    UserError
        If it is missing, not a folder, or may not be looked at.
    """
    with reading(path, allowed):
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    if not is_folder:
        raise UserError(f"{printable(path)}: found a file; allowed: {allowed}")


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


def read_text(path: Path, kind: str, most: int) -> str:
    """Return the content of a text file that a user gives; a mark of UTF-8 is left out.

    Parameters
    ----------
    path
        The file.
    kind
        What it should be, as ``a CSV``, for messages.
    most
        Bytes that it may have: also a device that never ends is told.

    Raises
    ------
    UserError
        If it cannot be read, is longer or is not text.
    """
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise UserError(f"{path}: found more than {most} bytes; allowed: {kind} up to that")
        return utf8(content)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not text; allowed: {kind} in UTF-8") from None


def utf8(content: bytes) -> str:
    """Return a text of UTF-8 without its mark.

    Python's ``utf-8-sig`` is a module that the first use imports, which fails in a process
    that may open no more files; UTF-8 itself is always there.

    Raises
    ------
    UnicodeDecodeError
        If it is not UTF-8.
    """
    return content.removeprefix(codecs.BOM_UTF8).decode()


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
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: is not JSON: {error}; delete it to start over") from None
