"""Draw a figure of the paper from its CSV.

``python -m analysis figure figure6 --folder results/out/mini`` reads
``figures/figure6*.csv`` in that folder and writes ``figures/figure6.pdf`` and ``.png``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from analysis.figures import curves, style, tradeoffs
from analysis.figures import surface_plots as surfaces
from analysis.figures import trajectory_plots as trajectories
from analysis.figures.frames import read_frame, read_grids
from autogrow.errors import UserError, allowed


def _curves(file: Path, caption: str) -> Figure:
    return curves.draw(read_frame(file, curves.TEXT, curves.NUMBERS), caption)


def _depths(file: Path, caption: str) -> Figure:
    frame = read_frame(file, tradeoffs.DEPTHS_TEXT, tradeoffs.DEPTHS_NUMBERS)
    return tradeoffs.draw_depths(frame, caption)


def _resnets(file: Path, caption: str) -> Figure:
    frame = read_frame(file, tradeoffs.RESNETS_TEXT, tradeoffs.RESNETS_NUMBERS)
    return tradeoffs.draw_resnets(frame, caption)


def _morphing(file: Path, caption: str) -> Figure:
    return _trajectories(file, caption, "morphing")


def _trajectories(file: Path, caption: str, growth: str = "growth") -> Figure:
    frame = read_frame(file, trajectories.TEXT, trajectories.NUMBERS)
    contour = read_grids(file.with_name(f"{file.stem}_contour.csv"), (), trajectories.CONTOUR)
    return trajectories.draw(frame, contour, caption, growth)


def _surfaces(file: Path, caption: str) -> Figure:
    return surfaces.draw(read_grids(file, surfaces.TEXT, surfaces.NUMBERS), caption)


FIGURES: dict[str, tuple[Callable[[Path, str], Figure], str]] = {
    "figure2": (_curves, "p-AutoGrow: convergence curves and growing process"),
    "figure3": (_depths, "AutoGrow vs manual search obtained by training many baselines"),
    "figure4": (_resnets, "AutoGrow vs manual design (He et al., 2016)"),
    "figure5": (_morphing, "Optimization trajectories of Network Morphism and from scratch"),
    "figure6": (_trajectories, "Optimization trajectories of AutoGrow"),
    "figure7": (_surfaces, "Loss surfaces around minima found by baselines and AutoGrow"),
    "figure8": (_curves, "Convergence curves and growing process"),
}
"""How each figure is drawn, and the paper's caption in short."""


def draw_figure(name: str, folder: Path) -> Figure:
    """Return a figure of the paper, drawn from its CSV.

    Parameters
    ----------
    name
        ``figure2`` to ``figure8``.
    folder
        ``results/out/SCALE``; the CSV is in its folder ``figures``.

    Raises
    ------
    UserError
        If there is no such figure, or a CSV is missing or malformed.
    """
    if name not in FIGURES:
        raise UserError(f"figure: found {name!r}; allowed: {allowed(FIGURES)}")
    draw, caption = FIGURES[name]
    number = name.removeprefix("figure")
    return draw(folder / "figures" / f"{name}.csv", f"Figure {number}: {caption}")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("figure", help="figure2 to figure8")
    parser.add_argument("--folder", type=Path, required=True, help="results/out/SCALE")


def run(options: argparse.Namespace) -> int:
    """Write a figure's files; return the exit status."""
    # Whatever a user's matplotlibrc says: the picture is the same everywhere.
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(style.STYLE)
        figure = draw_figure(options.figure, options.folder)
        style.write(figure, options.folder / "figures" / options.figure)
    return 0
