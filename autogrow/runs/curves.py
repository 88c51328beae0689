"""Curves of a run's epochs as CSV files: what Algorithm 1 is replayed on."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from pathlib import Path

from autogrow.errors import UserError, shown
from autogrow.files.reading import read_text
from autogrow.growth.algorithm import Observed, Trial
from autogrow.training.metrics import BESIDE, TRIAL_HEADER

LARGEST = 100_000_000
"""Bytes of a CSV: a million epochs."""
NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
OTHERS = ("val_loss", "train_accuracy", "train_loss")
"""Columns that a policy may look at beside val_accuracy."""
UNSEEN = (*BESIDE, "finetuning")
"""Phases whose accuracies growth never sees; fine-tuning has another learning rate."""


def read_curve(
    path: Path, needed: Sequence[str] = (), but: Sequence[str] = BESIDE
) -> list[Observed]:
    """Return what a policy may look at, epoch by epoch, from a CSV with one row an epoch from 1.

    A run's metrics.csv can be given as it is: rows of the phases ``but`` are skipped, but for a
    twin's trials, which belong to the row before. ``nan`` is the accuracy of an epoch that
    diverged.

    Parameters
    ----------
    path
        The CSV, with the columns ``epoch`` and ``val_accuracy`` (percent).
    needed
        Further columns of ``OTHERS`` that must be there.
    but
        Phases that are skipped: by default those whose rows are no epochs of their own.
    """
    text = read_text(path, "a CSV", LARGEST)
    try:
        rows = csv.DictReader(text.splitlines(), strict=True, restkey="")
        header = rows.fieldnames or []
        columns = ("epoch", "val_accuracy", *(c for c in needed if c != "val_accuracy"))
        for column in columns:
            if header.count(column) != 1:
                raise UserError(
                    f"{path}: column {shown(column)} is there {header.count(column)} times in the "
                    f"header {shown(','.join(header))}; allowed: a header with {','.join(columns)}"
                )
        curve: list[Observed] = []
        for row in rows:
            where = f"{path}: line {rows.line_num}"
            if row.get("phase") == "twin" and curve and row.get(TRIAL_HEADER[0]):
                trial = Trial(*(_count(row, column, where) for column in TRIAL_HEADER))
                curve[-1] = curve[-1]._replace(trial=trial)
            if row.get("phase") in but:
                continue
            if "" in row:
                raise UserError(f"{where}: more cells than the header has; allowed: {len(header)}")
            accuracy = _accuracy(row, len(curve) + 1, where)
            loss, train_accuracy, train_loss = (
                _number(row, c, where) if c in header else math.nan for c in OTHERS
            )
            curve.append(Observed(accuracy, loss, train_accuracy, train_loss))
    except csv.Error as error:
        raise UserError(
            f"{path}: is not a CSV: {error}; allowed: a header and a line of cells for each epoch"
        ) from None
    return curve


def _accuracy(row: dict[str, str | None], expected: int, where: str) -> float:
    epoch, text = ((row.get(column) or "").strip() for column in ("epoch", "val_accuracy"))
    if epoch != str(expected):
        raise UserError(
            f"{where}: epoch: found {shown(epoch)}; allowed: {expected} (one row an epoch, from 1)"
        )
    return accuracy_of(text, "val_accuracy", where)


def _number(row: dict[str, str | None], column: str, where: str) -> float:
    text = (row.get(column) or "").strip()
    if text in ("nan", "inf"):
        return math.nan
    if not NUMBER.fullmatch(text):
        raise UserError(f"{where}: {column}: found {shown(text)}; allowed: a number, nan or inf")
    return float(text)


def _count(row: dict[str, str | None], column: str, where: str) -> int:
    text = (row.get(column) or "").strip()
    if not re.fullmatch("[0-9]{1,9}", text):
        raise UserError(f"{where}: {column}: found {shown(text)}; allowed: a number of images")
    return int(text)


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
