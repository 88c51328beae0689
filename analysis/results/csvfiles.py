"""Reads CSVs whole: a file that was cut off or damaged is an error, never read in part."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from autogrow.errors import UserError, allowed, shown
from autogrow.files.reading import reading, require_file, utf8

Lines = list[dict[str, str]]


def read_csv(file: Path) -> tuple[list[str], Lines]:
    """Return the header of a CSV, and its lines as stripped text by column.

    Raises
    ------
    UserError
        If the file cannot be read, is cut off, is not CSV, is empty or has no rows, names
        a column twice, or a row has more or fewer cells than the header.
    """
    require_file(file, "a CSV")
    with reading(file, "a CSV"):
        content = file.read_bytes()
    try:
        text = utf8(content)
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{file}: is not CSV: {error}; allowed: CSV in UTF-8") from None
    if not lines:
        raise UserError(f"{file}: is empty; allowed: a CSV with a header")
    if len(lines) < 2:
        raise UserError(f"{file}: has no rows; allowed: at least one")
    header, *body = lines
    twice = [c for c in header if header.count(c) > 1]
    if twice:
        raise UserError(f"{file}: column {shown(twice[0])} is given twice; allowed: once")
    for number, line in enumerate(body, start=2):
        if len(line) != len(header):
            raise UserError(
                f"{file}: row {number} has {len(line)} cells; allowed: {len(header)}, as the header"
            )
    if not text.endswith(("\n", "\r")):
        raise UserError(f"{file}: is cut off: its last line has no end; allowed: a line break")
    return header, [dict(zip(header, map(str.strip, line), strict=True)) for line in body]


def check_columns(file: Path, header: Sequence[str], wanted: Sequence[str]) -> None:
    """Raise a UserError that names the first column that is missing, if one is."""
    for column in wanted:
        if column not in header:
            raise UserError(f"{file}: has no column {shown(column)}; allowed: {allowed(wanted)}")


def grid_sides(points: Iterable[tuple[object, object]]) -> tuple[int, int] | None:
    """Return how many different x and y a grid of points has; None if it is not whole.

    A whole one has at least two of each, and every combination once.
    """
    points = list(points)
    columns, rows = (len(set(values)) for values in zip(*points, strict=True))
    whole = min(columns, rows) >= 2 and len(points) == len(set(points)) == columns * rows
    return (columns, rows) if whole else None


def read_numbers(file: Path, lines: Sequence[Mapping[str, str]], column: str) -> list[float]:
    """Return a column of what :func:`read_csv` returned as numbers; an empty cell is NaN.

    Raises
    ------
    UserError
        Naming the line of what is no number.
    """
    numbers = []
    for line, cells in enumerate(lines, start=2):
        text = cells[column]
        try:
            numbers.append(float(text) if text else math.nan)
        except ValueError:
            raise UserError(
                f"{file}: line {line}: {column}: found {shown(text)}; allowed: number"
            ) from None
    return numbers
