"""Curves of validation accuracy as CSV files: what Algorithm 1 is replayed on."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from pathlib import Path

from autogrow.errors import UserError, shown
from autogrow.files.reading import read_text

LARGEST = 100_000_000
"""Bytes of a CSV: a million epochs."""
COLUMNS = ("epoch", "val_accuracy")
NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


def read_accuracies(path: Path, but: Sequence[str] = ("adaminit",)) -> list[float]:
    """Return the validation accuracies (percent) of a CSV, one row an epoch from 1.

    A run's metrics.csv can be given as it is: rows of the phases ``but`` are skipped, by default
    AdamInit's, since they are no epochs of their own. ``nan`` is the accuracy of an epoch that
    diverged.
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
            if row.get("phase") in but:
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
    return accuracy_of(text, "val_accuracy", where)


def accuracy_of(text: str, column: str, where: str) -> float:
    """Return the accuracy that a cell holds; ``where`` names its line in error messages."""
    if text == "nan":
        return math.nan
    # float() alone would also take 1_0 and digits of other scripts.
    accuracy = float(text) if NUMBER.fullmatch(text) else math.nan
    if not 0 <= accuracy <= 100:
        raise UserError(
            f"{where}: {column}: found {shown(text)}; allowed: a number from 0 to 100 "
            "(percent), or nan for an epoch that diverged"
        )
    return accuracy
