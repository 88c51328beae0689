"""Labels inside a picture, where they cover nothing; the layout must be fixed before."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

from analysis.figures.style import SMALL


def label_points(
    axes: Axes,
    points: np.ndarray,
    areas: np.ndarray,
    texts: Sequence[str],
    angles: Sequence[float],
) -> None:
    """Write a text beside each round marker, clear of markers, lines, texts and the frame.

    Markers have their centres at ``points``, in data coordinates, and ``areas`` as ``scatter``
    takes them. ``angles`` say where from its centre a text is best, in radians.
    """
    point = axes.figure.dpi / 72
    centres = axes.transData.transform(points)
    radii = np.sqrt(areas) / 2
    taken = [Bbox([c - r, c + r]) for c, r in zip(centres, radii * point, strict=True)]
    curves = [Path(line.get_xydata()).interpolated(50).vertices for line in axes.lines]
    drawn = axes.transData.transform(np.concatenate([*curves, points]))
    for i in np.argsort(-centres[:, 1], kind="stable"):
        text = axes.annotate(
            *(texts[i], points[i], (0, 0)),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=SMALL,
        )
        half = np.array(text.get_window_extent().size) / 2 / point
        for far, turn in itertools.product((2, 7, 14), (0, 1, -1, 2, -2, 3, -3, 4)):
            angle = angles[i] + turn * np.pi / 4
            towards = np.array([np.cos(angle), np.sin(angle)])
            text.xyann = towards * (radii[i] + far) + np.round(towards) * half
            box = text.get_window_extent()
            inside = axes.bbox.count_contains(box.get_points()) == 2
            if inside and not box.count_overlaps(taken) and not box.count_contains(drawn):
                break
        taken.append(box)


def label_steps(
    axes: Axes,
    starts: np.ndarray,
    texts: Sequence[str],
    end: tuple[float, float],
    last: str,
) -> None:
    """Write ``last`` at the end of a line that rises in steps, and a text below each step.

    ``starts`` are the corners where the steps begin, (n, 2), in data coordinates. ``last`` stands
    above the line if its last step is too short for it. A text below a step that would touch
    another one, or reach out of the frame, is left out.
    """
    look: dict[str, Any] = {"textcoords": "offset points", "fontsize": SMALL}
    look["path_effects"] = [withStroke(linewidth=1.5, foreground="white")]  # curves may cross it
    final = axes.annotate(last, end, (-2, -3), ha="right", va="top", **look)
    if final.get_window_extent().x0 < axes.transData.transform(starts[-1])[0]:
        final.set(va="bottom")
        final.xyann = (-2, 3)
    if final.get_window_extent().x0 < axes.bbox.x0:
        final.set(ha="left")
    taken = [final.get_window_extent()]
    for start, step in zip(starts, texts, strict=True):
        text = axes.annotate(step, tuple(start), (1, -3), ha="left", va="top", **look)
        box = text.get_window_extent()
        inside = axes.bbox.count_contains(box.get_points()) == 2
        if inside and not box.padded(1).count_overlaps(taken):
            taken.append(box)
        else:
            text.remove()
