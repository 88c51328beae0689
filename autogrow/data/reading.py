"""Turn whatever a broken file makes a library raise into one clear line."""

from __future__ import annotations

import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
