"""What the command lines of this package share: a mistake is told in one line."""

from __future__ import annotations

import sys
from collections.abc import Callable

from autogrow.cli import USER_ERROR, OneLineParser
from autogrow.errors import UserError

__all__ = ["USER_ERROR", "Parser", "exit_status"]

Parser = OneLineParser


def exit_status(name: str, work: Callable[[], int]) -> int:
    """Return the exit status of ``work``; a user's mistake becomes one line on stderr.

    Parameters
    ----------
    name
        Of the command, as ``analysis.compare``.
    work
        What the command does; returns its exit status.
    """
    try:
        return work()
    except UserError as error:
        print(f"{name}: error: {error}", file=sys.stderr)
        return USER_ERROR
