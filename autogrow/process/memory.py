"""How this process gets memory from the system: kept, and in large pages.

A training step frees and allocates the same large tensors again and again. By default the
C library returns each of them to the system, which clears every page that it hands out:
a fifth to a third of a CPU step.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autogrow.errors import InterruptedRunError, UserError
from autogrow.files.reading import printable

# Of <malloc.h>.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
SHORT = (
    "out of memory|can't allocate memory|not enough memory|bad_alloc|_ALLOC_FAILED"
    "|could not create a memory|could not (create|execute) a primitive(?! descriptor)"
    "|can't start new thread"
)
"""What torch and its libraries say, in a RuntimeError, when an allocation fails."""
LOST_WORKER = "DataLoader worker"
"""What torch says, in a RuntimeError, when one is killed."""


def keep_memory() -> None:
    """Keep freed memory for reuse (glibc), and ask for large pages (Linux).

    Call it in processes of our own before torch is imported, because torch reads the
    wish for large pages from the environment at its first allocation. On other systems
    it does nothing.

    Examples
    --------
    >>> import autogrow
    >>> autogrow.keep_memory()
    """
    if sys.platform != "linux":
        return
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_THRESHOLD, 2**31 - 1)  # never
        libc.mallopt(_TRIM_THRESHOLD, 2**31 - 1)
        libc.mallopt(_TOP_PAD, 64 * 2**20)


def lost_worker(error: Exception) -> InterruptedRunError:
    """Return the error that says what to do once a process that decodes images is killed."""
    return InterruptedRunError(
        f"a process that decodes images was killed ({printable(error)}); most often memory "
        "or shared memory (/dev/shm) is short: fewer --workers need less"
    )


@contextmanager
def reported_when_short(folder: Path) -> Iterator[None]:
    """Report in one line, which names the run's folder, that a run needs more memory.

    Raises
    ------
    UserError
        If an allocation fails, of the system's memory or a GPU's.
    InterruptedRunError
        If a process that decodes images is killed.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        text = str(error)
        if LOST_WORKER in text:  # wherever this process was when it heard of it
            raise lost_worker(error) from None
        if isinstance(error, RuntimeError) and not re.search(SHORT, text):
            raise
        first = text.splitlines()[0] if text else "MemoryError"
        raise UserError(
            f"{folder}: out of memory ({first}); its last checkpoint is kept; free some memory "
            "and repeat the command, or use a smaller batch_size, micro_batch or width"
        ) from None
