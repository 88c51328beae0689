"""What the command lines of this package share: a mistake is told in one line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from autogrow.cli.options import USER_ERROR, OneLineParser
from autogrow.errors import UserError

__all__ = ["USER_ERROR", "Parser", "add_results", "exit_status"]

Parser = OneLineParser


def exit_status(name: str, work: Callable[[], int]) -> int:
    """Return the exit status of ``work``; a user's mistake becomes one line on stderr.

    So does what the system refuses, as a folder that may not be looked into, or a full
    disk where standard output goes.

    Parameters
    ----------
    name
        Of the command, as ``analysis.reference.compare``.
    work
        What the command does; returns its exit status.
    """
    try:
        status = work()
        sys.stdout.flush()
        return status
    except UserError as error:
        message = str(error)
    except OSError as error:
        if error.errno is None:
            raise
        if error.filename is None:
            # Only printing names no file; Python would print what is left at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        message = f"{error.filename or 'standard output'}: {error.strerror}"
    print(f"{name}: error: {message}", file=sys.stderr)
    return USER_ERROR


def add_results(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which finished runs are read, and which of their accuracies."""
    parser.add_argument("--scale", required=True)
    parser.add_argument("--folder", type=Path, required=True, help="results/out/SCALE")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--accuracy", choices=("best", "final"), default="best")
