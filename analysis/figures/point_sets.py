"""What Figures 3, 4 and 10 draw of runs: a point each, and where one is that has no place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from analysis.figures import style
from analysis.figures.frames import finite

MEANS = ["parameters", "flops", "accuracy"]
"""Columns of which a run has a mean over its seeds."""

_CROSS: style.Look = {"color": style.BLACK, "marker": "x", "ms": 5, "mew": 1.2, "ls": ""}
_BELOW: style.Look = {"marker": "v", "ms": 5, "mew": 0.4, "mec": "white", "ls": "", "zorder": 6}
_EDGE = 0.035  # of a panel's height: where marks stand that have no place on the scale
_FAR = 1.5  # an outlier is as many times the others' range below them
_NARROW = 1.0  # accuracies within a point look alike: the others' range is taken as one


def each_run_once(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows without those of a run that is there for another setting of the paper."""
    again = frame.duplicated(["panel", "network", "method", "run", "seed"])
    return frame[~again | (frame["run"] == "")]


def means(runs: pd.DataFrame, numbers: Sequence[str] = MEANS) -> pd.DataFrame:
    """Return a row for each run, with mean and standard deviation over its seeds, and its depths.

    What is published has neither run nor seed, and is a row each. ``numbers`` are the columns of
    which there are means.
    """
    runs, numbers = runs[finite(runs, numbers)], [*numbers]
    names = ("network", "method", "initializer", "source", "K", "paper_K", "run")
    key = [c for c in names if c in runs]
    parts = []
    published = runs.index.where(runs["run"] == "")
    for values, rows in runs.groupby([*key, published], dropna=False, sort=False):
        spread = rows[numbers].std().fillna(0).add_suffix("_std")
        line = dict(zip(key, values, strict=False)) | rows[numbers].mean().to_dict()
        parts.append(line | spread.to_dict() | {"depth": _depths(rows)})
    columns = [*key, *numbers, *(f"{column}_std" for column in numbers), "depth"]
    return pd.DataFrame(parts, columns=columns)


def _depths(rows: pd.DataFrame) -> str:
    """Return the depths of a run's seeds, in words: all if there are two, else their ends."""
    depths = list(rows.sort_values("layers", kind="stable")["depth"].drop_duplicates())
    return "; ".join(depths) if len(depths) < 3 else f"{depths[0]} to {depths[-1]}"


def left_out(runs: pd.DataFrame) -> list[str]:
    """Return notes on rows that have no value to draw."""
    lost = runs["diverged_after"].notna()
    missing = ~finite(runs, MEANS) & ~lost
    notes = []
    if lost.any():
        all_runs = (runs["run"] != "").sum()
        notes.append(f"Diverged, without accuracy and in no mean: {lost.sum()} of {all_runs} runs.")
    if missing.any():
        notes.append(f"Left out, as a value is missing: {missing.sum()}.")
    return notes


def mark_lost(axes: Axes, runs: pd.DataFrame, x: pd.Series) -> list[Line2D]:
    """Mark runs that diverged at the lower edge; return the marks, none if no run did."""
    at = x[runs["diverged_after"].notna()].unique()
    if not len(at):
        return []
    edge: style.Look = {"transform": axes.get_xaxis_transform(), "label": "diverged", "zorder": 5}
    return axes.plot(at, np.full(len(at), _EDGE), **edge, **_CROSS)


def fit_accuracies(axes: Axes, points: pd.DataFrame, room: float) -> np.ndarray:
    """Set the limits of y so that outliers do not flatten the rest; return which points those are.

    An outlier is below all others, and the others are more than half of the points. ``room`` is
    what stays free above and below, as a share of the range.
    """
    by_height = points.sort_values("accuracy")
    accuracies = by_height["accuracy"].to_numpy()
    lows = (by_height["accuracy"] - by_height["accuracy_std"]).to_numpy()
    high = (points["accuracy"] + points["accuracy_std"]).max()
    low = lows.min()
    for n in range(1, (len(lows) - 1) // 2 + 1):
        others = lows[n:].min()
        if others - accuracies[n - 1] >= _FAR * max(high - others, _NARROW):
            low = others
            break
    middle, span = (low + high) / 2, max(high - low, _NARROW)
    axes.set_ylim(middle - (0.5 + room) * span, middle + (0.5 + room) * span)
    return (points["accuracy"] < low).to_numpy()


def at_the_edge(axes: Axes) -> float:
    """Return the y at which a mark at the lower edge stands."""
    low, high = axes.get_ylim()
    return low + _EDGE * (high - low)


def mark_below(axes: Axes, x: float, color: str) -> Line2D:
    """Mark a point at the lower edge that lies below it; return the mark."""
    return axes.plot([x], [at_the_edge(axes)], color=color, **_BELOW)[0]


def below_handle() -> Line2D:
    """Return what the legend shows of such marks."""
    return Line2D([], [], label="below the scale, with its accuracy", color=style.GREY, **_BELOW)
