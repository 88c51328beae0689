"""A picture of accuracy against several costs, written as SVG: it needs no drawing library."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

PANEL, HEIGHT = 250, 200
"""Size of a panel in pixels, without what stands around it."""
LEFT, GAP, TOP, BOTTOM, RIGHT = 60, 30, 40, 74, 20
TICKS = 4
"""About as many ticks as an axis has."""
BLUE, VERMILLION = "#0072b2", "#d55e00"  # told apart by everybody

_SHAPES = {
    "best": f'<circle r="4" fill="{BLUE}"/>',
    "other": f'<circle r="4" fill="white" stroke="{BLUE}" stroke-width="1.5"/>',
    "last": f'<path d="M0-6L6 0L0 6L-6 0Z" fill="{VERMILLION}"/>',
}


@dataclass(frozen=True)
class Mark:
    """A network: its cost in each panel, its accuracy in percent, and what it says of itself.

    ``kind`` is ``best`` (joined by a line), ``other`` or ``last``.
    """

    costs: Sequence[float]
    accuracy: float
    text: str
    kind: Literal["best", "other", "last"]


@dataclass(frozen=True)
class _Axis:
    """The numbers from ``low`` to ``high`` on ``length`` pixels."""

    low: float
    high: float
    length: float

    @classmethod
    def of(cls, numbers: Sequence[float], length: float) -> _Axis:
        """Return an axis that has all numbers, with some space at both ends."""
        low, high = min(numbers), max(numbers)
        margin = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
        return cls(low - margin, high + margin, length)

    def __call__(self, number: float) -> float:
        return round(self.length * (number - self.low) / (self.high - self.low), 1)

    def ticks(self) -> Iterator[float]:
        rough = (self.high - self.low) / TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        yield from (k * step for k in range(first, last + 1))


def trade_off_svg(
    title: str, costs: Sequence[str], accuracy: str, legend: Sequence[str], marks: Sequence[Mark]
) -> str:
    """Return the picture as an SVG document.

    Parameters
    ----------
    title
        Stands above it.
    costs, accuracy
        Labels of the axes: one panel for each cost.
    legend
        What ``best``, ``other`` and ``last`` are.
    marks
        The networks; those without a finite accuracy are left out.
    """
    marks = [mark for mark in marks if math.isfinite(mark.accuracy)]
    width = LEFT + len(costs) * PANEL + (len(costs) - 1) * GAP + RIGHT
    height = TOP + HEIGHT + BOTTOM
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        _text(LEFT, 22, title, "start", "bold"),
        _text(0, 0, accuracy, turn=f"translate(16 {TOP + HEIGHT / 2}) rotate(-90)"),
    ]
    if marks:
        y = _Axis.of([mark.accuracy for mark in marks], HEIGHT)
        for k, label in enumerate(costs):
            x = _Axis.of([mark.costs[k] for mark in marks], PANEL)
            lines.append(f'<g transform="translate({LEFT + k * (PANEL + GAP)} {TOP})">')
            lines += [*_frame(x, y, label, numbered=k == 0), *_drawn(x, y, k, marks), "</g>"]
    for k, (shape, text) in enumerate(zip(_SHAPES.values(), legend, strict=True)):
        place = LEFT + 8 + k * (PANEL + GAP)
        lines.append(f'<g transform="translate({place} {height - 16})">{shape}</g>')
        lines.append(_text(place + 12, height - 12, text, "start"))
    return "\n".join([*lines, "</svg>", ""])


def _frame(x: _Axis, y: _Axis, label: str, *, numbered: bool) -> Iterator[str]:
    """Yield a panel's frame, ticks and label; ``numbered`` says whether its left side has them."""
    yield f'<rect width="{PANEL}" height="{HEIGHT}" fill="none" stroke="#888"/>'
    for tick in x.ticks():
        yield f'<path d="M{x(tick)} {HEIGHT}v4" stroke="#888"/>'
        yield _text(x(tick), HEIGHT + 18, _short(tick))
    for tick in y.ticks():
        at = HEIGHT - y(tick)
        yield f'<path d="M0 {at}h{PANEL}" stroke="#ddd"/>'
        if numbered:
            yield _text(-6, at + 4, _short(tick), "end")
    yield _text(PANEL / 2, HEIGHT + 36, label)


def _drawn(x: _Axis, y: _Axis, k: int, marks: Sequence[Mark]) -> Iterator[str]:
    """Yield the networks of a panel, the best of them joined by a line."""
    at = {mark: (x(mark.costs[k]), round(HEIGHT - y(mark.accuracy), 1)) for mark in marks}
    best = " ".join(f"{a},{b}" for mark, (a, b) in at.items() if mark.kind == "best")
    yield f'<polyline points="{best}" fill="none" stroke="{BLUE}"/>'
    for mark, (a, b) in at.items():
        told = f"<title>{escape(mark.text)}</title>"
        yield f'<g transform="translate({a} {b})">{told}{_SHAPES[mark.kind]}</g>'


def _text(
    x: float, y: float, text: str, anchor: str = "middle", weight: str = "normal", turn: str = ""
) -> str:
    place = f'transform="{turn}"' if turn else f'x="{x}" y="{y}"'
    style = f'text-anchor="{anchor}" font-weight="{weight}"'
    # XML has no control characters, and a path may have any.
    printable = "".join(c if c.isprintable() else "?" for c in text)
    return f"<text {place} {style}>{escape(printable)}</text>"


def _short(number: float) -> str:
    """Return a number as a tick shows it: ``1.2M``."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:.4g}{letter}"
    return f"{number:.4g}"
