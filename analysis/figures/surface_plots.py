"""Figure 7: training loss around the minima that baselines and AutoGrow found."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from mpl_toolkits.mplot3d import Axes3D  # type: ignore[import-untyped]  # it has no stubs

from analysis.figures import style
from analysis.figures.contour_levels import level_names, linear_levels
from analysis.figures.frames import Grid, divergence, grid, one_seed, panels, read_grids, same_runs
from analysis.results.surface_measures import low_loss, low_loss_share, roughness

TEXT = ("network", "method", "K", "paper_K")
NUMBERS = ("accuracy", "x", "y", "loss", "train_accuracy")

_HIGHEST = 9.5  # inches of the panels: with the text around them, a page
_STEEP = 3.0  # a loss this many times the upper quartile hides all the others
_RIM: style.Look = {"color": style.ORANGE, "ls": (0, (2.5, 1.5)), "lw": 1.3}


def draw(file: Path, caption: str) -> Figure:
    """Return the figure: per panel a surface and, below it, its contours, width and roughness.

    Panels of one architecture and K are a pair and share one range of losses and its levels.
    """
    shown, note = one_seed(read_grids(file, TEXT, NUMBERS))
    pairs: dict[tuple[str, str], list[tuple[str, Grid]]] = {}
    for letter, _, points in panels(shown):
        pair, member = _member(letter, points)
        pairs.setdefault(pair, []).append(member)
    columns = max(map(len, pairs.values()))
    width = style.COLUMN if columns == 1 else style.FULL
    figure = style.new_figure(width, min(3.9 * len(pairs), _HIGHEST))
    cells = figure.add_gridspec(2 * len(pairs), columns, height_ratios=[1.35, 1] * len(pairs))
    rims = False
    for row, members in enumerate(pairs.values()):
        # One that diverged has no finite loss, and says so itself.
        shown_losses = [z.ravel() for _, (_, _, z) in members if np.isfinite(z).any()]
        losses = np.concatenate([*shown_losses, np.empty(0)])
        low, high, clipped = _range(losses)
        levels = linear_levels(low, high)
        group = []
        for column, (heading, surface) in enumerate(members):
            solid = figure.add_subplot(cells[2 * row, column], axes_class=Axes3D)
            flat = figure.add_subplot(cells[2 * row + 1, column])
            group += [solid, flat]
            _surface(solid, *surface, low, high)
            solid.set_title(heading, y=0.93)
            rims |= _contours(flat, *surface, low, high, levels)
        if not np.isfinite(losses).any():
            continue
        mapped = ScalarMappable(Normalize(low, high), style.SEQUENTIAL)
        bar = figure.colorbar(mapped, ax=group, pad=0.1, aspect=28, shrink=0.8)
        bar.set_ticks(list(levels), labels=level_names(levels))
        for level, color in zip(levels, _colors(levels, low, high), strict=True):
            bar.ax.axhline(level, color=color, lw=0.7)
        bar.set_label("Training loss" + (f", clipped at {high:.3g}" if clipped else ""))
    notes = [note, "Filter-wise normalised directions of the same seed. Titles: test accuracy."]
    notes.append(
        "Width: share of the grid where the loss is at most 1 above that of the centre. Roughness:"
        " mean absolute second difference of the loss between neighbours of the grid, in nats."
    )
    handles = [Line2D([], [], label="loss 1 above that of the centre", **_RIM)] if rims else []
    style.finish(figure, caption, shown, [*notes, *same_runs(shown)], handles)
    return figure


def _member(letter: str, points: pd.DataFrame) -> tuple[tuple[str, str], tuple[str, Grid]]:
    """Return the pair that a panel belongs to, and the panel's heading and surface."""
    first = points.iloc[0]
    network, method, K, paper_K = first[["network", "method", "K", "paper_K"]]
    if method == "AutoGrow":
        method += f", K = {K}" + ("" if paper_K == K else f" (paper: {paper_K})")
    outcome = divergence(points) or f"{first['accuracy']:.2f} %"
    heading = f"({letter}) {network}\n{method}: {outcome}"
    return (network.partition("-")[0], paper_K), (heading, grid(points, "loss"))


def _range(values: np.ndarray) -> tuple[float, float, bool]:
    """Return the smallest and largest loss shown, and whether some are larger or not finite."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0, True
    low, high, quartile = finite.min(), finite.max(), np.quantile(finite, 0.75)
    if high > _STEEP * quartile:
        power = 10.0 ** (math.floor(math.log10(quartile)) - 1)
        high = math.ceil(quartile / power) * power
    return low, max(high, low + 1e-9), bool((finite > high).any() or len(finite) < len(values))


def _clip(z: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return the losses as shown: what is above the range or not finite at its top."""
    return np.nan_to_num(z, nan=high, posinf=high).clip(low, high)


def _surface(
    axes: Axes3D, x: np.ndarray, y: np.ndarray, z: np.ndarray, low: float, high: float
) -> None:
    if np.isfinite(z).any():
        axes.plot_surface(
            *np.meshgrid(x, y),
            _clip(z, low, high),
            norm=Normalize(low, high),
            cmap=style.SEQUENTIAL,
            rcount=len(y),
            ccount=len(x),
            lw=0.15,
            edgecolor=(0, 0, 0, 0.35),
        )
    axes.set_xlim(x.min(), x.max())
    axes.set_ylim(y.min(), y.max())
    axes.set_zlim(low, high)
    axes.view_init(elev=28, azim=-55)
    axes.set_box_aspect((1, 1, 0.75), zoom=0.9)
    axes.set_xlabel("1st direction", labelpad=-6)
    axes.set_ylabel("2nd direction", labelpad=-6)
    axes.set_zlabel("Training loss", labelpad=-6)
    axes.set_xticks(np.linspace(x.min(), x.max(), 5)[1::2])
    axes.set_yticks(np.linspace(y.min(), y.max(), 5)[1::2])
    ticks = linear_levels(low, high)
    ticks = ticks[:: -(-len(ticks) // 3) or 1]
    names = level_names(ticks)
    # Long numbers have no room here; the colour bar has them.
    axes.set_zticks(ticks, names if max(map(len, names), default=0) < 5 else [""] * len(ticks))
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_tick_params(pad=-3)
        axis.pane.set_facecolor("white")


def _contours(
    axes: Axes,
    x: np.ndarray,
    y: np.ndarray,
    z: np.ndarray,
    low: float,
    high: float,
    levels: np.ndarray,
) -> bool:
    """Draw the contours of a surface; return whether the rim of its low losses is among them."""
    axes.set_xlabel(f"1st direction\n{_measures(x, y, z)}")
    axes.set_ylabel("2nd direction")
    axes.set_xticks(np.linspace(x.min(), x.max(), 3))
    axes.set_yticks(np.linspace(y.min(), y.max(), 3))
    axes.set_aspect("equal")
    axes.set_xlim(x.min(), x.max())
    axes.set_ylim(y.min(), y.max())
    if not np.isfinite(z).any():
        axes.text(0.5, 0.5, "no finite losses", transform=axes.transAxes, ha="center")
        return False
    shown, norm = _clip(z, low, high), Normalize(low, high)
    steps = np.linspace(low, high, 25)
    filled = axes.contourf(x, y, shown, levels=steps, norm=norm, cmap=style.SEQUENTIAL)
    filled.set_edgecolor("face")  # no white seams between the levels in a PDF
    own = (levels > shown.min()) & (levels < shown.max())
    if own.any():
        colors = _colors(levels[own], low, high)
        axes.contour(x, y, shown, levels[own], colors=colors, linewidths=0.7)
    rim = low_loss(x, y, z)
    if not shown.min() < rim < shown.max():
        return False
    axes.contour(x, y, shown, [rim], colors=_RIM["color"], linestyles=[_RIM["ls"]], linewidths=1.3)
    return True


def _colors(levels: np.ndarray, low: float, high: float) -> list[str]:
    """Return for each level a colour of its line that is seen on that of the surface."""
    norm = Normalize(low, high)
    return ["white" if norm(level) < 0.6 else style.BLACK for level in levels]


def _measures(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> str:
    """Return the width and the roughness of a surface in words."""
    share, rough = low_loss_share(x, y, z), roughness(z)
    return (
        f"width {'none' if math.isnan(share) else f'{100 * share:.0f} %'}, "
        f"roughness {'none' if math.isnan(rough) else f'{rough:.3g}'}"
    )
