"""The curve of a run, finished or not, from its records: accuracies and depth by epoch."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autogrow.errors import UserError
from autogrow.files.reading import printable, read_text
from autogrow.runs.curves import LARGEST, accuracy_of
from autogrow.runs.folder import finished, read_spec
from autogrow.training.metrics import BESIDE, METRICS

DEPTH = re.compile(r"[1-9][0-9]*(-[1-9][0-9]*)*")


@dataclass(frozen=True)
class Point:
    """An epoch: accuracies in percent (NaN: none) and the number of sub-modules."""

    epoch: int
    phase: str
    depth: str
    val_accuracy: float
    test_accuracy: float

    @property
    def sub_modules(self) -> int:
        """Number of sub-modules in all sub-networks."""
        return sum(map(int, self.depth.split("-")))


@dataclass(frozen=True)
class Curve:
    """The epochs of a run, AdamInit's left out; ``title`` says which network on which data."""

    title: str
    holdout: bool
    points: tuple[Point, ...]

    @property
    def series(self) -> dict[str, list[float]]:
        """The accuracies by their names; under ``paper`` the validation set is the test set."""
        test = [point.test_accuracy for point in self.points]
        if not self.holdout:
            return {"test accuracy": test}
        validation = [point.val_accuracy for point in self.points]
        return {"validation accuracy": validation, "test accuracy": test}


def curve_of(folder: Path) -> Curve:
    """Return the curve of a run's folder.

    Raises
    ------
    UserError
        If there is no run or no epoch, or metrics.csv is damaged.
    """
    seal = finished(folder)
    if seal is not None:
        seal.check(METRICS)
    spec, file = read_spec(folder), folder / METRICS
    rows = csv.DictReader(read_text(file, "the records of a run", LARGEST).splitlines())
    points = tuple(
        _point(row, f"{file}: line {rows.line_num}")
        for row in rows
        if row.get("phase") not in BESIDE
    )
    if not points:
        raise UserError(f"{file}: found no epoch; allowed: one or more")
    title = printable(f"{spec.architecture.name} on {spec.data}, {points[-1].depth}")
    return Curve(title, spec.protocol == "holdout", points)


def _point(row: Mapping[str, str | None], where: str) -> Point:
    depth, epoch = row.get("depth") or "", row.get("epoch") or ""
    if not DEPTH.fullmatch(depth) or not epoch.isdecimal():
        raise UserError(f"{where}: found no epoch and depth; allowed: a row as autogrow writes it")
    val, test = (
        accuracy_of(row.get(key) or "", key, where) for key in ("val_accuracy", "test_accuracy")
    )
    return Point(int(epoch), row.get("phase") or "", depth, val, test)
