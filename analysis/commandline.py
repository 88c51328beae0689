"""What the command lines of this package share: a mistake gives one line."""

from __future__ import annotations

import argparse
from pathlib import Path

from autogrow.cli.options import OneLineParser as Parser
from autogrow.errors import UserError, allowed, shown

__all__ = ["Parser", "add_campaign", "add_data_source", "add_results", "data_source", "seeds"]


def add_results(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which finished runs are read, and which of their accuracies."""
    rows = parser.add_mutually_exclusive_group(required=True)
    rows.add_argument("--scale", help="which rows: those of the catalogue at this scale")
    rows.add_argument("--rows", type=Path, metavar="FILE", help="or those that the workflow wrote")
    parser.add_argument("--folder", type=Path, required=True, help="results/out/SCALE")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--accuracy", choices=("best", "overall", "final"), default="best")


def add_campaign(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which rows there are, and which finished runs are read."""
    parser.add_argument("--folder", type=Path, help="default: results/out/SCALE")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument(
        "--protocol", choices=("paper", "holdout"), help="config.yaml's; default: the scale's"
    )
    add_data_source(parser)


def add_data_source(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which data sets are taken from elsewhere."""
    parser.add_argument(
        "--data-source",
        nargs="*",
        default=[],
        metavar="NAME=npz:PATH",
        help="data sets that are taken from elsewhere, as CIFAR10=npz:PATH",
    )


def seeds(options: argparse.Namespace) -> list[int]:
    """Return what the option ``--seeds`` says; a seed that is given twice is refused."""
    if len(set(options.seeds)) < len(options.seeds):
        raise UserError(f"--seeds: found {allowed(options.seeds)}; allowed: each seed once")
    return list(options.seeds)


def data_source(options: argparse.Namespace) -> dict[str, str]:
    """Return what the option ``--data-source`` says, by the name of the data set."""
    sources = dict(source.split("=", 1) for source in options.data_source if "=" in source)
    if len(sources) != len(options.data_source):
        found = shown(options.data_source)
        raise UserError(f"--data-source: found {found}; allowed: NAME=npz:PATH, each name once")
    return sources
