"""Figure 9: the depth that AutoGrow finds against the depth that its schedule alone reports."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from analysis.figures import style
from analysis.figures.frames import finite, panels, read_frame

TEXT = ("network", "K", "paper_K", "fraction", "found_depth", "null_depth", "null_stopped")
NUMBERS = ("found_sub_modules", "null_sub_modules")
_COLORS = (style.BLACK, style.BLUE, style.SKY, style.GREEN, style.ORANGE, style.VERMILLION)
_MARKERS = ("o", "s", "^", "D", "v", "P")


def draw(file: Path, caption: str) -> Figure:
    """Return Figure 9: a panel for K and one for the fraction; points on the line found no more.

    Colours are K or the fraction, markers network and data set. A hollow marker says that the
    schedule had not stopped without growth: the point belongs further to the right.
    """
    frame = read_frame(file, TEXT, NUMBERS)
    parts = list(panels(frame))
    figure, all_axes = style.panel_axes([heading for _, heading, _ in parts], 2.6)
    shown = frame[finite(frame, NUMBERS)]
    tasks = list(dict.fromkeys(_task(shown)))
    for axes, (_, _, rows) in zip(all_axes, parts, strict=True):
        _points(axes, rows[finite(rows, NUMBERS)], tasks)
    markers = [
        Line2D([], [], ls="", color=style.GREY, marker=_marker(i), label=task.replace("/", ", "))
        for i, task in enumerate(tasks)
    ]
    notes = ["Depth is the number of sub-modules. On the line, growth made no difference to it."]
    bounds = int((shown["null_stopped"] == "no").sum())
    if bounds:
        notes.append(f"Hollow: the null is a lower bound, for it had not stopped ({bounds}).")
    if len(shown) < len(frame):
        notes.append(f"Left out, as they diverged while growing: {len(frame) - len(shown)}.")
    style.finish(figure, caption, frame, notes, markers)
    return figure


def _task(rows: pd.DataFrame) -> pd.Series[str]:
    return rows["network"] + "/" + rows["paper_dataset"]


def _marker(i: int) -> str:
    return _MARKERS[i % len(_MARKERS)]


def _color(i: int) -> str:
    return _COLORS[i % len(_COLORS)]


def _points(axes: Axes, rows: pd.DataFrame, tasks: list[str]) -> None:
    by_K = bool((rows["paper_K"] != "").any())
    settings = rows["K"] if by_K else rows["fraction"]
    order = sorted(settings.unique(), key=float)
    axes.set(xscale="log", yscale="log", xlabel="Schedule alone", ylabel="AutoGrow")
    if len(rows):
        both = rows[list(NUMBERS)].to_numpy(float)
        low, high = both.min() / 1.3, both.max() * 1.3
        axes.plot([low, high], [low, high], color=style.GREY, lw=0.8, zorder=1)
        axes.set(xlim=(low, high), ylim=(low, high))
    for (task, setting, stopped), points in rows.groupby(
        [_task(rows), settings, rows["null_stopped"]], sort=False
    ):
        color = _color(order.index(str(setting)))
        look: style.Look = {"color": color, "mfc": color if stopped == "yes" else "none"}
        x, y = (points[column] for column in reversed(NUMBERS))
        axes.plot(x, y, _marker(tasks.index(str(task))), ls="", alpha=0.85, **look)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 3, 5, 7)))
        axis.set_major_formatter(ScalarFormatter())
        axis.set_minor_formatter(NullFormatter())
    handles = [
        Line2D([], [], ls="", marker="o", color=_color(i), label=_named(rows[settings == s], by_K))
        for i, s in enumerate(order)
    ]
    axes.legend(handles=handles, loc="upper left", handletextpad=0.2, borderaxespad=0.2)


def _named(rows: pd.DataFrame, by_K: bool) -> str:
    """Return what a colour stands for, the paper's values beside one that a scale replaced."""
    if not by_K:
        return str(rows["fraction"].iloc[0])
    used = str(rows["K"].iloc[0])
    paper = sorted(rows["paper_K"].unique(), key=float)
    return f"K = {used}" + ("" if paper == [used] else f" (the paper's: {', '.join(paper)})")
