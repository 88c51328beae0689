"""Figure 7: training loss around the minima that baselines and AutoGrow found."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d import Axes3D  # type: ignore[import-untyped]  # it has no stubs

from analysis.figures import style
from analysis.figures.frames import Grid, divergence, grid, levels, one_seed, panels, read_grids
from analysis.figures.placing import label_contours

TEXT = ("network", "method", "K", "paper_K")
NUMBERS = ("accuracy", "x", "y", "loss", "train_accuracy")

_HIGHEST = 9.9  # inches of the panels: with the text around them, a page
_STEEP = 3.0  # a loss this many times the upper quartile hides all the others


def draw(file: Path, caption: str) -> Figure:
    """Return the figure: per panel a surface and, below it, its contours.

    Panels of one architecture and K are a pair and share one range of losses.
    """
    shown, note = one_seed(read_grids(file, TEXT, NUMBERS))
    parts = list(panels(shown))
    pairs: dict[tuple[str, str], list[tuple[str, Grid]]] = {}
    for letter, _, points in parts:
        first = points.iloc[0]
        network, method = first["network"], first["method"]
        if method == "AutoGrow":
            method += f", K = {first['K']}"
        outcome = divergence(points) or f"{first['accuracy']:.2f} %"
        heading = f"({letter}) {network}\n{method}: {outcome}"
        pair = network.partition("-")[0], first["paper_K"]
        pairs.setdefault(pair, []).append((heading, grid(points, "loss")))
    columns = max(map(len, pairs.values()))
    width = style.COLUMN if columns == 1 else style.FULL
    figure = style.new_figure(width, min(3.75 * len(pairs), _HIGHEST))
    cells = figure.add_gridspec(2 * len(pairs), columns, height_ratios=[1.35, 1] * len(pairs))
    drawn = []
    for row, members in enumerate(pairs.values()):
        # One that diverged has no finite loss, and says so itself.
        shown_losses = [z.ravel() for _, (_, _, z) in members if np.isfinite(z).any()]
        losses = np.concatenate([*shown_losses, np.empty(0)])
        low, high, clipped = _range(losses)
        group = []
        for column, (heading, surface) in enumerate(members):
            solid = figure.add_subplot(cells[2 * row, column], axes_class=Axes3D)
            flat = figure.add_subplot(cells[2 * row + 1, column])
            group += [solid, flat]
            _surface(solid, *surface, low, high)
            solid.set_title(heading, y=0.93)
            drawn.append((flat, _contours(flat, *surface, low, high)))
        if not np.isfinite(losses).any():
            continue
        mapped = ScalarMappable(Normalize(low, high), style.SEQUENTIAL)
        bar = figure.colorbar(mapped, ax=group, pad=0.1, aspect=28, shrink=0.8)
        bar.ax.yaxis.set_major_locator(MaxNLocator(5))
        bar.set_label("Training loss" + (f", clipped at {high:.3g}" if clipped else ""))
    style.finish(
        figure,
        caption,
        shown,
        [note, "Filter-wise normalised directions of the same seed. Titles: test accuracy."],
    )
    for axes, lines in drawn:
        if lines is not None:
            label_contours(axes, lines, np.empty((0, 2)))
    return figure


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
    axes.set_xticks(np.linspace(x.min(), x.max(), 5)[1:-1])
    axes.set_yticks(np.linspace(y.min(), y.max(), 5)[1:-1])
    axes.zaxis.set_major_locator(MaxNLocator(4))
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_tick_params(pad=-3)
        axis.pane.set_facecolor("white")


def _contours(
    axes: Axes, x: np.ndarray, y: np.ndarray, z: np.ndarray, low: float, high: float
) -> ContourSet | None:
    axes.set_xlabel("1st direction")
    axes.set_ylabel("2nd direction")
    axes.set_xticks(np.linspace(x.min(), x.max(), 3))
    axes.set_yticks(np.linspace(y.min(), y.max(), 3))
    axes.set_aspect("equal")
    axes.set_xlim(x.min(), x.max())
    axes.set_ylim(y.min(), y.max())
    if not np.isfinite(z).any():
        axes.text(0.5, 0.5, "no finite losses", transform=axes.transAxes, ha="center")
        return None
    shown, norm = _clip(z, low, high), Normalize(low, high)
    steps = np.linspace(low, high, 25)
    filled = axes.contourf(x, y, shown, levels=steps, norm=norm, cmap=style.SEQUENTIAL)
    filled.set_edgecolor("face")  # no white seams between the levels in a PDF
    wanted = levels(shown, 6)
    if not len(wanted):
        return None
    colors = ["white" if norm(level) < 0.6 else style.BLACK for level in wanted]
    return axes.contour(x, y, shown, wanted, colors=colors, linewidths=0.7)
