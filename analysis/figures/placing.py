"""Labels inside a picture, where they cover nothing. All after the layout is fixed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.contour import ContourSet

from analysis.figures.style import SMALL

_AWAY = 13.0  # points from a contour's label to the frame and to what is drawn
_APART = 26.0  # points between two labels
_SHORTEST = 75.0  # points: a shorter line would be hidden by its label


def label_contours(axes: Axes, contour: ContourSet, drawn: np.ndarray) -> None:
    """Write each level on its line, away from the frame, other labels and ``drawn``.

    A level with no room for a label gets none.

    Parameters
    ----------
    axes, contour
        The contour lines.
    drawn
        Points of a line drawn over them, in data coordinates, (n, 2); n may be 0.
    """
    points = axes.figure.dpi / 72
    taken = _dense(axes.transData.transform(drawn)) if len(drawn) else np.empty((0, 2))
    labels = np.empty((0, 2))
    for path in contour.get_paths():
        vertices = axes.transData.transform(path.vertices)
        low, high = axes.bbox.min, axes.bbox.max
        room = np.minimum(vertices - low, high - vertices).min(axis=1, initial=np.inf)
        room = np.minimum(room, _distance(vertices, taken))
        room[_distance(vertices, labels) < _APART * points] = 0
        if np.hypot(*np.diff(vertices, axis=0).T).sum() < _SHORTEST * points:
            continue
        if len(room) and room.max() > _AWAY * points:
            labels = np.vstack([labels, vertices[room.argmax()]])
    if len(labels):
        places = axes.transData.inverted().transform(labels)
        contour.clabel(manual=list(map(tuple, places)), fmt="%.2g", fontsize=SMALL)


def label_points(
    axes: Axes,
    points: np.ndarray,
    areas: np.ndarray,
    texts: Sequence[str],
    angles: Sequence[float],
) -> None:
    """Write a text beside each round marker, clear of markers, lines, texts and the frame.

    Parameters
    ----------
    axes
        Its lines are kept clear of.
    points
        Centres of the markers in data coordinates, (n, 2).
    areas
        Of the markers as ``scatter`` takes them, in square points, (n,).
    texts, angles
        For each marker, and where from its centre the text is best, in radians.
    """
    scale = axes.figure.dpi / 72
    centres = axes.transData.transform(points)
    radii = np.sqrt(areas) / 2 * scale
    taken = [np.hstack([centres - radii[:, None], centres + radii[:, None]])]
    for line in axes.lines:
        data = np.column_stack(line.get_data()).astype(float)
        if len(data) > 1:
            along = _dense(axes.transData.transform(data))
            taken.append(np.hstack([along - 1, along + 1]))
    for i in np.argsort(-centres[:, 1], kind="stable"):
        text = axes.annotate(texts[i], points[i], fontsize=SMALL)
        size = text.get_window_extent().size
        text.remove()
        tried = []
        for far, turn in itertools.product((2, 7, 14, 22), (0, 1, -1, 2, -2, 3, -3, 4)):
            towards = np.array([f(angles[i] + turn * np.pi / 4) for f in (np.cos, np.sin)])
            offset = towards * (radii[i] + far * scale)
            side = np.round(towards).astype(int)  # -1, 0, 1: which end of the text is there
            low = centres[i] + offset - size * (1 - side) / 2
            box = np.hstack([low, low + size])
            outside = size.prod() - _common(box, axes.bbox.extents[None]).sum()
            covered = _common(box, np.vstack(taken)).sum()
            tried.append((covered + 1e6 * outside, far, offset / scale, side, box))
            if tried[-1][0] < 1e-6:
                break
        _, far, offset, (across, up), box = min(tried, key=lambda place: place[0])
        line = {"arrowstyle": "-", "lw": 0.5, "shrinkA": 0, "shrinkB": radii[i] / scale}
        axes.annotate(
            texts[i],
            points[i],
            offset,
            textcoords="offset points",
            ha=("center", "left", "right")[across],
            va=("center", "bottom", "top")[up],
            fontsize=SMALL,
            arrowprops=line if far > 7 else None,
        )
        taken.append(box[None])


def _common(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the area that a box (4,) of corners shares with each of the others, (n, 4)."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    return np.clip(high - low, 0, None).prod(axis=1)


def _dense(points: np.ndarray) -> np.ndarray:
    """Return points along the line, at most 4 pixels apart."""
    pieces = [points[:1]]
    for a, b in itertools.pairwise(points):
        steps = np.linspace(0, 1, 1 + int(np.hypot(*(b - a)) // 4) + 1)[1:, None]
        pieces.append(a + steps * (b - a))
    return np.concatenate(pieces)


def _distance(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the distance of each point to the nearest of the others, (n,)."""
    if not len(others):
        return np.full(len(points), np.inf)
    return np.array([np.hypot(*(others - point).T).min() for point in points])
