"""Figures 2 and 8: accuracies, losses and number of layers over the epochs of an AutoGrow run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from analysis.figures import style
from analysis.figures.frames import divergence, one_seed, panels, read_frame
from analysis.figures.placing import label_steps

TEXT = ("phase", "depth")
NUMBERS = (
    *("epoch", "layers", "train_accuracy", "val_accuracy", "best_val_accuracy"),
    *("train_loss", "val_loss"),
)

_TRAINING: style.Look = {"color": style.BLUE}
_VALIDATION: style.Look = {"color": style.VERMILLION}
_LINES: dict[str, tuple[str, style.Look]] = {
    "train_accuracy": ("training", _TRAINING),
    "val_accuracy": ("validation", _VALIDATION),
    "best_val_accuracy": (
        "running maximum of validation",
        {"color": style.BLACK, "ls": (0, (4, 1.5)), "zorder": 1.9},
    ),
}
_LOSSES = {"train_loss": _TRAINING, "val_loss": _VALIDATION}
_LAYERS: style.Look = {"color": style.GREEN, "lw": 1.3}
_DIVERGED: style.Look = {"color": style.PURPLE, "ls": (0, (1, 1)), "lw": 1.3}
_STEEP = 20.0  # a loss this many times the upper quartile hides the others on a linear scale
_PHASES = {"growing": ("growing", style.ORANGE), "finetuning": ("fine-tuning", style.SKY)}


def draw(file: Path, caption: str) -> Figure:
    """Return the figure: for each run its accuracies, its losses, and one growth at close look."""
    shown, note = one_seed(read_frame(file, TEXT, NUMBERS))
    parts = [
        (heading, rows.sort_values("epoch", kind="stable")) for _, heading, rows in panels(shown)
    ]
    grown = any(len(_growths(rows)) for _, rows in parts)
    width = style.COLUMN if len(parts) == 1 else style.FULL
    figure = style.new_figure(width, 4.9 if grown else 3.3)
    grid = figure.add_gridspec(2 + grown, len(parts), height_ratios=[1.5, 1, 1][: 2 + grown])
    steps = []
    for column, (heading, rows) in enumerate(parts):
        axes = figure.add_subplot(grid[0, column])
        remarks = [divergence(rows), "" if len(_growths(rows)) else "no growth in this run"]
        style.entitle(axes, "; ".join([heading, *filter(None, remarks)]), len(parts), pad=12)
        steps.append((_whole_run(axes, rows), rows))
        _losses(figure.add_subplot(grid[1, column]), rows)
        if len(_growths(rows)):
            _close_look(figure.add_subplot(grid[2, column]), axes, rows)
    notes = [note]
    if grown:
        notes.append(
            "The close look is at the middle growth, so that none is chosen by its looks, and has"
            " two growing periods before and after it. Green lines are growths."
        )
    if shown["diverged_after"].notna().any():
        notes.append("Curves of a run that diverged end before that epoch.")
    style.finish(figure, caption, shown, notes, _handles([rows for _, rows in parts]))
    for layers, rows in steps:
        _label_depths(layers, rows)
    return figure


def _handles(runs: list[pd.DataFrame]) -> list[Line2D]:
    """Return the legend of what the curves of these runs show."""
    drawn = pd.concat([_finite(rows) for rows in runs])
    looks = [_LINES[column] for column in _LINES if np.isfinite(drawn[column]).any()]
    if len(drawn):
        looks.append(("number of layers (right)", _LAYERS))
    if any(map(divergence, runs)):
        looks.append(("diverged: loss not finite", _DIVERGED))
    return [Line2D([], [], label=label, **look) for label, look in looks]


def _finite(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the epochs before a divergence."""
    return rows[~(rows["epoch"] >= rows["diverged_after"])]


def _whole_run(axes: Axes, rows: pd.DataFrame) -> Axes:
    """Draw the accuracies and the layers of a run; return the axes of the layers."""
    _accuracies(axes, _finite(rows))
    last = rows["epoch"].max()
    axes.set_ylim(0, 105)
    _shade(axes, rows)
    for phase, (label, _) in _PHASES.items():
        if not (rows["phase"] == phase).any():
            continue
        # Outside the frame, at the phase's own end of it: short phases have room, too.
        at, side = ((0, "left"), (last, "right"))[phase == "finetuning"]
        axes.text(at, 1.02, label, transform=axes.get_xaxis_transform(), ha=side, va="bottom")
    if divergence(rows):
        axes.axvline(rows["diverged_after"].iloc[0], **_DIVERGED)
    layers = axes.twinx()
    before = _finite(rows)
    _plot(layers, before, "layers", {"drawstyle": "steps-pre", **_LAYERS})
    # Lower than where accuracies level off: 1 / 1.6 of the height.
    layers.set_ylim(0, 1.6 * max(rows["layers"].max(), 1))
    layers.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    layers.set_ylabel("Number of layers")
    return layers


def _label_depths(layers: Axes, rows: pd.DataFrame) -> None:
    """Write the final net below the end of the line of layers, and earlier depths with room."""
    before = _finite(rows)
    if before.empty:
        return
    final = "last net" if divergence(rows) else "final net"
    firsts = before[before["depth"] != before["depth"].shift()]
    # The line rises at the end of the epoch before, as its steps are drawn.
    starts = np.maximum(firsts["epoch"] - 1, before["epoch"].iloc[0])
    label_steps(
        layers,
        np.column_stack([starts, firsts["layers"]]),
        list(firsts["depth"]),
        (before["epoch"].iloc[-1], before["layers"].iloc[-1]),
        f"{final}: {before['depth'].iloc[-1]}",
    )


def _losses(axes: Axes, rows: pd.DataFrame) -> None:
    before = _finite(rows)
    for column, look in _LOSSES.items():
        _plot(axes, before, column, look)
    losses = before[list(_LOSSES)].to_numpy()
    losses = losses[np.isfinite(losses)]
    if len(losses) and losses.min() > 0 and losses.max() > _STEEP * np.quantile(losses, 0.75):
        axes.set_yscale("log")
    _shade(axes, rows)
    axes.set_xlabel("Epoch")
    axes.set_ylabel("Loss")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    if axes.get_yscale() == "linear":
        axes.yaxis.set_major_locator(MaxNLocator(5))


def _shade(axes: Axes, rows: pd.DataFrame) -> None:
    """Give each phase its colour, over all epochs."""
    for phase, (_, color) in _PHASES.items():
        epochs = rows.loc[rows["phase"] == phase, "epoch"]
        if len(epochs):
            axes.axvspan(epochs.min() - 1, epochs.max(), color=color, alpha=0.18, lw=0)
    axes.set_xlim(0, rows["epoch"].max())


def _close_look(axes: Axes, whole: Axes, rows: pd.DataFrame) -> None:
    """Show two growing periods before and after a growth in the middle of growing."""
    growths = _growths(rows)
    at = growths[(len(growths) - 1) // 2]
    period = float(np.median(np.diff(growths, prepend=0)))
    near = _finite(rows[(rows["epoch"] - at).abs() <= 2 * period])
    _accuracies(axes, near, marker="o", ms=2.5)
    left, right = near["epoch"].min(), near["epoch"].max()
    pad = 0.03 * max(right - left, 1)
    axes.set_xlim(left - pad, right + pad)
    for growth in growths[(growths >= left) & (growths <= right)]:
        look: style.Look = {"lw": 1.4} if growth == at else {"lw": 0.7, "ls": ":"}
        axes.axvline(growth, color=style.GREEN, zorder=0, **look)
    before, after = (rows.loc[rows["epoch"] == at + k, "depth"].iloc[0] for k in (0, 1))
    number = int((growths <= at).sum())
    which = (
        f"growth {number} of {len(growths)}, the middle one" if len(growths) > 1 else "the growth"
    )
    axes.set_title(
        f"Close look at {which},\nafter epoch {at:g}: {before} → {after}", size=style.SMALL
    )
    low, high = axes.get_ylim()
    whole.add_patch(
        Rectangle((left, low), right - left, high - low, fill=False, ls=":", ec=style.GREY, lw=0.9)
    )
    for spine in axes.spines.values():
        spine.set(linestyle=":", edgecolor=style.GREY, linewidth=0.9)


def _accuracies(axes: Axes, rows: pd.DataFrame, **look: Any) -> None:
    for column, (_, line) in _LINES.items():
        _plot(axes, rows, column, {**line, **look})
    axes.set_xlabel("Epoch")
    axes.set_ylabel("Accuracy (%)")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5))


def _plot(axes: Axes, rows: pd.DataFrame, column: str, look: style.Look) -> None:
    """Draw a column over the epochs: a line, or a dot if there is one epoch alone."""
    dot = {"marker": "o"} if len(rows) == 1 else {}
    axes.plot(rows["epoch"], rows[column], **{**look, **dot})


def _growths(rows: pd.DataFrame) -> np.ndarray:
    """Return the epochs after which the network became deeper, in order."""
    deeper = rows["layers"].diff().shift(-1) > 0
    return _finite(rows[deeper])["epoch"].to_numpy()
