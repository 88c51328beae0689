"""Figure 4: accuracy against multiply-adds, found nets beside hand-designed ones."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from analysis.figures import style
from analysis.figures.frames import over_seeds, panels, read_frame
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
from autogrow.errors import UserError, shown

TEXT = ("network", "method", "source", "K", "depth")
NUMBERS = ("layers", "parameters", "flops", "accuracy")

OURS, PAPER = "this run", "the paper"
"""The ``source`` of AutoGrow's nets in figure4.csv; other nets are hand-designed."""

_BLOCKS = {
    "Basic": style.VERMILLION,
    "Bottleneck": style.ORANGE,
    "Plain": style.PURPLE,
    "basic": style.BLUE,
    "bottleneck": style.GREEN,
}
"""AutoGrow's networks by how their name begins, hand-designed ones by their block."""

_LINES = {PAPER: ":", "torchvision": "--"}
"""Sources whose markers are hollow, and the lines between them."""

_LARGEST = 320.0  # square points: the marker of the largest network of a panel


def draw(file: Path, caption: str) -> Figure:
    """Return Figure 4: top-1 accuracy against multiply-adds, marker area by parameters."""
    frame = each_run_once(read_frame(file, TEXT, NUMBERS))
    parts = list(panels(frame))
    for letter, _, runs in parts:
        if runs["dataset"].nunique() > 1:
            found = " and ".join(sorted(runs["dataset"].unique()))
            raise UserError(f"figure4: panel {shown(letter)}: found {found}; allowed: one data set")
    ours = frame[frame["source"] == OURS]
    width = style.COLUMN if len(parts) == 1 and ours.empty else style.FULL
    figure = style.new_figure(width, 3.6)
    handles: list[Artist] = []
    drawn = []
    for i, (_, heading, runs) in enumerate(parts):
        axes = figure.add_subplot(1, len(parts), i + 1)
        style.entitle(axes, heading, len(parts))
        points = means(runs)
        if points.empty:
            none = "every run diverged" if len(runs) else "no run at this scale"
            axes.text(0.5, 0.5, none, transform=axes.transAxes, ha="center")
            continue
        unit, _ = _flops_unit(points)
        lost = mark_lost(axes, runs, runs["flops"] / unit)
        x = np.concatenate([points["flops"] / unit, *(marks.get_xdata() for marks in lost)])
        drawn.append((axes, _bubbles(axes, points, x, handles)))
        handles += lost
    if any(places["below"].any() for _, places in drawn):
        handles.append(below_handle())
    style.finish(figure, caption, frame, [*_notes(frame), *left_out(frame)], handles)
    for axes, places in drawn:
        # Those that lie below the scale come first, for they must say where they are.
        places = places.sort_values(["below", "y"], ascending=False, kind="stable")
        centres, areas = places[["x", "y"]].to_numpy(), places["area"].to_numpy()
        label_points(axes, centres, areas, list(places["text"]), list(places["angle"]))
    return figure


def _notes(frame: pd.DataFrame) -> list[str]:
    """Return what the picture's marks mean, and the paper's K beside those that were used."""
    ours = frame[frame["source"] == OURS]
    notes = ["Marker area is proportional to the number of parameters."]
    if (frame["source"] == "torchvision").any():
        notes.append("He et al.: 10-crop testing; torchvision: one crop.")
    if ours.empty:
        return [*notes, "AutoGrow's nets are left out: there is no such run at this scale."]
    used, paper = (
        sorted(rows["K"].unique(), key=float) for rows in (ours, frame[frame["source"] == PAPER])
    )
    if paper and used != paper:
        notes.append(f"K at this scale: {' and '.join(used)}; the paper's: {' and '.join(paper)}.")
    seeds = over_seeds(ours)
    return [*notes, f"AutoGrow at this scale: {seeds[0].lower()}{seeds[1:]}"]


def _bubbles(
    axes: Axes, points: pd.DataFrame, x: np.ndarray, handles: list[Artist]
) -> pd.DataFrame:
    """Draw the networks of a panel; return what their labels need, add to ``handles``.

    ``x`` are the multiply-adds of all that is drawn, in the unit of the axis.
    """
    unit, power = _flops_unit(points)
    axes.set_xlabel(f"FLOPs ({power} multiply-adds)")
    axes.set_ylabel("Top-1 accuracy (%)")
    largest = points["parameters"].max()
    grown = points["source"].isin([OURS, PAPER])
    points = points.assign(
        x=points["flops"] / unit,
        y=points["accuracy"],
        area=points["parameters"] / largest * _LARGEST,
        text=points["network"].str.removeprefix("ResNet-"),
        angle=np.where(points["source"] == "torchvision", -0.25, 0.75) * np.pi,
        below=False,
    )
    points.loc[grown, "text"] = "K = " + points["K"] + "\n" + points["depth"]
    span = max(np.ptp(x), 0.02 * x.max(), 1e-9)
    axes.set_xlim(x.min() - 0.18 * span, x.max() + 0.18 * span)
    points["below"] = fit_accuracies(axes, points, 0.18)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_locator(MaxNLocator(6))
    for source, group in points.groupby("source", sort=False):
        own = group["network" if source in (OURS, PAPER) else "method"]
        for name, nets in group.groupby(own, sort=False):
            handles.append(_family(axes, nets, str(source), str(name)))
    for i in np.flatnonzero(points["below"]):
        place = points.iloc[i]
        name = place["network"] if grown.iloc[i] else place["method"]
        mark_below(axes, place["x"], _color(name))
        text = f"{place['text']}\n{place['accuracy']:.1f} %"
        points.loc[i, ["y", "area", "text"]] = at_the_edge(axes), 25.0, text
    _size_legend(axes, largest)
    return points


def _family(axes: Axes, nets: pd.DataFrame, source: str, name: str) -> Artist:
    """Draw the nets of one source and kind; return what the legend shows of them."""
    color, filled = _color(name), source not in _LINES
    face, alpha = (color, 0.75) if filled else ("none", 1)
    look: style.Look = {"facecolors": face, "edgecolors": color, "lw": 1, "alpha": alpha}
    look["linestyles"] = ":" if source == PAPER else "-"
    nets = nets.sort_values("flops")
    # Smaller markers on top: none is hidden.
    for area in sorted(nets["area"].unique()):
        net = nets[nets["area"] == area]
        axes.scatter(net["x"], net["accuracy"], area, zorder=3 - area / 1e3, **look)
    if source == OURS:
        bars: style.Look = {"elinewidth": 0.8, "capsize": 2, "zorder": 4}
        spread = nets["accuracy_std"] if nets["accuracy_std"].any() else None
        axes.errorbar(nets["x"], nets["accuracy"], spread, color=color, ls="", **bars)
        label = f"AutoGrow {name}"
    else:
        line: style.Look = {"ls": _LINES.get(source, "-"), "lw": 0.8, "zorder": 1}
        axes.plot(nets["x"], nets["accuracy"], color=color, **line)
        label = f"AutoGrow {name}, {source}" if source == PAPER else f"{name}, {source}"
    return axes.scatter([], [], _LARGEST / 8, label=label, **look)


def _color(name: str) -> str:
    return next((c for b, c in _BLOCKS.items() if name.startswith(b)), style.BLACK)


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


def _sizes(largest: float) -> list[float]:
    """Return round numbers up to the largest, to a third and to a tenth of it."""
    sizes = []
    for size in (largest / 10, largest / 3, largest):
        power = 10 ** math.floor(math.log10(size))
        sizes.append(max(k * power for k in (1, 2, 5) if k * power <= size))
    return sizes
