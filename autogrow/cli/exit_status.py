"""How every command of this project ends: a status, and at most one line on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress

from autogrow.errors import InterruptedRunError, UserError
from autogrow.process.signals import Terminated, ignore, raised

USER_ERROR = 2
TRY_AGAIN = 75
INTERRUPTED = 130


def exit_status(name: str, work: Callable[[], int | None], again: str = "") -> int:
    """Carry out the work of a command, as ``analysis compare``, and return its exit status.

    0: done; 2: a mistake of the user's or a fault of the machine (a full disk, short
    memory); 75: interrupted, the same command continues; 130: Ctrl-C, after a message that
    ends with ``again``; or what ``work`` returns.
    """
    with raised():
        return _status(name, work, again)


def _status(name: str, work: Callable[[], int | None], again: str) -> int:
    try:
        status = work() or 0
        sys.stdout.flush()
        return status
    except UserError as error:
        return _end(name, USER_ERROR, f"error: {error}")
    except InterruptedRunError as error:
        return _end(name, TRY_AGAIN, f"interrupted: {error}")
    except Terminated as error:
        # Perhaps by torchrun, on the way out because another process was lost.
        first = error.__context__
        reason = first if isinstance(first, InterruptedRunError) else error
        return _end(name, TRY_AGAIN, f"interrupted: {reason}")
    except KeyboardInterrupt:
        return _end(name, INTERRUPTED, f"interrupted{again}")
    except BrokenPipeError:  # `autogrow replay ... | head`
        _drop_output()
        return 0
    except OSError as error:
        if error.errno is None:
            raise
        if error.filename is None:  # only printing names no file
            _drop_output()
        told = f"error: {error.filename or 'standard output'}: {error.strerror}"
        return _end(name, USER_ERROR, told)
    except (MemoryError, ImportError) as error:
        if isinstance(error, ImportError) and "failed to map segment" not in str(error):
            raise
        told = f"error: out of memory ({error}); free some memory and repeat the command"
        return _end(name, USER_ERROR, told)


def _drop_output() -> None:
    """Keep Python from printing at its end what standard output does not take."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _end(name: str, status: int, told: str) -> int:
    ignore()
    with suppress(OSError):  # the terminal may be gone
        print(f"{name}: {told}", file=sys.stderr)
    return status
