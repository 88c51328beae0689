"""Figures 5 and 6: optimization trajectories on their first two principal components."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis.figures import style
from analysis.figures.frames import (
    divergence,
    finite,
    grid,
    levels,
    one_seed,
    panels,
    read_frame,
    read_grids,
)
from analysis.figures.placing import label_contours

TEXT = ("phase", "depth", "grown")
NUMBERS = ("step", "epoch", "x", "y", "explained_1", "explained_2")
CONTOUR = ("x", "y", "loss")

_PHASES = {
    "growing": ("growing", style.BLUE),
    "training": ("training", style.BLUE),
    "finetuning": ("fine-tuning", style.ORANGE),
}
_START: style.Look = {"marker": "s", "ms": 6, "mfc": style.GREEN}
_GROWTH: style.Look = {"marker": "^", "ms": 6, "mfc": style.VERMILLION}
_END: style.Look = {"marker": "*", "ms": 11, "mfc": style.YELLOW}
_LOST: style.Look = {"marker": "X", "ms": 8, "mfc": style.PURPLE}
_MARK: style.Look = {"ls": "", "color": style.BLACK, "mec": style.BLACK, "mew": 0.5}


def draw(file: Path, caption: str, growth: str = "growth") -> Figure:
    """Return the figure, a panel for each trajectory.

    ``_contour`` in its name, a CSV beside ``file`` has the training loss on a grid. A growth of
    the network is called ``growth`` or, in Figure 5, ``morphing``.
    """
    shown, note = one_seed(read_frame(file, TEXT, NUMBERS))
    contour = read_grids(file.with_name(f"{file.stem}_contour.csv"), (), CONTOUR)
    parts = list(panels(shown))
    figure, all_axes = style.panel_axes([heading for _, heading, _ in parts], 2.45)
    drawn = []
    for axes, (letter, _, steps) in zip(all_axes, parts, strict=True):
        losses = contour[(contour["panel"] == letter) & (contour["seed"] == steps["seed"].iloc[0])]
        steps = steps.sort_values("step", kind="stable")
        drawn.append((axes, _contours(axes, losses), _trajectory(axes, steps)))
    notes = [note, "Contours: training loss, on a logarithmic scale of levels."]
    if _grown(shown).any():
        notes.append(
            f"PCA of points evenly spaced in epochs, without those right after a {growth}."
        )
    style.finish(figure, caption, shown, notes, _handles(shown, growth))
    for axes, lines, points in drawn:
        if lines is not None:
            label_contours(axes, lines, points)
    return figure


def _contours(axes: Axes, losses: pd.DataFrame) -> ContourSet | None:
    x, y, z = grid(losses, "loss")
    wanted = levels(z)
    if min(z.shape) < 2 or not len(wanted):
        axes.text(0.5, 0.03, "no contours: no finite losses", transform=axes.transAxes, ha="center")
        return None
    shown = np.ma.masked_invalid(z)
    # Without the last, bright fifth of the map: too pale for a line on white.
    colors = matplotlib.colormaps[style.SEQUENTIAL](np.linspace(0, 0.8, len(wanted)))
    return axes.contour(x, y, shown, levels=wanted, colors=colors, linewidths=0.7, zorder=1)


def _trajectory(axes: Axes, steps: pd.DataFrame) -> np.ndarray:
    """Draw a trajectory; return its points, (n, 2)."""
    diverged = divergence(steps)
    steps = steps[finite(steps, ["x", "y"])]
    points = steps[["x", "y"]].to_numpy()
    for side, component, ordinal in (("x", "1", "1st"), ("y", "2", "2nd")):
        explained = steps[f"explained_{component}"]
        share = f"{explained.iloc[0]:.2f} %" if len(steps) else "no finite point"
        getattr(axes, f"set_{side}label")(f"{ordinal} PC: {share}")
    axes.plot(*points.T, color=style.BLACK, lw=0.7, zorder=2)
    for phase, (_, color) in _PHASES.items():
        part = steps[steps["phase"] == phase]
        axes.plot(part["x"], part["y"], ls="", marker="o", ms=2.6, color=color, zorder=3)
    grown = points[_grown(steps)]
    axes.plot(*grown.T, **_GROWTH, **_MARK, zorder=4)
    axes.plot(*points[:1].T, **_START, **_MARK, zorder=5)
    end = _LOST if diverged else _END
    axes.plot(*points[-1:].T, **end, **_MARK, zorder=6)
    if diverged:
        axes.text(0.5, 0.12, diverged, transform=axes.transAxes, ha="center")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    return points


def _grown(steps: pd.DataFrame) -> np.ndarray:
    return steps["grown"].str.lower().isin(["1", "true"]).to_numpy()


def _handles(frame: pd.DataFrame, growth: str) -> list[Line2D]:
    looks: list[tuple[str, style.Look]] = [
        (label, {"marker": "o", "ms": 3, "color": color, "mec": color})
        for phase, (label, color) in _PHASES.items()
        if (frame["phase"] == phase).any()
    ]
    looks.append(("start", {**_START, **_MARK}))
    if _grown(frame).any():
        looks.append((growth, {**_GROWTH, **_MARK}))
    lost = frame["diverged_after"].notna()
    if not lost.all():
        looks.append(("final network", {**_END, **_MARK}))
    if lost.any():
        looks.append(("last before it diverged", {**_LOST, **_MARK}))
    return [Line2D([], [], **{**look, "ls": ""}, label=label) for label, look in looks]
