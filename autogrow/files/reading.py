"""Read files that may be missing, damaged or too large; each failure becomes one clear line."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import json
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autogrow.errors import UserError, cut

PUBLISHED = "the published file; delete it and get it again"


@contextmanager
def reading(path: Path | str, allowed: str) -> Iterator[None]:
    """Turn every exception of the block into a :class:`UserError` that names the file.

    Parsers of untrusted bytes (gzip, zip, npy headers, mat, image codecs) raise a dozen unrelated
    types on damage, and which one depends on the version. Keep the block down to the library's
    call, so that our own mistakes keep their traceback.

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
    except Exception as error:
        raise unreadable(path, allowed, error) from error


def unreadable(path: Path | str, allowed: str, error: Exception) -> UserError:
    """Return the error that says why `path` cannot be read, and what would have been right."""
    if isinstance(error, OSError) and error.strerror:
        found = f"cannot be read: {error.strerror}"
    elif isinstance(error, MemoryError):
        found = "does not fit into memory"
    else:
        found = f"broken or unreadable ({printable(f'{type(error).__name__}: {error}')})"
    return UserError(f"{printable(path)}: {found}; allowed: {allowed}")


def printable(text: object) -> str:
    """Return `text` without characters that a terminal cannot show; long text is cut.

    A path is never cut: it is what a user looks for.
    """
    clean = "".join(char if char.isprintable() else "?" for char in " ".join(str(text).split()))
    return clean if isinstance(text, Path) else cut(clean)


def require_file(path: Path, allowed: str) -> int:
    """Return the size of a regular file in bytes; `allowed` says what it should be.

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
    """Check that `path` is a folder; `allowed` says what it should be.

    Raises
    ------
    UserError
        If it is missing, not a folder, or may not be looked at.
    """
    with reading(path, allowed):
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    if not is_folder:
        raise UserError(f"{printable(path)}: found a file; allowed: {allowed}")


def file_sha256(path: Path, kind: str) -> str:
    """Return the SHA-256 of a file's content, hexadecimal; `kind` says what it should be."""
    require_file(path, kind)
    with reading(path, kind), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_digest(path: Path, algorithm: str, found: str, expected: str, allowed: str) -> None:
    """Check the hexadecimal digest of a file's content.

    Raises
    ------
    UserError
        If they differ; the message names the algorithm and which file is expected.
    """
    if found != expected:
        raise UserError(
            f"{printable(path)}: found {algorithm} {found}; allowed: {expected}, {allowed}"
        )


def read_published(path: Path, kind: str, most: int, digest: str | None = None) -> bytes:
    """Return the content of a published file, plain or compressed (``.gz``).

    `digest` is the hexadecimal SHA-256 or MD5 of the content, which makes it known.

    Raises
    ------
    UserError
        If it cannot be read, has more than `most` bytes, or another content.
    """
    require_file(path, kind)
    opened = gzip.open if path.suffix == ".gz" else open
    with reading(path, kind), opened(path, "rb") as file:
        content = file.read(most + 1)
        if len(content) > most:
            raise ValueError(f"more than {most} bytes")
    if digest:
        md5 = len(digest) == 32
        # The publisher's choice of hash; it guards against damage, not attack.
        found = hashlib.new("md5" if md5 else "sha256", content, usedforsecurity=False).hexdigest()
        name = "MD5" if md5 else "SHA-256"
        require_digest(path, name, found, digest, f"uncompressed, {PUBLISHED}")
    return content


def read_bytes(path: Path, kind: str, most: int) -> bytes:
    """Return the content of a file, which is to be `kind`, as ``a CSV``.

    Raises
    ------
    UserError
        If it cannot be read, is no regular file, or has more than `most` bytes.
    """
    require_file(path, kind)
    with reading(path, kind), path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise UserError(f"{path}: found more than {most} bytes; allowed: {kind} up to that")
    return content


def read_text(path: Path, kind: str, most: int) -> str:
    """Return the text of a file that a user gives; see :func:`read_bytes`.

    Raises
    ------
    UserError
        If it cannot be read, is longer or is not text.
    """
    try:
        return utf8(read_bytes(path, kind, most))
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not text; allowed: {kind} in UTF-8") from None


def utf8(content: bytes) -> str:
    """Return a text of UTF-8 without its byte order mark, or raise UnicodeDecodeError.

    Python imports ``utf-8-sig`` on first use, which fails in a process that has no file
    descriptor left.
    """
    return content.removeprefix(codecs.BOM_UTF8).decode()


def read_json(path: Path) -> Any:
    """Return the content of a JSON file that this program has written.

    Raises
    ------
    UserError
        If it cannot be read or is not JSON.
    """
    require_file(path, "a JSON file")
    return parse_json(read_bytes(path, "a JSON file", 2**24), str(path))


def parse_json(content: bytes, source: str) -> Any:
    """Return what the bytes of a JSON file hold; ``source`` names it if they are not JSON."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{source}: is not JSON: {error}; delete it to start over") from None
