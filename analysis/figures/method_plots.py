"""Figure 10: accuracy against multiply-adds, ways to grow and fixed depths in one plane."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullFormatter

from analysis.figures import style
from analysis.figures.frames import EQUAL_COMPUTE, over_seeds, panels, read_frame
from analysis.figures.placing import label_points
from analysis.figures.point_sets import (
    MEANS,
    at_the_edge,
    below_handle,
    each_run_once,
    fit_accuracies,
    left_out,
    mark_below,
    mark_lost,
    means,
)

SPENT = "flops_training"
TEXT = ("network", "method", "initializer", "depth")
NUMBERS = ("layers", "parameters", "flops", SPENT, "accuracy")

BASELINE = "baseline"
_FIXED: style.Look = {"color": style.BLUE, "marker": "o", "ms": 3, "lw": 1, "zorder": 4}
_EQUAL: style.Look = {"color": style.BLUE, "marker": "o", "ms": 4, "mfc": "none", "ls": ""}
# A method's colour and marker; those of its further initializers are hollow.
_LOOKS = (
    (style.VERMILLION, "*", 9),
    (style.ORANGE, "D", 5),
    (style.BLACK, "*", 9),
    (style.SKY, "s", 5),
    (style.PURPLE, "^", 6),
    (style.GREEN, "v", 6),
    (style.YELLOW, "P", 6.5),
)
_HOLLOW = (("s", 6), ("D", 5.5), ("o", 6.5))


def draw(file: Path, caption: str) -> Figure:
    """Return Figure 10: a panel for each network; multiply-adds on a logarithmic scale.

    They are all that a run's training computed: growing with the twins of growths on trial, and
    fine-tuning. Fixed depths, trained from scratch at the baselines' epochs, are joined by a line;
    those for p-AutoGrow's multiply-adds are hollow.
    """
    frame = each_run_once(read_frame(file, TEXT, NUMBERS))
    looks = _looks(frame[~frame["method"].isin([BASELINE, EQUAL_COMPUTE])])
    parts = list(panels(frame))
    figure = style.new_figure(style.FULL, 3.0 * len(parts))
    handles: dict[str, Any] = {}
    drawn = []
    for i, (_, heading, runs) in enumerate(parts):
        axes = figure.add_subplot(len(parts), 1, i + 1)
        style.entitle(axes, heading, 1)
        axes.set(xscale="log", xlabel="Multiply-adds of training", ylabel="Accuracy (%)")
        places = _points(axes, means(runs, [*MEANS, SPENT]), looks, handles)
        _ticks(axes, runs[SPENT])
        lost = mark_lost(axes, runs, runs[SPENT])
        if lost:
            handles.setdefault("diverged", lost[0])
        drawn.append((axes, places))
    notes = ["Depths are written where there is room.", over_seeds(frame), *left_out(frame)]
    style.finish(figure, caption, frame, notes, list(handles.values()))
    for axes, places in drawn:
        centres = places[[SPENT, "y"]].to_numpy(float)
        texts, angles = places["text"].to_list(), places["angle"].to_list()
        label_points(axes, centres, places["area"].to_numpy(float), texts, angles)
    return figure


def _looks(grown: pd.DataFrame) -> dict[tuple[str, str], tuple[str, style.Look]]:
    """Return the name and the look of each method with each of its initializers."""
    found = {}
    by_method = grown.groupby("method", sort=False)["initializer"].unique()
    for i, (method, initializers) in enumerate(by_method.items()):
        color, marker, size = _LOOKS[i % len(_LOOKS)]
        for k, initializer in enumerate(initializers):
            look: style.Look = {"color": color, "marker": marker, "ms": size, "mec": "white"}
            if k:
                marker, size = _HOLLOW[(k - 1) % len(_HOLLOW)]
                look = {"color": color, "marker": marker, "ms": size, "mfc": "none"}
            elif color == style.YELLOW:  # too light to be seen without an edge
                look |= {"mec": style.BLACK}
            name = f"{method}, {initializer}" if len(initializers) > 1 else str(method)
            found[str(method), str(initializer)] = name, {**look, "ls": "", "zorder": 3}
    return found


def _points(
    axes: Axes,
    points: pd.DataFrame,
    looks: dict[tuple[str, str], tuple[str, style.Look]],
    handles: dict[str, Any],
) -> pd.DataFrame:
    """Draw the points of a panel; return where its labels belong, and what they say."""
    fixed, equal = (points[points["method"] == method] for method in (BASELINE, EQUAL_COMPUTE))
    parts = [(fixed.sort_values(SPENT), "trained from scratch", _FIXED, 0.5)]
    parts += [(equal, "from scratch at equal compute", _EQUAL, 0.0)]
    for (method, initializer), (name, look) in looks.items():
        own = (points["method"] == method) & (points["initializer"] == initializer)
        parts.append((points[own], name, look, -0.5))
    placed = []
    for some, name, look, turns in parts:
        if len(some):
            bars: style.Look = {
                f"{side}err": some[f"{column}_std"] if some[f"{column}_std"].any() else None
                for side, column in (("x", SPENT), ("y", "accuracy"))
            }
            style_of_bars: style.Look = {"elinewidth": 0.8, "capsize": 2, "label": name}
            drawn = axes.errorbar(some[SPENT], some["accuracy"], **look, **bars, **style_of_bars)
            handles.setdefault(name, drawn)
            more = {"color": look["color"], "area": look["ms"] ** 2, "angle": turns * math.pi}
            placed.append(some.assign(y=some["accuracy"], text=some["depth"], **more))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    if not placed:
        return points.assign(y=0.0, text="", area=0.0, angle=0.0)
    places = pd.concat(placed, ignore_index=True)
    below = fit_accuracies(axes, places, 0.12)
    for i in np.flatnonzero(below):
        handles["below"] = below_handle()
        place = places.iloc[i]
        mark_below(axes, place[SPENT], place["color"])
        places.loc[i, "y"] = at_the_edge(axes)
        places.loc[i, "text"] = f"{place['text']}\n{place['accuracy']:.1f} %"
    return pd.concat([places[below], places[~below]])  # these must say where they are


def _ticks(axes: Axes, spent: pd.Series) -> None:
    """Leave room at both ends, and write the numbers with the prefixes k, M, G, T and so on."""
    known = spent[np.isfinite(spent) & (spent > 0)]
    if len(known):
        axes.set_xlim(known.min() / 1.25, known.max() * 1.25)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(EngFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
