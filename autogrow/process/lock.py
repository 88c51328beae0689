"""One process on a run's folder at a time.

The file ``lock`` names host and process of whoever trains there. The kernel's
lock on it (flock) ends with the process, however that dies; because not every
shared file system passes that lock on to other hosts, the file is also touched
every ``BEAT`` seconds, and one of another host that was touched lately is
taken as held.

Who comes second is refused, or waits if asked to: on a cluster a job that was
killed has its successor on another host within seconds, and one that a killed
Snakemake has left behind may still be at work.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from autogrow.errors import UserError

NAME = "lock"
BEAT = 30.0
STALE = 10 * BEAT
"""Seconds without a touch after which another host's lock counts as left behind."""
PAUSE = 1.0
"""Seconds between two looks at a lock that is waited for."""


@contextmanager
def locked(folder: Path, say: Callable[[str], None], *, wait: bool = False) -> Iterator[None]:
    """Hold the lock of a run's folder.

    Parameters
    ----------
    folder
        The run's folder; made if it is missing, and removed again if nothing is put into it.
    say
        Told of a lock that a dead process left behind, and who is waited for.
    wait
        Wait for a process that holds it, instead of refusing.

    Raises
    ------
    UserError
        If another process holds it, naming its host and pid, or the folder cannot be made.
    """
    path = folder / NAME
    with _made(folder), _taken(path, say, wait) as file:
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


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise UserError(f"{folder}: is a file; allowed: a folder for the run") from None
    except OSError as error:
        raise UserError(f"{folder}: cannot be made: {error.strerror or error}") from None
    try:
        yield
    finally:
        with suppress(OSError):  # there is something in it
            for made in missing:
                made.rmdir()


def _taken(path: Path, say: Callable[[str], None], wait: bool) -> TextIO:
    """Return the locked file."""
    told = False
    while True:
        try:
            return _opened_and_locked(path, say)
        except _HeldError as error:
            if not wait:
                raise UserError(f"{error}; wait for it, or {error.advice}") from None
            if not told:
                say(f"{error}; waiting for it (or {error.advice})")
            told = True
            time.sleep(PAUSE)


def _opened_and_locked(path: Path, say: Callable[[str], None]) -> TextIO:
    while True:
        try:
            file = path.open("a+")
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                break
        except BlockingIOError:
            holder = _holder(file.seek(0) or file.read())
            file.close()
            raise _HeldError(
                f"{path.parent}: process {holder} is training here", "end it"
            ) from None
        except FileNotFoundError:
            pass
        except OSError as error:  # some clusters' file systems have no flock
            file.close()
            raise UserError(
                f"{path}: cannot be locked: {error.strerror or error}; allowed: a folder on a "
                "file system that has flock"
            ) from None
        file.close()  # its holder has just ended and removed it
    holder = _holder(file.seek(0) or file.read())
    if holder is not None:
        if _beats_elsewhere(path, holder):
            file.close()
            raise _HeldError(
                f"{path.parent}: process {holder} was training here less than {STALE:.0f} s ago",
                f"if it is gone for certain delete {path}",
            )
        say(f"{path.parent}: taking over from process {holder}, which has ended")
    return file


class _HeldError(Exception):
    """Somebody holds the lock; ``advice``: what a user can do about it."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.advice = advice


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
