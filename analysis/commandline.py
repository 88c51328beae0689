"""What the command lines of this package share: a mistake is told in one line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn

from autogrow.errors import UserError

USER_ERROR = 2
"""Exit status of a user's mistake, as argparse has it."""


class Parser(argparse.ArgumentParser):
    """Tells a wrong argument in one line, as every other mistake of the user's."""

    def error(self, message: str) -> NoReturn:
        """Print the message and exit.

        Raises
        ------
        SystemExit
            Always, with :data:`USER_ERROR`.
        """
        text = " ".join(message.split())
        self.exit(USER_ERROR, f"{self.prog}: error: {text} (see {self.prog} --help)\n")


def run(name: str, work: Callable[[], int]) -> int:
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
