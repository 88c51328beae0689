"""What a user sees on a terminal: lines that are renewed in place, and lines that stay."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

ASSUMED = os.terminal_size((80, 24))
"""Size of a terminal that does not tell it."""


def is_live(stream: TextIO) -> bool:
    """Return whether lines on a stream can be renewed: it is a terminal, and not a dumb one."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def duration(seconds: float) -> str:
    """Return a time span as ``0:07``, ``12:40``, ``3:05:00`` or ``4 days 6 h``."""
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} days {hours % 24} h"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Screen:
    """Writes to a stream; falls silent once nobody listens (a closed pipe or terminal).

    Parameters
    ----------
    stream
        Where to write; on anything but a terminal, :meth:`show` does nothing.
    """

    def __init__(self, stream: TextIO) -> None:
        self.live = is_live(stream)
        self._stream = stream
        self._silent = False
        self._shown: list[str] = []

    def say(self, message: str) -> None:
        """Write a line that stays, above those that are renewed."""
        with self._listener():
            self._write(f"{self._erased()}{message}\n", self._shown)

    def show(self, lines: Sequence[str]) -> None:
        """Replace the lines that were shown last; each is cut to the terminal's width."""
        if self.live:
            with self._listener():
                self._write(self._erased(), lines)

    def close(self) -> None:
        """End the renewed lines: they stay, and what follows starts on a new line."""
        if self._shown:
            with self._listener():
                self._stream.write("\n")
                self._stream.flush()
            self._shown = []

    def _erased(self) -> str:
        """Return the control characters that erase the shown lines."""
        if not self._shown:
            return ""
        up = len(self._shown) - 1
        return (f"\x1b[{up}A" if up else "") + "\r\x1b[J"

    def _write(self, before: str, lines: Sequence[str]) -> None:
        width = self._size().columns - 1
        self._stream.write(before + "\n".join(line[:width] for line in lines))
        self._stream.flush()
        self._shown = list(lines)

    @property
    def rows(self) -> int:
        """How many lines can be renewed: those that the terminal shows at once."""
        return max(1, self._size().lines - 1)

    def _size(self) -> os.terminal_size:
        try:
            size = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            size = os.terminal_size((0, 0))
        return size if size.columns and size.lines else ASSUMED

    @contextmanager
    def _listener(self) -> Iterator[None]:
        if self._silent:
            return
        try:
            yield
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.EIO):
                raise
            self._silent = True
