"""The small chart of a run: test accuracy by epoch, with the growths."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.results.csvfiles import check_columns, read_csv, read_numbers
from autogrow.training.metrics import BESIDE

WIDTH, HEIGHT = 300, 90
"""Size of a chart in its own units."""
MOST_POINTS = 60
"""Epochs that show their values: more would make the page of a long campaign too large."""

_COLUMNS = ("epoch", "phase", "depth", "test_accuracy")


@dataclass(frozen=True)
class Point:
    """A place in the chart and what it says of itself."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Chart:
    """The curve of a run.

    Attributes
    ----------
    line
        The points of a polyline, as SVG writes them.
    points
        Epochs that show their values, evenly spread over the run.
    growths
        The first epoch of each deeper net.
    finetuning
        Where fine-tuning begins; None in a run that has none.
    """

    line: str
    points: Sequence[Point]
    growths: Sequence[Point]
    finetuning: float | None


@dataclass(frozen=True)
class Curve:
    """The epochs of a run, as metrics.csv has them, and their test accuracies in percent."""

    epochs: Sequence[Mapping[str, str]]
    accuracies: Sequence[float]


def read_test_curve(file: Path) -> Curve:
    """Return the curve in a run's metrics, without rows that repeat another one's epoch.

    Raises
    ------
    UserError
        If the metrics cannot be read.
    """
    header, lines = read_csv(file)
    check_columns(file, header, _COLUMNS)
    epochs = [line for line in lines if line["phase"] not in BESIDE]
    return Curve(epochs, read_numbers(file, epochs, "test_accuracy"))


def chart_of(curve: Curve, low: float) -> Chart:
    """Return the chart of a run; its axis goes from ``low`` to 100 %."""
    epochs = curve.epochs
    every = math.ceil(len(epochs) / MOST_POINTS)
    line, points, growths, finetuning = [], [], [], None
    for k, (epoch, accuracy) in enumerate(zip(epochs, curve.accuracies, strict=True)):
        x = round(WIDTH * (k + 0.5) / len(epochs), 1)
        number, phase, depth = epoch["epoch"], epoch["phase"], epoch["depth"]
        if k and depth != epochs[k - 1]["depth"]:
            growths.append(Point(x, 0, f"epoch {number}: grown to {depth}"))
        if phase == "finetuning" and finetuning is None:
            finetuning = x
        if math.isnan(accuracy):
            continue
        y = round(HEIGHT * (100 - accuracy) / (100 - low), 1)
        line.append(f"{x},{y}")
        if k % every == 0 or k == len(epochs) - 1:
            points.append(Point(x, y, f"epoch {number}, {phase}, {depth}: {accuracy:.2f} %"))
    return Chart(" ".join(line), points, growths, finetuning)


def lowest(curves: Sequence[Curve]) -> float:
    """Return where the axis of several runs begins (percent): the ten below the lowest accuracy."""
    accuracies = [a for curve in curves for a in curve.accuracies if not math.isnan(a)]
    return min(90.0, 10.0 * (min(accuracies, default=0) // 10))
