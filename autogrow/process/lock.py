"""One process on a run's folder at a time.

The file ``lock`` names the host and the process that trains there. The kernel's lock on
it (flock) ends with the process, however that dies. Because not every shared file system
passes that lock on to other hosts, the holder also touches the file every ``BEAT``
seconds, and another host's file that was touched lately counts as held.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TextIO

from autogrow.errors import UserError
from autogrow.files.writing import make_folder

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
        Called with a message about a lock that a dead process left, and about the process
        that is waited for.
    wait
        Wait for a process that holds it, instead of refusing.

    Raises
    ------
    UserError
        If another process holds it, naming its host and pid, or the folder cannot be made.
    """
    path = folder / NAME
    with _made(folder), _taken(path, say, wait) as file:
        file.seek(0)
        file.truncate()
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
    """Make a folder; remove it again, and those above it, if they stay empty."""
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    make_folder(folder)
    try:
        yield
    finally:
        with suppress(OSError):  # there is something in it
            for made in missing:
                made.rmdir()


def _taken(path: Path, say: Callable[[str], None], wait: bool) -> TextIO:
    """Return the locked file."""
    said = False
    while True:
        try:
            # Neither follows a link nor waits for who reads a FIFO.
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
            handle = os.open(path, flags, 0o666)
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError(errno.EINVAL, "it is no regular file")
            file = os.fdopen(handle, "r+")
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            holder = _read_holder(file)
            if path.stat().st_ino != os.fstat(file.fileno()).st_ino:
                raise FileNotFoundError
            if holder is None or not _beats_elsewhere(path, holder):
                if holder is not None:
                    say(f"{path.parent}: taking over from process {holder}, which has ended")
                return file
            held = f"process {holder} was training here less than {STALE:.0f} s ago"
            advice = f"if it is gone for certain delete {path}"
        except BlockingIOError:
            held, advice = f"process {_read_holder(file)} is training here", "end it"
        except FileNotFoundError:  # its holder has just ended and removed it
            file.close()
            continue
        except OSError as error:  # some clusters' file systems have no flock
            file.close()
            raise UserError(
                f"{path}: cannot be locked: {error.strerror or error}; allowed: a folder on a "
                "file system that has flock"
            ) from None
        file.close()
        if not wait:
            raise UserError(f"{path.parent}: {held}; wait for it, or {advice}")
        if not said:
            say(f"{path.parent}: {held}; waiting for it (or {advice})")
        said = True
        time.sleep(PAUSE)


def _beat(path: Path, stop: threading.Event) -> None:
    while not stop.wait(BEAT):
        # A network file system fails now and then (ESTALE): the next beat may reach it. If the
        # folder is gone, the run itself will report it.
        with suppress(OSError):
            os.utime(path)


def _read_holder(file: TextIO) -> str | None:
    """Return ``pid on host`` of a lock file's content, None for an empty file."""
    file.seek(0)
    try:
        content = file.read()
        if not content:
            return None
        holder = json.loads(content)
        return f"{holder['pid']} on {holder['host']}"
    except (ValueError, TypeError, KeyError):
        return "unknown"


def is_alive(path: Path) -> bool:
    """Return whether the process that holds a lock file seems to be at work.

    Only looks, so that no run that starts meanwhile finds the lock taken: the file must
    have been touched lately, and the process must exist if it is one of this host.
    """
    try:
        if not path.is_file() or time.time() - path.stat().st_mtime >= STALE:
            return False
        holder = json.loads(path.read_text())
        host, pid = holder["host"], int(holder["pid"])
        if host == socket.gethostname():
            os.kill(pid, 0)
    except PermissionError:  # another user's process, or another user's file
        return True
    except (OSError, ValueError, TypeError, KeyError, OverflowError):
        return False
    return True


def _beats_elsewhere(path: Path, holder: str) -> bool:
    if holder.endswith(f" on {socket.gethostname()}"):
        return False  # the kernel's lock was free
    # The file system's clock, not this host's.
    with NamedTemporaryFile(dir=path.parent, prefix=f".{NAME}.", suffix=".tmp") as probe:
        return os.fstat(probe.fileno()).st_mtime - path.stat().st_mtime < STALE
