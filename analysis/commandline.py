"""What the command lines of this package share: a mistake is told in one line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from autogrow.cli import USER_ERROR, OneLineParser
from autogrow.errors import UserError
from autogrow.files import write_bytes

__all__ = ["USER_ERROR", "Parser", "add_results", "exit_status", "write_files"]

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


def add_results(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which finished runs are read, and which of their accuracies."""
    parser.add_argument("--scale", required=True)
    parser.add_argument("--folder", type=Path, required=True, help="results/out/SCALE")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--accuracy", choices=("best", "final"), default="best")


def write_files(folder: Path, contents: Mapping[str, str]) -> None:
    """Write files, given by their paths in a folder; folders between are made."""
    for file, content in contents.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content.encode())
