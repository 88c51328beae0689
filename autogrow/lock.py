"""One process on a run's folder at a time.

The file ``lock`` names host and process of whoever trains there. The kernel's
lock on it (flock) ends with the process, however that dies; because not every
shared file system passes that lock on to other hosts, the file is also touched
every ``BEAT`` seconds, and one of another host that was touched lately is
taken as held.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from autogrow.errors import UserError

NAME = "lock"
BEAT = 30.0
STALE = 10 * BEAT
"""Seconds without a touch after which another host's lock counts as left behind."""


@contextmanager
def locked(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of a run's folder.

    Parameters
    ----------
    folder
        The run's folder; must exist.
    say
        Told of a lock that a dead process left behind.

    Raises
    ------
    UserError
        If another process holds it, naming its host and pid.
    """
    path = folder / NAME
    with _opened_and_locked(path) as file:
        holder = _holder(file.seek(0) or file.read())
        if holder is not None:
            if _beats_elsewhere(path, holder):
                raise UserError(
                    f"{folder}: process {holder} was training here less than {STALE:.0f} s ago; "
                    f"wait for it, or if it is gone for certain delete {path}"
                )
            say(f"{folder}: taking over from process {holder}, which has ended")
        file.truncate(0)
        file.write(json.dumps({"host": socket.gethostname(), "pid": os.getpid()}))
        file.flush()
        stop = threading.Event()
        beating = threading.Thread(target=_beat, args=(path, stop), daemon=True)
        beating.start()
        try:
            yield
        finally:
            stop.set()
            beating.join()
            # While the lock is held: whoever comes next makes a file of its own.
            path.unlink(missing_ok=True)


def _opened_and_locked(path: Path) -> TextIO:
    while True:
        try:
            file = path.open("a+")
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                return file
        except BlockingIOError:
            holder = _holder(file.seek(0) or file.read())
            file.close()
            raise UserError(
                f"{path.parent}: process {holder} is training here; wait for it or end it"
            ) from None
        except FileNotFoundError:
            pass
        file.close()  # its holder has just ended and removed it


def _beat(path: Path, stop: threading.Event) -> None:
    while not stop.wait(BEAT):
        try:
            os.utime(path)
        except OSError:  # the folder is gone: the run itself will tell
            return


def _holder(content: str) -> str | None:
    """Return ``pid on host``, None for an empty file."""
    if not content:
        return None
    try:
        told = json.loads(content)
        return f"{told['pid']} on {told['host']}"
    except (ValueError, TypeError, KeyError):
        return "unknown"


def _beats_elsewhere(path: Path, holder: str) -> bool:
    if holder.endswith(f" on {socket.gethostname()}"):
        return False  # the kernel's lock was free
    probe = path.with_name(f".{NAME}.{os.getpid()}.tmp")
    probe.touch()  # the file system's clock, not this host's
    age = probe.stat().st_mtime - path.stat().st_mtime
    probe.unlink()
    return age < STALE
