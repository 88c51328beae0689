"""Signals that ask a run to stop, which it does at the next step, after a checkpoint.

Slurm and preemptible machines send SIGTERM and some seconds later SIGKILL. With
``--signal=USR1@60``, Slurm sends SIGUSR1 a minute before the time limit. A terminal that
is closed sends SIGHUP, and Ctrl-C sends SIGINT.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn, Self

from autogrow.errors import InterruptedRunError

_Handlers = dict[signal.Signals, Any]
SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP, signal.SIGINT)


class Terminated(BaseException):
    """A signal that ends this process, as Ctrl-C's KeyboardInterrupt does."""


class Stops:
    """Whether this process has been asked to stop: from :meth:`listen` to the context's end.

    It listens in the main thread only, as Python demands; in other threads nobody ever
    asks. A signal that is ignored (nohup, a shell's background jobs) stays ignored.

    Attributes
    ----------
    asked
        The signal that asked; None if the run is to go on.
    """

    def __init__(self) -> None:
        self.asked: signal.Signals | None = None
        self._before: _Handlers = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        _put_back(self._before)

    def listen(self) -> None:
        """Let signals ask for a stop instead of ending this process."""
        self._before = _handle(self.heed)

    def heed(self, number: int, frame: FrameType | None) -> None:
        """Take note of a signal; a second Ctrl-C ends at once."""
        if self.asked is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = signal.Signals(number)

    def end(self, told: str) -> NoReturn:
        """End the run because it was asked to stop.

        Raises
        ------
        KeyboardInterrupt
            For Ctrl-C.
        InterruptedRunError
            For another signal, of this process or of another one of the run.
        """
        if self.asked == signal.SIGINT:
            raise KeyboardInterrupt(told)
        by = self.asked.name if self.asked else "another process of this run was stopped"
        raise InterruptedRunError(f"{by}: {told}")


@contextmanager
def raised() -> Iterator[None]:
    """Let the signals that would kill this process raise :class:`Terminated` instead."""

    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise Terminated(signal.Signals(number).name)

    before = _handle(end, but=(signal.SIGINT,))
    try:
        yield
    finally:
        _put_back(before)


def ignore() -> None:
    """Ignore the signals that :func:`raised` raises, because this process is ending already."""
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            if number != signal.SIGINT:
                signal.signal(number, signal.SIG_IGN)


def _handle(
    handler: Callable[[int, FrameType | None], Any], but: tuple[signal.Signals, ...] = ()
) -> _Handlers:
    """Install a handler; return those that were there."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    heard = [n for n in SIGNALS if n not in but and signal.getsignal(n) is not signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in heard}


def _put_back(before: _Handlers) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)


def outlive_one_sigterm(_worker: int) -> None:
    """Let a worker process go on: a whole job's processes are sent SIGTERM, not only the first.

    A second one, as from the parent that waits for its end, ends it.
    """

    def heed(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, heed)
