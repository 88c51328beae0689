"""Figure 3: accuracy against parameters, found nets beside baselines of many depths."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.figures import style
from analysis.figures.frames import EQUAL_COMPUTE, over_seeds, panels, read_frame
from analysis.figures.placing import label_points
from analysis.figures.point_sets import (
    at_the_edge,
    below_handle,
    each_run_once,
    fit_accuracies,
    left_out,
    mark_below,
    mark_lost,
    means,
)
from analysis.results.published import FOUND

TEXT = ("network", "method", "K", "paper_K", "depth")
NUMBERS = ("layers", "parameters", "flops", "accuracy")

# A baseline's dot is smaller and on top: AutoGrow's marker is seen around it.
_BASELINE: style.Look = {"color": style.BLUE, "marker": "o", "ms": 3, "lw": 1, "zorder": 4}
_MARKERS = (("*", 11), ("D", 6.5), ("^", 7.5))
_COLORS = (style.VERMILLION, style.GREEN, style.PURPLE)
_HOLLOW: style.Look = {"mfc": "none", "mew": 0.8, "ls": "", "zorder": 5}
_LISTED: style.Look = {"color": style.BLACK, "marker": "s", "ms": 4, **_HOLLOW}


@dataclass
class _Panel:
    """What is drawn in a panel: points with their labels, and what the legend says of them."""

    axes: Axes
    handles: dict[str, Any]
    parts: list[pd.DataFrame] = field(default_factory=list)

    def add(
        self, points: pd.DataFrame, look: style.Look, label: str, *, named: bool = True
    ) -> None:
        """Draw points with one look; their depths are written if ``named``."""
        if len(points):
            self.handles.setdefault(label, _errors(self.axes, points, look, label))
            drawn = points.assign(color=look["color"], area=look["ms"] ** 2)
            self.parts.append(drawn if named else drawn.assign(depth=""))


def draw(file: Path, caption: str, *, log_x: bool = False) -> Figure:
    """Return Figure 3: a panel for each network, accuracy against parameters.

    Parameters are on a linear scale, as the paper's, or on a logarithmic one (``log_x``).
    """
    frame = read_frame(file, TEXT, NUMBERS)
    looks, names = _by_period(frame[frame["method"].isin(["AutoGrow", FOUND])])
    frame = each_run_once(frame)
    parts = list(panels(frame))
    figure, all_axes = style.panel_axes([heading for _, heading, _ in parts], 1.95)
    handles: dict[str, Any] = {}
    drawn = []
    for axes, (_, _, runs) in zip(all_axes, parts, strict=True):
        panel = _Panel(axes, handles)
        _points(panel, means(runs), looks, names)
        axes.set_xlabel("Parameters (millions)")
        axes.set_ylabel("Accuracy (%)")
        axes.yaxis.set_major_locator(MaxNLocator(5))
        lost = mark_lost(axes, runs, runs["parameters"] / 1e6)
        if lost:
            handles.setdefault("diverged", lost[0])
        parameters = runs.loc[np.isfinite(runs["parameters"]), "parameters"]
        if log_x:
            _millions(axes, parameters)
        else:
            high = max(1, parameters.max()) / 1e6
            small = (parameters / 1e6 < 0.03 * high).any()  # markers that would be cut at 0
            axes.set_xlim(-0.04 * high if small else 0, 1.08 * high)
            axes.xaxis.set_major_locator(MaxNLocator(4))
        if panel.parts:
            drawn.append((axes, _places(panel)))
    notes = ["Depths are written where there is room.", over_seeds(frame[frame["run"] != ""])]
    style.finish(figure, caption, frame, [*notes, *left_out(frame)], list(handles.values()))
    for axes, places in drawn:
        centres = places[["x", "y"]].to_numpy()
        areas, texts, angles = (places[c].to_list() for c in ("area", "text", "angle"))
        label_points(axes, centres, np.array(areas), texts, angles)
    return figure


def _by_period(grown: pd.DataFrame) -> tuple[dict[str, style.Look], dict[str, str]]:
    """Return for each K its look, and its name with the K of the paper that it stands for."""
    looks: dict[str, style.Look] = {}
    names = {}
    ours = grown["method"] != FOUND
    for side in (ours, ~ours):
        for i, K in enumerate(sorted(grown.loc[side, "K"].unique(), key=lambda k: float(k or 0))):
            marker, size = _MARKERS[i % len(_MARKERS)]
            look = {"color": _COLORS[i % len(_COLORS)], "marker": marker, "ms": size}
            looks.setdefault(K, {**look, "ls": "", "zorder": 3})
    for K in map(str, grown.loc[ours, "K"].unique()):
        rows = grown[ours & (grown["K"] == K)]
        paper = sorted(rows["paper_K"].unique(), key=lambda k: float(k or 0))
        other = f" (the paper's: {' and '.join(paper)})" if paper != [K] else ""
        names[K] = f"K = {K}{other}"
    return looks, names


def _points(
    panel: _Panel, points: pd.DataFrame, looks: dict[str, style.Look], names: dict[str, str]
) -> None:
    """Draw the points of a panel, those first whose depths are to be written first."""
    for K, name in names.items():
        found = points[(points["K"] == K) & (points["method"] == "AutoGrow")]
        panel.add(found, {**looks[K], "mec": "white", "mew": 0.4}, f"AutoGrow, {name}")
        equal = points[(points["K"] == K) & (points["method"] == EQUAL_COMPUTE)]
        hollow = {**looks[K], "mfc": "none"}
        panel.add(equal, hollow, f"from scratch, compute of K = {K}", named=False)
    of_the_paper = points[points["method"] == FOUND]
    for K in map(str, of_the_paper["K"].unique()):
        look = {**looks[K], "color": style.BLACK, **_HOLLOW}
        panel.add(of_the_paper[of_the_paper["K"] == K], look, f"{FOUND}, K = {K}")
    listed = points[(points["run"] == "") & (points["method"] != FOUND)]
    if len(listed):
        panel.add(listed, _LISTED, listed["method"].iloc[0])
    baselines = points[points["method"] == "baseline"].sort_values("parameters")
    panel.add(baselines, _BASELINE, "trained from scratch")


def _places(panel: _Panel) -> pd.DataFrame:
    """Fit the accuracies of a panel; return where its labels belong, and what they say."""
    points = pd.concat(panel.parts, ignore_index=True)
    below = fit_accuracies(panel.axes, points, 0.18)
    several = points["network"] + "\n" if points["network"].nunique() > 1 else ""
    grown = points["method"].isin(["AutoGrow", FOUND])
    places = points.assign(
        x=points["parameters"] / 1e6,
        y=points["accuracy"],
        text=np.where(points["depth"] == "", "", several + points["depth"]),
        angle=np.where(grown, -0.5, 0.5) * math.pi,
    )
    for i in np.flatnonzero(below):
        place = places.iloc[i]
        panel.handles["below"] = below_handle()
        mark_below(panel.axes, place["x"], place["color"])
        places.loc[i, "y"] = at_the_edge(panel.axes)
        places.loc[i, "text"] = f"{place['text']}\n{place['accuracy']:.1f} %".strip()
    return pd.concat([places[below], places[~below]])  # these must say where they are


def _errors(axes: Axes, points: pd.DataFrame, look: style.Look, label: str) -> ErrorbarContainer:
    bars: style.Look = {
        f"{side}err": points[f"{column}_std"] / scale if points[f"{column}_std"].any() else None
        for side, column, scale in (("x", "parameters", 1e6), ("y", "accuracy", 1))
    }
    look = {**look, **bars, "label": label, "elinewidth": 0.8, "capsize": 2}
    return axes.errorbar(points["parameters"] / 1e6, points["accuracy"], **look)


def _millions(axes: Axes, parameters: pd.Series) -> None:
    """Make x logarithmic, with room around it and ticks at 1, 2 and 5."""
    axes.set_xscale("log")
    if len(parameters):
        low, high = parameters.min() / 1e6, parameters.max() / 1e6
        room = max(1.3, math.sqrt(4 * low / high))
        axes.set_xlim(low / room, high * room)
    low, high = axes.get_xlim()
    for steps in ((1,), (1, 2, 5), (1, 2, 3, 5), (1, 1.5, 2, 3, 4, 5, 7)):
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)))
        ticks = [k * 10.0**n for n in powers for k in steps if low <= k * 10.0**n <= high]
        if len(ticks) > 2:
            break
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
