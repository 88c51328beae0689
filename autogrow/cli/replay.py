"""Curves of validation accuracy as CSV files, for ``autogrow replay``."""

from __future__ import annotations

import argparse
import csv
import math
import re
import sys
from pathlib import Path

from autogrow.cli.options import add_settings, given_settings
from autogrow.config.pydantic_errors import validated
from autogrow.config.resolved import ResolvedAutogrow
from autogrow.config.spec import AutogrowSpec
from autogrow.errors import UserError, shown
from autogrow.files.reading import read_text
from autogrow.growth.algorithm import GROWTH_HEADER, replay

LARGEST = 100_000_000
"""Bytes of a CSV: a million epochs."""
COLUMNS = ("epoch", "val_accuracy")
NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


def read_accuracies(path: Path) -> list[float]:
    """Return the validation accuracies (percent) of a CSV, one row an epoch from 1.

    A run's metrics.csv can be given as it is: AdamInit's rows are skipped, since they are no
    epochs of their own. ``nan`` is the accuracy of an epoch that diverged.
    """
    text = read_text(path, "a CSV", LARGEST)
    try:
        rows = csv.DictReader(text.splitlines(), strict=True, restkey="")
        header = rows.fieldnames or []
        for column in COLUMNS:
            if header.count(column) != 1:
                raise UserError(
                    f"{path}: column {shown(column)} is there {header.count(column)} times in the "
                    f"header {shown(','.join(header))}; allowed: a header with epoch,val_accuracy"
                )
        accuracies: list[float] = []
        for row in rows:
            if row.get("phase") == "adaminit":
                continue
            where = f"{path}: line {rows.line_num}"
            if "" in row:
                raise UserError(f"{where}: more cells than the header has; allowed: {len(header)}")
            accuracies.append(_accuracy(row, len(accuracies) + 1, where))
    except csv.Error as error:
        raise UserError(
            f"{path}: is not a CSV: {error}; allowed: a header and a line of cells for each epoch"
        ) from None
    return accuracies


def _accuracy(row: dict[str, str | None], expected: int, where: str) -> float:
    epoch, text = ((row.get(column) or "").strip() for column in COLUMNS)
    if epoch != str(expected):
        raise UserError(
            f"{where}: epoch: found {shown(epoch)}; allowed: {expected} (one row an epoch, from 1)"
        )
    if text == "nan":
        return math.nan
    # float() alone would also take 1_0 and digits of other scripts.
    accuracy = float(text) if NUMBER.fullmatch(text) else math.nan
    if not 0 <= accuracy <= 100:
        raise UserError(
            f"{where}: val_accuracy: found {shown(text)}; allowed: a number from 0 to 100 "
            "(percent), or nan for an epoch that diverged"
        )
    return accuracy


def add_replay(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``autogrow replay``."""
    add_settings(
        parser, AutogrowSpec, ["network", "seed_depth", "max_depth", "policy", "K", "J", "tau"]
    )
    parser.add_argument(
        "--accuracies",
        type=Path,
        required=True,
        metavar="CSV",
        help="columns epoch,val_accuracy (percent), one row an epoch from 1; "
        "a run's metrics.csv will do",
    )
    parser.set_defaults(command=_replay)


def _replay(options: argparse.Namespace) -> None:
    from autogrow.config.resolving import resolve

    given = given_settings(options, AutogrowSpec)
    # Any data set with the paper's 200 epochs of fine-tuning, of which T is 100.
    spec = resolve(validated(AutogrowSpec, {**given, "data": "CIFAR10"}, "options"))
    assert isinstance(spec, ResolvedAutogrow)
    accuracies = read_accuracies(options.accuracies)
    seed = spec.first_network.depth
    events = replay(spec.growth_policy, seed, accuracies, spec.largest_depth)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(GROWTH_HEADER)
    writer.writerows(event.row() for event in events)
