"""Figures 3 and 4: accuracy against the size of a network and against what it computes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from analysis.figures import style
from analysis.figures.frames import EQUAL_COMPUTE, finite, over_seeds, panels, read_frame
from analysis.figures.placing import label_points
from autogrow.errors import UserError, shown

DEPTHS_TEXT = ("network", "method", "K", "paper_K", "depth")
NUMBERS = ("layers", "parameters", "flops", "accuracy")
RESNETS_TEXT = ("network", "method", "source", "K", "depth")

_MEANS = ["parameters", "flops", "accuracy"]
"""Columns of which a run has a mean over its seeds."""

OURS = "this run"
"""The ``source`` of AutoGrow's own nets in figure4.csv."""

# A baseline's dot is smaller and on top: AutoGrow's marker is seen around it.
_BASELINE: style.Look = {"color": style.BLUE, "marker": "o", "ms": 3, "lw": 1, "zorder": 4}
_GROWN = ((style.VERMILLION, "*", 11), (style.GREEN, "D", 6.5), (style.PURPLE, "^", 7.5))
_LISTED: style.Look = {
    **{"color": style.BLACK, "marker": "s", "ms": 4, "mfc": "none", "mew": 0.8},
    **{"ls": "", "zorder": 5},
}
_BLOCKS = {
    "Basic": style.VERMILLION,
    "Bottleneck": style.ORANGE,
    "Plain": style.PURPLE,
    "basic": style.BLUE,
    "bottleneck": style.GREEN,
}
"""AutoGrow's networks by how their name begins, hand-designed ones by their block."""

_CROSS: style.Look = {"color": style.BLACK, "marker": "x", "ms": 5, "mew": 1.2, "ls": ""}
_DIVERGED = {**_CROSS, "zorder": 5}

_LARGEST = 320.0  # square points: the marker of the largest network of a panel


def draw_depths(file: Path, caption: str, *, log_x: bool = False) -> Figure:
    """Return Figure 3: a panel for each network, accuracy against parameters.

    Parameters are on a linear scale, as the paper's, or on a logarithmic one (``log_x``).
    """
    frame = read_frame(file, DEPTHS_TEXT, NUMBERS)
    parts = list(panels(frame))
    figure, all_axes = style.panel_axes([heading for _, heading, _ in parts], 1.85)
    grown = frame[frame["method"] == "AutoGrow"]
    pairs = set(zip(grown["paper_K"], grown["K"], strict=True))
    looks: dict[tuple[str, str], style.Look] = {
        pair: dict(zip(("color", "marker", "ms"), _GROWN[i % len(_GROWN)], strict=True))
        for i, pair in enumerate(sorted(pairs, key=lambda k: (float(k[0] or 0), k[1])))
    }
    handles: dict[str, Any] = {}
    for axes, (_, _, runs) in zip(all_axes, parts, strict=True):
        points = _means(runs)
        baselines = points[points["method"] == "baseline"].sort_values("parameters")
        if len(baselines):
            label = "trained from scratch"
            handles.setdefault(label, _errors(axes, baselines, _BASELINE, label))
        listed = runs[runs["run"] == ""]
        if len(listed):
            label = listed["method"].iloc[0]
            x, y = listed["parameters"] / 1e6, listed["accuracy"]
            handles.setdefault(label, axes.plot(x, y, label=label, **_LISTED)[0])
        for (paper_K, K), look in looks.items():
            paper = "" if paper_K == K else f" (the paper's: {paper_K})"
            label = f"AutoGrow, K = {K}{paper}"
            found = points[(points["K"] == K) & (points["paper_K"] == paper_K)]
            found = found[found["method"] == "AutoGrow"]
            if len(found):
                drawn = _errors(axes, found, {**look, "ls": "", "zorder": 3}, label)
                drawn[0].set(mec="white", mew=0.4)
                handles.setdefault(label, drawn)
            equal = points[(points["K"] == K) & (points["paper_K"] == paper_K)]
            equal = equal[equal["method"] == EQUAL_COMPUTE]
            if len(equal):
                label = f"from scratch, compute of K = {K}"
                hollow = {**look, "ls": "", "zorder": 3, "mfc": "none"}
                handles.setdefault(label, _errors(axes, equal, hollow, label))
        axes.set_xlabel("Parameters (millions)")
        axes.set_ylabel("Accuracy (%)")
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.margins(y=0.12)
        lost = _lost(axes, runs, runs["parameters"] / 1e6)
        if lost:
            handles.setdefault("diverged", lost[0])
        parameters = runs.loc[np.isfinite(runs["parameters"]), "parameters"]
        if log_x:
            _millions(axes, parameters)
        else:
            axes.set_xlim(0, 1.05 * max(1, parameters.max()) / 1e6)
            axes.xaxis.set_major_locator(MaxNLocator(4))
    notes = [over_seeds(frame[frame["run"] != ""]), *_left_out(frame)]
    style.finish(figure, caption, frame, notes, list(handles.values()))
    return figure


def draw_resnets(file: Path, caption: str) -> Figure:
    """Return Figure 4: top-1 accuracy against multiply-adds, marker area by parameters."""
    frame = read_frame(file, RESNETS_TEXT, NUMBERS)
    parts = list(panels(frame))
    for letter, _, runs in parts:
        if runs["dataset"].nunique() > 1:
            found = " and ".join(sorted(runs["dataset"].unique()))
            raise UserError(f"figure4: panel {shown(letter)}: found {found}; allowed: one data set")
    ours = frame[frame["source"] == OURS]
    width = style.COLUMN if len(parts) == 1 and ours.empty else style.FULL
    figure = style.new_figure(width, 3.2)
    handles: list[Artist] = []
    labels: list[tuple[Axes, np.ndarray, np.ndarray, list[str], list[float]]] = []
    for i, (_, heading, runs) in enumerate(parts):
        axes = figure.add_subplot(1, len(parts), i + 1)
        style.entitle(axes, heading, len(parts))
        points = _means(runs)
        if points.empty:
            none = "every run diverged" if len(runs) else "no run at this scale"
            axes.text(0.5, 0.5, none, transform=axes.transAxes, ha="center")
            continue
        unit, _ = _flops_unit(points)
        labels.append((axes, *_bubbles(axes, points, handles)))
        lost = _lost(axes, runs, runs["flops"] / unit)
        handles += lost
        x = np.concatenate([points["flops"] / unit, *(marks.get_xdata() for marks in lost)])
        _room(axes, x, points["accuracy"])
    notes = ["Marker area is proportional to the number of parameters."]
    if (frame["source"] != OURS).any():
        notes.append("He et al.: 10-crop testing; torchvision: one crop.")
    if ours.empty:
        notes.append("AutoGrow's nets are left out: there is no such run at this scale.")
    else:
        notes.append(f"AutoGrow: {over_seeds(ours)}")
    style.finish(figure, caption, frame, [*notes, *_left_out(frame)], handles)
    for axes, centres, areas, texts, angles in labels:
        label_points(axes, centres, areas, texts, angles)
    return figure


def _means(runs: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each run, with mean and standard deviation over its seeds."""
    runs = runs[finite(runs, _MEANS) & ((runs["run"] != "") | ("source" in runs))]
    key = [c for c in ("network", "method", "source", "K", "paper_K", "run") if c in runs]
    by_run = runs.groupby(key, sort=False)[_MEANS]
    spread = by_run.std().fillna(0).add_suffix("_std")
    return by_run.mean().join(spread).reset_index()


def _left_out(runs: pd.DataFrame) -> list[str]:
    """Tell of rows that have no value to draw."""
    lost = runs["diverged_after"].notna()
    missing = ~finite(runs, _MEANS) & ~lost
    notes = []
    if lost.any():
        all_runs = (runs["run"] != "").sum()
        notes.append(f"Diverged, without accuracy and in no mean: {lost.sum()} of {all_runs} runs.")
    if missing.any():
        notes.append(f"Left out, as a value is missing: {missing.sum()}.")
    return notes


def _lost(axes: Axes, runs: pd.DataFrame, x: pd.Series) -> list[Line2D]:
    """Mark runs that diverged at the lower edge; return the marks, none if no run did."""
    at = x[runs["diverged_after"].notna()].unique()
    if not len(at):
        return []
    edge: style.Look = {"transform": axes.get_xaxis_transform(), "label": "diverged"}
    return axes.plot(at, np.full(len(at), 0.035), **edge, **_DIVERGED)


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


def _bubbles(
    axes: Axes, points: pd.DataFrame, handles: list[Artist]
) -> tuple[np.ndarray, np.ndarray, list[str], list[float]]:
    """Draw the networks of a panel; return what their labels need, add to ``handles``."""
    unit, power = _flops_unit(points)
    axes.set_xlabel(f"FLOPs ({power} multiply-adds)")
    axes.set_ylabel("Top-1 accuracy (%)")
    largest = points["parameters"].max()
    points = points.assign(
        x=points["flops"] / unit,
        area=points["parameters"] / largest * _LARGEST,
        text="K = " + points["K"],
        angle=0.75 * np.pi,
    )
    for source, group in points.groupby("source", sort=False):
        ours = source == OURS
        for name, nets in group.groupby(group["network" if ours else "method"], sort=False):
            color = next((c for b, c in _BLOCKS.items() if name.startswith(b)), style.BLACK)
            filled = source != "torchvision"
            face, alpha = (color, 0.75) if filled else ("none", 1)
            look: style.Look = {"facecolors": face, "edgecolors": color, "lw": 1, "alpha": alpha}
            nets = nets.sort_values("flops")
            # Smaller markers on top: none is hidden.
            for area in sorted(nets["area"].unique()):
                net = nets[nets["area"] == area]
                axes.scatter(net["x"], net["accuracy"], area, zorder=3 - area / 1e3, **look)
            label = f"AutoGrow {name}" if ours else f"{name}, {source}"
            handles.append(axes.scatter([], [], _LARGEST / 8, label=label, **look))
            if ours:
                bars: style.Look = {"elinewidth": 0.8, "capsize": 2, "zorder": 4}
                spread = nets["accuracy_std"] if nets["accuracy_std"].any() else None
                axes.errorbar(nets["x"], nets["accuracy"], spread, color=color, ls="", **bars)
                continue
            line: style.Look = {"ls": "-" if filled else "--", "lw": 0.8, "zorder": 1}
            axes.plot(nets["x"], nets["accuracy"], color=color, **line)
            points.loc[nets.index, "text"] = nets["network"].str.removeprefix("ResNet-")
            points.loc[nets.index, "angle"] = 0.75 * np.pi if filled else -0.25 * np.pi
    _size_legend(axes, largest)
    centres = points[["x", "accuracy"]].to_numpy()
    return centres, points["area"].to_numpy(), list(points["text"]), list(points["angle"])


def _flops_unit(points: pd.DataFrame) -> tuple[float, str]:
    return (1e9, "10⁹") if points["flops"].max() >= 1e9 else (1e6, "10⁶")


def _size_legend(axes: Axes, largest: float) -> None:
    """Say below the x axis how large a marker is for how many parameters."""
    look: style.Look = {"facecolors": "none", "edgecolors": style.GREY, "lw": 0.8}
    handles = [
        axes.scatter([], [], n / largest * _LARGEST, label=f"{n / 1e6:g} M", **look)
        for n in _sizes(largest)
    ]
    below = ScaledTranslation(0, -0.42, axes.figure.dpi_scale_trans)
    axes.legend(
        handles=handles,
        title="Parameters:",
        title_fontsize=style.SMALL,
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        bbox_transform=axes.transAxes + below,
        borderaxespad=0,
        borderpad=0.25,
        handleheight=math.sqrt(_LARGEST) / style.SMALL,
        scatteryoffsets=[0.2],
        ncols=len(handles),
    )


def _room(axes: Axes, x: np.ndarray, y: pd.Series) -> None:
    """Leave room for markers and their labels at the edges."""
    for limit, values in ((axes.set_xlim, x), (axes.set_ylim, y)):
        span = max(np.ptp(values), 0.02 * values.max(), 1e-9)
        limit(values.min() - 0.18 * span, values.max() + 0.18 * span)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_locator(MaxNLocator(6))


def _sizes(largest: float) -> list[float]:
    """Return round numbers up to the largest, to a third and to a tenth of it."""
    sizes = []
    for size in (largest / 10, largest / 3, largest):
        power = 10 ** math.floor(math.log10(size))
        sizes.append(max(k * power for k in (1, 2, 5) if k * power <= size))
    return sizes
