"""How this process gets memory from the system: kept, and in large pages.

A training step frees and allocates the same large tensors again and again. By
default the C library gives each of them back to the system and asks for it
anew, and the system clears every page: a fifth to a third of a CPU step.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys

# Of <malloc.h>.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_NEVER = 2**31 - 1
_GROW_BY = 64 * 2**20


def keep_memory() -> None:
    """Keep freed memory for reuse (glibc), and ask for large pages (Linux).

    For processes of our own, before torch is imported: the second is read from
    the environment at torch's first allocation. Nothing is done elsewhere.
    """
    if sys.platform != "linux":
        return
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_THRESHOLD, _NEVER)
        libc.mallopt(_TRIM_THRESHOLD, _NEVER)
        libc.mallopt(_TOP_PAD, _GROW_BY)
