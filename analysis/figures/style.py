"""How every figure looks: sizes, fonts, colours, and the lines of text around it."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.legend import Legend
from matplotlib.text import Text

from analysis.figures.frames import conditions, stamp
from autogrow.files.writing import write_together

Look = dict[str, Any]
"""How an artist is drawn: matplotlib's keywords and their values."""

COLUMN, FULL = 3.25, 5.5
"""Inches: a column of a two-column paper, and the paper's text width."""

SMALL, NORMAL = 7.0, 8.0
"""Font sizes in points, at the final size."""

# Okabe and Ito's palette, which people with every common colour blindness can tell apart.
PALETTE = (
    *("#000000", "#E69F00", "#56B4E9", "#009E73"),
    *("#F0E442", "#0072B2", "#D55E00", "#CC79A7"),
)
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILLION, PURPLE = PALETTE
GREY = "#555555"
"""For text and lines of lesser weight."""

SEQUENTIAL = "viridis"

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same picture everywhere
    "font.size": SMALL,
    "axes.titlesize": NORMAL,
    "axes.labelsize": NORMAL,
    "axes.linewidth": 0.6,
    "axes.grid": False,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "legend.columnspacing": 1.2,
    "lines.linewidth": 1.1,
    "lines.markersize": 4,
    "pdf.fonttype": 42,  # TrueType, which journals take, and text stays text
}

_MARGIN = 0.05  # inches


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure; ``height`` in inches is without the text around it."""
    figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.04, h_pad=0.04))
    FigureCanvasAgg(figure)
    return figure


def panel_axes(headings: Sequence[str], height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with a panel of a height for each heading, two side by side."""
    columns = min(len(headings), 2)
    rows = math.ceil(len(headings) / columns)
    figure = new_figure((COLUMN, FULL)[columns - 1], height * rows)
    panels = [figure.add_subplot(rows, columns, i + 1) for i in range(len(headings))]
    for axes, heading in zip(panels, headings, strict=True):
        entitle(axes, heading, columns)
    return figure, panels


def entitle(axes: Axes, text: str, across: int, *, pad: float | None = None) -> None:
    """Give a panel its title, broken into lines where ``across`` panels stand side by side."""
    width = axes.figure.bbox.width / axes.figure.dpi / across - 0.3
    axes.set_title(_wrapped(text, width, NORMAL), pad=pad)


def finish(
    figure: Figure,
    caption: str,
    frame: pd.DataFrame,
    notes: Sequence[str],
    handles: Sequence[Artist] = (),
) -> None:
    """Print caption and legend above a figure and the conditions below it, then fix its layout.

    The figure becomes higher by what these need. Afterwards positions in the axes are
    final, so labels can be placed where there is room.

    ``frame`` holds the rows of the CSV, which name scale and data sets; ``notes`` are sentences
    on what else the picture shows, and ``handles`` make the legend that all panels share.
    """
    width, height = figure.get_size_inches()
    bold: Look = {"size": NORMAL, "weight": "bold"}
    small: Look = {"size": SMALL, "color": GREY}
    blocks = [
        figure.text(0, 0, _wrapped(text, width, **look), va="top", **look)
        for text, look in ((stamp(frame), bold | {"color": VERMILLION}), (caption, bold))
    ]
    footing = " ".join([conditions(frame), *notes])
    below_it = figure.text(0, 0, _wrapped(footing, width, **small), va="top", **small)
    legends = [_legend(figure, handles)] if handles else []
    heights = [*map(_height, blocks), *map(_height, legends)]
    above, below = sum(heights) + _MARGIN, _height(below_it) + _MARGIN
    total = above + height + below
    figure.set_size_inches(width, total)
    top = total - _MARGIN
    for text, across in zip(blocks, heights, strict=False):
        text.set_position((_MARGIN / width, top / total))
        top -= across
    for legend in legends:
        legend.set_bbox_to_anchor((0.5, top / total))
    below_it.set_position((_MARGIN / width, below / total))
    layout = figure.get_layout_engine()
    assert isinstance(layout, ConstrainedLayoutEngine)  # as new_figure made it
    layout.set(rect=(0, below / total, 1, height / total))
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def _legend(figure: Figure, handles: Sequence[Artist]) -> Legend:
    """Return a legend with as few rows as fit into the figure's width."""
    for rows in range(1, len(handles) + 1):
        columns = math.ceil(len(handles) / rows)
        legend = figure.legend(
            handles=handles, loc="upper center", ncols=columns, borderaxespad=0, borderpad=0.2
        )
        legend.set_in_layout(False)
        if legend.get_window_extent().width <= figure.bbox.width - 4:
            break
        if columns > 1:
            legend.remove()
    return legend


def write(figure: Figure, file: Path) -> None:
    """Write ``file`` as .pdf and .png, the same bytes for the same figure."""
    # What is in the metadata by default: the date, and matplotlib's version.
    no_date = {"CreationDate": None, "Creator": None, "Producer": None}
    pdf, png = io.BytesIO(), io.BytesIO()
    figure.savefig(pdf, format="pdf", metadata=no_date)
    figure.savefig(png, format="png", metadata={"Software": None}, dpi=300)
    contents = {file.with_suffix(".pdf"): pdf.getvalue(), file.with_suffix(".png"): png.getvalue()}
    write_together(contents)


def _height(artist: Text | Legend) -> float:
    """Return the height in inches, with a margin below; 0 if there is nothing."""
    height = artist.get_window_extent().height / artist.figure.dpi
    return height + _MARGIN if height else 0


def _wrapped(text: str, width: float, size: float, weight: str = "normal", **_: str) -> str:
    """Break a text into lines that fit into ``width`` inches."""
    letter = size / 72 * (0.62 if weight == "bold" else 0.54)  # a line's mean, with room
    return textwrap.fill(text, int((width - 2 * _MARGIN) / letter), break_on_hyphens=False)
