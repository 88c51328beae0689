"""How every command of this project ends: a status, and at most one line on stderr."""

from __future__ import annotations

import io
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from autogrow.errors import InterruptedRunError, UserError
from autogrow.process.signals import Terminated, raised

USER_ERROR = 2
TRY_AGAIN = 75
INTERRUPTED = 130


def exit_status(
    name: str, work: Callable[[], int | None], again: str = "", *, last: bool = False
) -> int:
    """Carry out the work of a command, as ``analysis compare``, and return its exit status.

    0: done; 2: a mistake of the user's or a fault of the machine (a full disk, short
    memory); 75: interrupted, the same command continues; 130: Ctrl-C, after a message that
    ends with ``again``; or what ``work`` returns. With ``last``, this process ends then.

    Imports that take a while belong into ``work``, which no signal kills.
    """
    _open_closed_streams()
    with raised(last=last) as hush:
        return _status(name, work, again, hush)


def _status(name: str, work: Callable[[], int | None], again: str, hush: Callable[[], None]) -> int:
    try:
        try:
            status = work() or 0
            sys.stdout.flush()
            return status
        finally:
            hush()
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
        message = f"error: {error.filename or 'standard output'}: {error.strerror}"
        return _end(name, USER_ERROR, message)
    except (MemoryError, ImportError) as error:
        if isinstance(error, ImportError) and "failed to map segment" not in str(error):
            raise
        message = f"error: out of memory ({error}); free some memory and repeat the command"
        return _end(name, USER_ERROR, message)


def _drop_output() -> None:
    """Keep Python from printing at its end what standard output does not take."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _open_closed_streams() -> None:
    """Open a standard stream that is closed on the null device.

    A file that is opened later must not get its number: what libraries print would go there.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, os.O_RDWR)  # the lowest that is free
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, mode))
    if isinstance(sys.stdout, io.TextIOWrapper):  # paths need not be text
        sys.stdout.reconfigure(errors="backslashreplace")


def continuing(arguments: Sequence[str]) -> str:
    """Return, for the message after Ctrl-C, the command of ``autogrow`` that continues the run."""
    command = shlex.join(["autogrow", *(a for a in arguments if a != "--restart")])
    return f"; the same command continues the run: {command}"


def _end(name: str, status: int, message: str) -> int:
    with suppress(OSError):  # the terminal may be gone
        print(f"{name}: {message}", file=sys.stderr)
    return status
