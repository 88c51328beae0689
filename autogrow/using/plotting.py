"""Accuracy and depth of a run over its epochs, as a picture and in characters."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Sequence
from itertools import pairwise

from autogrow.using.curve import Curve
from autogrow.using.drawing import Picture, Stroke, Words, png, svg

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 60, 660, 40, 360
COLOURS = {"validation accuracy": "#0072b2", "test accuracy": "#d55e00"}
DEPTH_COLOUR = "#777777"
ROWS, MOST_COLUMNS = 16, 100
MARKS = {"validation accuracy": "v", "test accuracy": "*"}


def as_svg(curve: Curve) -> bytes:
    """Return the picture of a curve as an SVG file."""
    return svg(_picture(curve))


def as_png(curve: Curve) -> bytes:
    """Return the picture of a curve as a PNG file."""
    return png(_picture(curve))


def as_text(curve: Curve) -> str:
    """Return a picture of characters, as wide as the terminal."""
    columns = max(20, min(shutil.get_terminal_size().columns, MOST_COLUMNS) - 16)
    count = len(curve.points)
    chosen = [i * count // columns for i in range(columns)]
    depths = [curve.points[i].sub_modules for i in chosen]
    low, high = _range(curve)
    deepest = max(depths)
    grid = [[" "] * len(chosen) for _ in range(ROWS)]

    def put(column: int, share: float, mark: str) -> None:
        grid[ROWS - 1 - round(share * (ROWS - 1))][column] = mark

    for column, depth in enumerate(depths):
        put(column, depth / deepest, "=")
    for name, values in curve.series.items():
        for column, i in enumerate(chosen):
            if math.isfinite(values[i]):
                put(column, (values[i] - low) / (high - low), MARKS[name])
    lines = [curve.title]
    for row, cells in enumerate(grid):
        share = 1 - row / (ROWS - 1)
        labels = row % 5 == 0
        left = f"{low + share * (high - low):6.1f} %" if labels else " " * 8
        right = f" {share * deepest:.1f}" if labels else ""
        lines.append(f"{left} |{''.join(cells)}|{right}")
    first, last = curve.points[0].epoch, curve.points[-1].epoch
    lines.append(" " * 10 + f"{first}{f'epoch {last}':>{max(1, len(chosen) - len(str(first)))}}")
    names = [f"{MARKS[name]} {name}" for name in curve.series]
    return "\n".join([*lines, ", ".join([*names, "= sub-modules (right axis)"])])


def _range(curve: Curve) -> tuple[float, float]:
    """Return the ends of the axis of accuracies: tens of percent around all of them."""
    values = [v for values in curve.series.values() for v in values if math.isfinite(v)]
    low = 10 * math.floor(min([*values, 99.0]) / 10)
    high = 10 * math.ceil(max([*values, 1.0]) / 10)
    return float(low), float(max(high, low + 10))


def _picture(curve: Curve) -> Picture:
    low, high = _range(curve)
    deepest = max(point.sub_modules for point in curve.points)
    first, last = curve.points[0].epoch, curve.points[-1].epoch

    def x(epoch: float) -> float:
        return LEFT + (RIGHT - LEFT) * (epoch - first) / max(1, last - first)

    def y(share: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * share

    parts: list[Stroke | Words] = [Words(LEFT, 22, curve.title)]
    frame = [(LEFT, TOP), (RIGHT, TOP), (RIGHT, BOTTOM), (LEFT, BOTTOM), (LEFT, TOP)]
    parts.append(Stroke(frame, "#bbbbbb"))
    for value in _ticks(low, high):
        height = y((value - low) / (high - low))
        parts.append(Words(LEFT - 6, height + 4, f"{value:g} %", anchor="end"))
    for value in _ticks(0, deepest):
        parts.append(Words(RIGHT + 6, y(value / deepest) + 4, f"{value:g}", DEPTH_COLOUR))
    for value in _ticks(first, last):
        parts.append(Words(x(value), BOTTOM + 18, f"{value:g}", anchor="middle"))
    steps = list(_steps([(x(p.epoch), y(p.sub_modules / deepest)) for p in curve.points]))
    parts.append(Stroke(steps, DEPTH_COLOUR, 1.5))
    for name, values in curve.series.items():
        for run in _finite_parts(values):
            line = [(x(curve.points[i].epoch), y((values[i] - low) / (high - low))) for i in run]
            parts.append(Stroke(line if len(line) > 1 else line * 2, COLOURS[name], 2.0))
    legend = [*((name, COLOURS[name]) for name in curve.series), ("sub-modules", DEPTH_COLOUR)]
    for k, (name, colour) in enumerate(legend):
        place = LEFT + 190 * k
        parts.append(Stroke([(place, HEIGHT - 20), (place + 24, HEIGHT - 20)], colour, 2.0))
        parts.append(Words(place + 30, HEIGHT - 16, name))
    parts.append(Words(RIGHT, HEIGHT - 16, "epoch", anchor="end"))
    return Picture(WIDTH, HEIGHT, parts)


def _ticks(low: float, high: float) -> list[float]:
    """Return whole numbers at equal distances, at most seven of them."""
    span = max(1.0, high - low)
    step = next(f * 10**k for k in range(9) for f in (1, 2, 5) if span / (f * 10**k) <= 6)
    first = math.ceil(low / step) * step
    return [float(v) for v in range(int(first), int(high) + 1, step)]


def _steps(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Yield the corners of a staircase through points."""
    yield points[0]
    for (_, before), (x, y) in pairwise(points):
        yield x, before
        yield x, y
    yield points[-1]


def _finite_parts(values: Sequence[float]) -> Iterator[list[int]]:
    """Yield the places of values that are finite, those beside each other together."""
    part: list[int] = []
    for i, value in enumerate([*values, math.nan]):
        if math.isfinite(value):
            part.append(i)
        elif part:
            yield part
            part = []
