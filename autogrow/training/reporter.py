"""What a run tells its user: a progress bar or plain lines, and a log file."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from autogrow.errors import UserError


class Reporter:
    """Reports a run's progress.

    On a terminal: a progress bar with epoch, phase, depth, accuracy and time
    left. Elsewhere: one line an epoch on stderr. ``log.txt`` gets the lines in
    any case.

    Parameters
    ----------
    folder
        The run's folder.
    quiet
        Nothing on the terminal; the log file is written all the same.
    silent
        Nothing at all: another process of the run reports.
    """

    def __init__(self, folder: Path, *, quiet: bool = False, silent: bool = False) -> None:
        self._quiet = quiet or silent
        self._bar = None
        log = Path(os.devnull) if silent else folder / "log.txt"
        try:
            self._log = log.open("a", buffering=1)
        except OSError as error:
            raise UserError(f"{folder}: cannot be written: {error.strerror or error}") from None

    def __enter__(self) -> Self:
        if not self._quiet and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(unit="epoch", dynamic_ncols=True, file=sys.stderr)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        self._log.close()

    def say(self, message: str) -> None:
        """Tell something that is not an epoch."""
        self._write_log(message)
        with self._listener():
            if self._bar is not None:
                self._bar.write(message, file=sys.stderr)
            elif not self._quiet:
                print(message, file=sys.stderr)  # noqa: T201

    def epoch(
        self, epoch: int, expected: int, phase: str, depth: str, loss: float, accuracy: float | None
    ) -> None:
        """Tell of one epoch.

        Parameters
        ----------
        epoch, expected
            Epochs trained so far, and the least number known to be needed in all
            (while growing, the end is not known).
        phase, depth
            Where the run is.
        loss, accuracy
            Training loss, and validation accuracy in percent if it was measured.
        """
        shown = "" if accuracy is None else f", val accuracy {accuracy:.2f} %"
        line = f"epoch {epoch}/{expected} {phase} {depth}: train loss {loss:.4f}{shown}"
        self._write_log(line)
        with self._listener():
            if self._bar is not None:
                self._advance(epoch, expected, f"{phase} {depth}", shown.lstrip(", "))
            elif not self._quiet:
                print(line, file=sys.stderr)  # noqa: T201

    def _advance(self, epoch: int, expected: int, where: str, shown: str) -> None:
        if self._bar.total is None:  # first epoch of this start: earlier ones took no time now
            self._bar.initial = self._bar.n = epoch - 1
        self._bar.total = expected
        self._bar.set_description_str(where, refresh=False)
        self._bar.set_postfix_str(shown, refresh=False)
        self._bar.update(epoch - self._bar.n)

    @contextmanager
    def _listener(self) -> Iterator[None]:
        """Fall silent when nobody listens any more: a pipe's reader or the terminal is gone."""
        try:
            yield
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.EIO):
                raise
            self._quiet, self._bar = True, None

    def _write_log(self, line: str) -> None:
        self._log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")
