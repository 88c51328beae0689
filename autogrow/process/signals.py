"""Signals that ask a run to stop, which it does at the next step, after a checkpoint.

Slurm and preemptible machines send SIGTERM and some seconds later SIGKILL. With
``--signal=USR1@60``, Slurm sends SIGUSR1 a minute before the time limit. A terminal that
is closed sends SIGHUP, and Ctrl-C sends SIGINT.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import NoReturn

from autogrow.errors import InterruptedRunError

KILLING = (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)
PAUSE = 0.02
"""Seconds after which a signal that has come inside an import comes again."""
BURST = 2.0
"""Seconds in which one signal after another is sent, as by a scheduler that ends a job."""


class Terminated(BaseException):
    """A signal that ends this process, as Ctrl-C's KeyboardInterrupt does."""


class Stops(ExitStack):
    """Whether this process has been asked to stop: from :meth:`listen` to the context's end.

    It listens in the main thread only, as Python demands; in other threads nobody ever
    asks. A signal that is ignored (nohup, a shell's background jobs) stays ignored.

    Attributes
    ----------
    asked
        The signal that asked; None if the run is to go on.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked: signal.Signals | None = None

    def listen(self) -> None:
        """Let signals ask for a stop instead of ending this process."""
        self.enter_context(_handled((*KILLING, signal.SIGINT), self.heed))

    def heed(self, number: int, frame: FrameType | None) -> None:
        """Take note of a signal; a second Ctrl-C ends the process at once."""
        if self.asked is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = signal.Signals(number)

    def end(self, message: str) -> NoReturn:
        """End the run because it was asked to stop.

        Raises
        ------
        KeyboardInterrupt
            For Ctrl-C.
        InterruptedRunError
            For another signal, of this process or of another one of the run.
        """
        if self.asked == signal.SIGINT:
            raise KeyboardInterrupt(message)
        by = self.asked.name if self.asked else "another process of this run was stopped"
        raise InterruptedRunError(f"{by}: {message}")


@contextmanager
def raised(*, last: bool = False) -> Iterator[Callable[[], None]]:
    """Let a signal that would kill this process raise :class:`Terminated` instead.

    Others of the same burst change nothing. Yields a function after whose call none is raised
    any more. An import might turn the exception into another or lose it, so a signal that comes
    inside one waits for its end.
    With ``last``, signals stay ignored afterwards: this process is ending.
    """
    silent, first = 0.0, ""
    again: list[threading.Timer] = []

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal silent, first
        if time.monotonic() < silent:
            return
        first = first or signal.Signals(number).name
        if _importing(frame):
            main = threading.main_thread().ident
            again.append(threading.Timer(PAUSE, signal.pthread_kill, (main, number)))
            again[-1].start()
        else:
            silent = time.monotonic() + BURST
            raise Terminated(first)

    def hush() -> None:
        nonlocal silent
        silent = math.inf

    with _handled(KILLING, end, last=last):
        try:
            yield hush
        finally:
            hush()
            for timer in again:
                timer.cancel()
                timer.join()


def _importing(frame: FrameType | None) -> bool:
    """Return whether a module is being imported where a signal has come."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


@contextmanager
def _handled(
    numbers: Sequence[signal.Signals],
    handler: Callable[[int, FrameType | None], None],
    *,
    last: bool = False,
) -> Iterator[None]:
    """Handle the signals that are not ignored; put the old handlers back, or ignore them then."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        heard = [n for n in numbers if signal.getsignal(n) is not signal.SIG_IGN]
        before = {number: signal.signal(number, handler) for number in heard}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, signal.SIG_IGN if last else old)


def outlive_one_sigterm(_worker: int) -> None:
    """Let a worker process go on: a whole job's processes are sent SIGTERM, not only the first.

    A second one, as from the parent that waits for its end, ends it.
    """

    def heed(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, heed)
