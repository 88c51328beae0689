"""What a user sees on a terminal: lines that are renewed in place, and lines that stay."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO


def duration(seconds: float) -> str:
    """Return a time span as ``0:07``, ``12:40``, ``3:05:00`` or ``4 days 6 h``."""
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} days {hours % 24} h"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Screen:
    """Writes to a stream until nobody listens any more (a closed pipe or terminal).

    Parameters
    ----------
    stream
        Where to write; None: nowhere.

    Attributes
    ----------
    live
        Whether lines can be renewed: the stream is a terminal, and not a dumb one.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self.live = stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
        self._stream = stream
        self._shown = ""

    def say(self, message: str) -> None:
        """Write a line that stays, above those that are renewed."""
        self._write(f"{self._erase()}{message}\n{self._shown}")

    def show(self, lines: Sequence[str]) -> None:
        """Replace the lines that were shown last; each is cut to the terminal's width."""
        if self.live:
            erase, width = self._erase(), self._size().columns - 1
            self._shown = "\n".join(line[:width] for line in lines)
            self._write(erase + self._shown)

    def close(self) -> None:
        """End the renewed lines: they stay, and what follows starts on a new line."""
        if self._shown:
            self._write("\n")
            self._shown = ""

    @property
    def rows(self) -> int:
        """How many lines can be renewed: those that the terminal shows at once."""
        return max(1, self._size().lines - 1)

    def _erase(self) -> str:
        """Return the control characters that erase the shown lines."""
        return "\x1b[1A" * self._shown.count("\n") + "\r\x1b[J" if self._shown else ""

    def _size(self) -> os.terminal_size:
        if self._stream is not None:
            with suppress(OSError, ValueError):
                size = os.get_terminal_size(self._stream.fileno())
                if size.columns and size.lines:
                    return size
        return os.terminal_size((80, 24))

    def _write(self, text: str) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.EIO):
                raise
            self._stream = None
