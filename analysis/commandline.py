"""What the command lines of this package share: a mistake gives one line."""

from __future__ import annotations

import argparse
from pathlib import Path

from autogrow.cli.options import OneLineParser as Parser

__all__ = ["Parser", "add_results"]


def add_results(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which finished runs are read, and which of their accuracies."""
    rows = parser.add_mutually_exclusive_group(required=True)
    rows.add_argument("--scale", help="which rows: those of the catalogue at this scale")
    rows.add_argument("--rows", type=Path, metavar="FILE", help="or those that the workflow wrote")
    parser.add_argument("--folder", type=Path, required=True, help="results/out/SCALE")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--accuracy", choices=("best", "overall", "final"), default="best")
