"""Pictures of lines and words, as SVG and as PNG, without a plotting library."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

Anchor = Literal["start", "middle", "end"]
FONT = 13
"""Height of words in pixels."""
SCALE = 2
"""Pixels of a PNG to one of the picture's own; twice as many are drawn and averaged."""


@dataclass(frozen=True)
class Stroke:
    """A line through points, in pixels from the upper left corner."""

    points: Sequence[tuple[float, float]]
    colour: str
    width: float = 1.0


@dataclass(frozen=True)
class Words:
    """A printable text whose baseline begins, has its middle or ends at a point."""

    x: float
    y: float
    text: str
    colour: str = "#222222"
    anchor: Anchor = "start"


@dataclass(frozen=True)
class Picture:
    """What is drawn, on white, in the order in which it is drawn."""

    width: int
    height: int
    parts: Sequence[Stroke | Words]


def svg(picture: Picture) -> bytes:
    """Return the picture as an SVG file."""
    w, h = picture.width, picture.height
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" '
        f'font-family="sans-serif" font-size="{FONT}">',
        f'<rect width="{w}" height="{h}" fill="white"/>',
    ]
    for part in picture.parts:
        if isinstance(part, Stroke):
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in part.points)
            lines.append(
                f'<polyline points="{points}" fill="none" stroke="{part.colour}" '
                f'stroke-width="{part.width}" stroke-linejoin="round"/>'
            )
        else:
            lines.append(
                f'<text x="{part.x:.1f}" y="{part.y:.1f}" fill="{part.colour}" '
                f'text-anchor="{part.anchor}">{escape(part.text)}</text>'
            )
    return "\n".join([*lines, "</svg>", ""]).encode()


def png(picture: Picture) -> bytes:
    """Return the picture as a PNG file."""
    from PIL import Image, ImageDraw, ImageFont

    scale = 2 * SCALE
    image = Image.new("RGB", (picture.width * scale, picture.height * scale), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(FONT * scale)
    anchors = {"start": "ls", "middle": "ms", "end": "rs"}
    for part in picture.parts:
        if isinstance(part, Stroke):
            points = [(x * scale, y * scale) for x, y in part.points]
            draw.line(points, part.colour, round(part.width * scale), joint="curve")
        else:
            place = (part.x * scale, part.y * scale)
            draw.text(place, part.text, part.colour, font, anchors[part.anchor])
    content = io.BytesIO()
    image.reduce(2).save(content, "PNG")
    return content.getvalue()
