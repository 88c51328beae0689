"""Labels inside a picture, where they cover nothing; the layout must be fixed before."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

from analysis.figures.style import GREY, SMALL

_AWAY = (2, 7, 14, 22, 30)  # points from a marker to its text, the best first
_NEAR = 7  # points: a text further away has a line to its marker


def label_points(
    axes: Axes,
    points: np.ndarray,
    areas: np.ndarray,
    texts: Sequence[str],
    angles: Sequence[float],
) -> None:
    """Write a text beside each round marker, clear of markers, lines, texts and the frame.

    A text that finds no room is left out, so the first ones come first. One that stands away from
    its marker has a line to it.

    Parameters
    ----------
    points
        Centres of the markers in data coordinates, (n, 2).
    areas
        Their areas as ``scatter`` takes them, (n,).
    texts
        The texts; an empty one is not written.
    angles
        Where from its centre a text is best, in radians.
    """
    point = axes.figure.dpi / 72
    centres = axes.transData.transform(points)
    radii = np.sqrt(areas) / 2
    taken = [Bbox([c - r, c + r]) for c, r in zip(centres, radii * point, strict=True)]
    drawn = _drawn(axes)
    for i in (i for i in range(len(texts)) if texts[i]):
        look: dict[str, Any] = {"textcoords": "offset points", "fontsize": SMALL}
        look |= {"ha": "center", "va": "center", "linespacing": 1}
        text = axes.annotate(texts[i], points[i], (0, 0), **look)
        half = np.array(text.get_window_extent().size) / 2 / point
        turns = (0, 1, -1, 2, -2, 3, -3, 4)
        for strict, far, turn in itertools.product((True, False), _AWAY, turns):
            angle = angles[i] + turn * np.pi / 4
            towards = np.array([np.cos(angle), np.sin(angle)])
            text.xyann = towards * (radii[i] + far) + np.round(towards) * half
            box = text.get_window_extent()
            inside = axes.bbox.count_contains(box.get_points()) == 2
            if not inside or box.count_overlaps(taken) or box.count_contains(drawn):
                continue
            # A line to the marker leads over another one, or a text, only if it must.
            leader = np.linspace(centres[i], box.get_points().mean(axis=0), 20)
            others = [*taken[:i], *taken[i + 1 :]] if strict and far > _NEAR else []
            if not any(other.count_contains(leader) for other in others):
                taken.append(box)
                break
        else:
            text.remove()
            continue
        if far > _NEAR:
            place = text.xyann
            text.remove()
            line = {"arrowstyle": "-", "lw": 0.5, "color": GREY, "shrinkA": 0, "shrinkB": radii[i]}
            axes.annotate(texts[i], points[i], place, arrowprops=line, **look)


def _drawn(axes: Axes) -> np.ndarray:
    """Return points, close to each other, on all lines and bars of a panel, in pixels; (n, 2)."""
    parts = [np.empty((0, 2))]
    for line in axes.lines:
        vertices = line.get_transform().transform(np.asarray(line.get_xydata()))
        parts.append(vertices if line.get_linestyle() == "None" else _closely(vertices))
    for bars in axes.collections:
        if isinstance(bars, LineCollection):
            parts += [_closely(axes.transData.transform(bar)) for bar in bars.get_segments()]
    return np.concatenate(parts)


def _closely(vertices: np.ndarray) -> np.ndarray:
    """Return points on a line through these at most about 2 pixels apart, (n, 2)."""
    longest = np.hypot(*np.diff(vertices, axis=0).T).max(initial=0)
    if not longest >= 4:
        return vertices
    return np.asarray(Path(vertices).interpolated(int(longest / 2)).vertices)


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
