"""Figures 5 and 6: optimization trajectories on their first two principal components."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis.figures import style
from analysis.figures.contour_levels import level_names, log_levels
from analysis.figures.frames import (
    divergence,
    finite,
    grid,
    one_seed,
    panels,
    read_frame,
    read_grids,
    same_runs,
)

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
_APART = 0.09  # of a panel's width and height: closer triangles would cover each other
_MARK: style.Look = {"ls": "", "color": style.BLACK, "mec": style.BLACK, "mew": 0.5}


def draw(file: Path, caption: str, growth: str = "growth") -> Figure:
    """Return the figure, a panel for each trajectory, with the same contour levels in all.

    ``_contour`` in its name, a CSV beside ``file`` has the training loss on a grid. A growth of
    the network is called ``growth`` or, in Figure 5, ``morphing``.
    """
    shown, note = one_seed(read_frame(file, TEXT, NUMBERS))
    contour = read_grids(file.with_name(f"{file.stem}_contour.csv"), (), CONTOUR)
    parts = list(panels(shown))
    losses = [
        contour[(contour["panel"] == letter) & (contour["seed"] == steps["seed"].iloc[0])]
        for letter, _, steps in parts
    ]
    levels = log_levels(pd.concat(losses)["loss"].to_numpy())
    # Without the last, bright fifth of the map: too pale for a line on white.
    colors = matplotlib.colormaps[style.SEQUENTIAL](np.linspace(0, 0.8, len(levels)))
    figure, all_axes = style.panel_axes([heading for _, heading, _ in parts], 2.45)
    crowded = []
    for axes, (letter, _, steps), around in zip(all_axes, parts, losses, strict=True):
        _contours(axes, around, levels, colors)
        steps = steps.sort_values("step", kind="stable")
        drawn, all_growths = (
            _trajectory(axes, steps),
            _grown(steps[finite(steps, ["x", "y"])]).sum(),
        )
        if drawn < all_growths:
            crowded.append(f"({letter}) shows {drawn} of {all_growths}")
    if len(levels):
        _colour_bar(figure, all_axes, levels, colors)
    notes = [note, "Contours have the same levels of training loss in all panels."]
    if _grown(shown).any():
        notes.append(
            f"PCA of points evenly spaced in epochs, without those right after a {growth}."
        )
    if crowded:
        notes.append(f"Where triangles would crowd, some are left out: {', '.join(crowded)}.")
    style.finish(figure, caption, shown, [*notes, *same_runs(shown)], _handles(shown, growth))
    return figure


def _contours(axes: Axes, losses: pd.DataFrame, levels: np.ndarray, colors: np.ndarray) -> None:
    x, y, z = grid(losses, "loss")
    known = z[np.isfinite(z)]
    if min(z.shape) < 2 or not len(known):
        none = "no contours: no finite losses"
        axes.text(0.5, 0.03, none, transform=axes.transAxes, ha="center")
        return
    own = (levels > known.min()) & (levels < known.max())
    look: style.Look = {"colors": colors[own], "linewidths": 0.7, "zorder": 1}
    if own.any():
        axes.contour(x, y, np.ma.masked_invalid(z), levels=levels[own], **look)
    else:
        none = f"no contours: losses {known.min():.5g} to {known.max():.5g}"
        axes.text(0.5, 0.03, none, transform=axes.transAxes, ha="center")


def _colour_bar(
    figure: Figure, all_axes: list[Axes], levels: np.ndarray, colors: np.ndarray
) -> None:
    """Draw a field for each level, in the colour of its lines."""
    fields = ScalarMappable(Normalize(-0.5, len(levels) - 0.5), ListedColormap(colors))
    bar = figure.colorbar(fields, ax=all_axes, aspect=30, shrink=0.8, pad=0.02)
    bar.set_ticks(list(range(len(levels))), labels=level_names(levels))
    bar.ax.tick_params(length=0)
    bar.set_label("Training loss")


def _trajectory(axes: Axes, steps: pd.DataFrame) -> int:
    """Draw a trajectory; return how many of its growths have a triangle."""
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
    grown = _apart(axes, points[_grown(steps)])
    axes.plot(*grown.T, **_GROWTH, **_MARK, zorder=4)
    axes.plot(*points[:1].T, **_START, **_MARK, zorder=5)
    end = _LOST if diverged else _END
    axes.plot(*points[-1:].T, **end, **_MARK, zorder=6)
    if diverged:
        axes.text(0.5, 0.12, diverged, transform=axes.transAxes, ha="center")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    return len(grown)


def _apart(axes: Axes, points: np.ndarray) -> np.ndarray:
    """Return the points, in their order, without those too close to one before them."""
    axes.autoscale_view()
    places = axes.transLimits.transform(points)
    kept: list[int] = []
    for i, place in enumerate(places):
        if not kept or np.hypot(*(places[kept] - place).T).min() >= _APART:
            kept.append(i)
    return points[kept]


def _grown(steps: pd.DataFrame) -> np.ndarray:
    return steps["grown"].str.lower().isin(["1", "true"]).to_numpy()


def _handles(frame: pd.DataFrame, growth: str) -> list[Line2D]:
    """Return the legend of what is drawn of these rows."""
    drawn = frame[finite(frame, ["x", "y"])]
    looks: list[tuple[str, style.Look]] = [
        (label, {"marker": "o", "ms": 3, "color": color, "mec": color})
        for phase, (label, color) in _PHASES.items()
        if (drawn["phase"] == phase).any()
    ]
    lost = drawn["diverged_after"].notna()
    looks += [
        (label, {**look, **_MARK})
        for label, look, there in (
            ("start", _START, len(drawn)),
            (growth, _GROWTH, _grown(drawn).any()),
            ("final network", _END, not lost.all()),
            ("last before it diverged", _LOST, lost.any()),
        )
        if there
    ]
    return [Line2D([], [], **{**look, "ls": ""}, label=label) for label, look in looks]
