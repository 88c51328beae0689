"""What a run tells its user: one live line or plain lines, and a log file."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from autogrow.errors import UserError
from autogrow.process.terminal import Screen
from autogrow.training.metrics import BESIDE
from autogrow.training.standing import Standing

LOG = "log.txt"
REFRESH = 0.25
"""Seconds between two updates of the live line."""


class Reporter:
    """Reports a run's progress.

    On a terminal, one line shows epoch, phase, depth, accuracy and time left; it is renewed
    inside epochs too. Elsewhere, each epoch is one line on stderr. ``log.txt`` gets the
    lines in any case.

    Parameters
    ----------
    folder
        Run folder.
    quiet
        Whether nothing is written to the terminal; the log file is written all the same.
    silent
        Whether nothing is written at all, because another process of the run reports.
    """

    def __init__(self, folder: Path, *, quiet: bool = False, silent: bool = False) -> None:
        self._screen = Screen(None if quiet or silent else sys.stderr)
        self._next_refresh = 0.0
        log = Path(os.devnull) if silent else folder / LOG
        try:
            # Does not wait for who reads a FIFO.
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK
            self._log = os.fdopen(
                os.open(log, flags, 0o666),
                "a",
                buffering=1,
                encoding="utf-8",
                errors="backslashreplace",
            )
        except OSError as error:
            raise UserError(f"{log}: cannot be written: {error.strerror or error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._screen.close()
        self._log.close()

    def say(self, message: str) -> None:
        """Report something that is not an epoch."""
        self._write_log(message)
        self._screen.say(message)

    def epoch(
        self, epoch: int, expected: int, phase: str, depth: str, loss: float, accuracy: float | None
    ) -> None:
        """Report an epoch that has ended: how many are trained, and how many are needed in all.

        While the network grows, ``expected`` is the least number known.
        """
        shown = "" if accuracy is None else f", val accuracy {accuracy:.2f} %"
        line = f"epoch {epoch}/{expected} {phase} {depth}: train loss {loss:.4f}{shown}"
        self._write_log(line)
        if not self._screen.live:
            self._screen.say(line)
        elif epoch == expected and phase not in BESIDE:
            self._screen.show([str(Standing(epoch, expected, phase, depth, accuracy))])

    def standing(self, standing: Callable[[], Standing]) -> None:
        """Renew the live line, a few times a second at most, with what ``standing`` returns."""
        now = time.monotonic()
        if self._screen.live and now >= self._next_refresh:
            self._next_refresh = now + REFRESH
            self._screen.show([str(standing())])

    def _write_log(self, line: str) -> None:
        self._log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")
