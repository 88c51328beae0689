"""Draw a figure of the paper from its CSV.

``python -m analysis figure figure6 --folder results/out/mini`` reads
``figures/figure6*.csv`` in that folder and writes ``figures/figure6.pdf`` and ``.png``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from analysis.figures import (
    curves,
    depth_plots,
    method_plots,
    null_plots,
    resnet_plots,
    style,
    surface_plots,
    trajectory_plots,
)
from autogrow.errors import UserError, allowed, shown

FIGURES: dict[str, tuple[Callable[[Path, str], Figure], str]] = {
    "figure2": (curves.draw, "p-AutoGrow: convergence curves and growing process"),
    "figure3": (
        depth_plots.draw,
        "AutoGrow vs manual search obtained by training many baselines",
    ),
    "figure4": (resnet_plots.draw, "AutoGrow vs manual design (He et al., 2016)"),
    "figure5": (
        partial(trajectory_plots.draw, growth="morphing"),
        "Optimization trajectories of Network Morphism and from scratch",
    ),
    "figure6": (trajectory_plots.draw, "Optimization trajectories of AutoGrow"),
    "figure7": (
        surface_plots.draw,
        "Loss surfaces around minima found by baselines and AutoGrow",
    ),
    "figure8": (curves.draw, "Convergence curves and growing process"),
    "figure9": (null_plots.draw, "Depth that AutoGrow finds, and that its schedule alone reports"),
    "figure10": (method_plots.draw, "AutoGrow beside other ways to grow, and fixed depths"),
}
"""How each figure is drawn, and the paper's caption in short."""


def draw_figure(name: str, folder: Path, *, log_x: bool = False) -> Figure:
    """Return a figure of the paper, drawn from its CSV in ``folder / "figures"``.

    ``log_x`` makes Figure 3's x axis logarithmic.
    """
    if name not in FIGURES:
        raise UserError(f"figure: found {shown(name)}; allowed: {allowed(FIGURES)}")
    draw, caption = FIGURES[name]
    if log_x:
        if name != "figure3":
            raise UserError(f"--log-x: found {name}; allowed: figure3 alone")
        draw = partial(depth_plots.draw, log_x=True)
    number = name.removeprefix("figure")
    return draw(folder / "figures" / f"{name}.csv", f"Figure {number}: {caption}")


def write_pictures(name: str, folder: Path, *, log_x: bool = False) -> None:
    """Draw a figure, and write it into ``folder / "figures"``."""
    # Whatever a user's matplotlibrc says: the picture is the same everywhere.
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(style.STYLE)
        style.write(draw_figure(name, folder, log_x=log_x), folder / "figures" / name)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("figure", help="figure2 to figure10")
    parser.add_argument(
        "--log-x", action="store_true", help="figure3: parameters on a logarithmic scale"
    )
    parser.add_argument("--folder", type=Path, required=True, help="results/out/SCALE")


def run(options: argparse.Namespace) -> int:
    """Write a figure's files; return the exit status."""
    write_pictures(options.figure, options.folder, log_x=options.log_x)
    return 0
