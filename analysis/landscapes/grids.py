"""Grids of points on a plane, computed in blocks of rows that are gathered at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from analysis.results.csvfiles import read_csv, read_numbers
from autogrow.errors import UserError
from autogrow.files.reading import read_json
from autogrow.files.seals import read_seal, seal, seal_file
from autogrow.files.writing import make_folder, write_csv, write_json

HEADER = ["x", "y", "loss", "accuracy"]
BLOCKS = "blocks"
SETTINGS = "settings.json"


class Block(NamedTuple):
    """One of several blocks of rows, counted from 1."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


@dataclass(frozen=True)
class Grid:
    """Points at every x of every y; a row is the points of one y."""

    x: tuple[float, ...]
    y: tuple[float, ...]

    def points(self, block: Block) -> list[tuple[float, float]]:
        """Return the points (x, y) of a block, row by row.

        Raises
        ------
        UserError
            If there are more blocks than rows.
        """
        rows = len(self.y)
        if block.of > rows:
            raise UserError(f"{block.of} blocks of a grid of {rows} rows; allowed: 1 to {rows}")
        start, stop = ((block.number - 1) * rows // block.of, block.number * rows // block.of)
        return [(x, y) for y in self.y[start:stop] for x in self.x]


def axis(low: float, high: float, points: int) -> tuple[float, ...]:
    """Return evenly spaced values from ``low`` to ``high``, rounded alike on both sides."""
    n = points - 1
    return tuple(low * ((n - i) / n) + high * (i / n) for i in range(points))


def block_files(folder: Path) -> list[Path]:
    """Return the files of a folder's blocks, of any grid."""
    return list((folder / BLOCKS).glob("*-of-*.csv"))


class BlockFolder:
    """The blocks of a grid in a folder, kept apart from those of other settings.

    ``settings`` is all that the values depend on; ``result`` is the name of the gathered file.
    """

    def __init__(self, folder: Path, grid: Grid, settings: Mapping[str, Any], result: str) -> None:
        self.folder = folder
        self.grid = grid
        self.settings = dict(settings)
        self.result = folder / result

    def check(self) -> None:
        """Raise a UserError if the blocks that are there have other settings."""
        file = self.folder / SETTINGS
        there = read_json(file) if file.exists() else None
        if there == self.settings or not block_files(self.folder):
            return
        if not isinstance(there, dict):
            raise UserError(f"{file}: holds no settings; discard the blocks with --restart")
        keys = sorted(k for k in {*there, *self.settings} if there.get(k) != self.settings.get(k))
        differences = ", ".join(
            f"{k} {str(there.get(k))[:40]} there, {str(self.settings.get(k))[:40]} here"
            for k in keys[:3]
        )
        raise UserError(
            f"{self.folder}: holds blocks computed with other settings ({differences}); "
            "use another folder, or discard those blocks with --restart"
        )

    def open(self, *, restart: bool) -> None:
        """Make the folder and note the settings; ``restart`` discards blocks of other settings.

        Raises
        ------
        UserError
            If there are such blocks, or the folder cannot be made.
        """
        file = self.folder / SETTINGS
        make_folder(self.folder / BLOCKS)
        if not restart:
            self.check()
        if not file.exists() or read_json(file) != self.settings:
            # Settings are written first, in case the disk is full, and old blocks are
            # removed before the settings get their name: blocks never lie beside others' settings.
            new = file.with_name(f".{SETTINGS}.{os.getpid()}.new")
            write_json(new, self.settings)
            for old in [*block_files(self.folder), self.result]:
                for file_or_seal in (old, seal_file(old)):
                    file_or_seal.unlink(missing_ok=True)
            new.replace(file)

    def file(self, block: Block) -> Path:
        """Return the file of a block."""
        return self.folder / BLOCKS / f"{block.number}-of-{block.of}.csv"

    def rows(self, block: Block) -> list[list[str]] | None:
        """Return the rows of a block's file, None if it is not there, not complete or damaged."""
        file = self.file(block)
        try:
            read_seal(file).check()
            header, lines = read_csv(file)
            if header != HEADER:
                return None
            for column in header:
                read_numbers(file, lines, column)
        except UserError:
            return None
        rows = [list(line.values()) for line in lines]
        points = [_coordinates(point) for point in self.grid.points(block)]
        return rows if [row[:2] for row in rows] == points else None

    def compute(self, block: Block, score: Callable[[float, float], tuple[float, float]]) -> None:
        """Compute and write a block; ``score`` returns loss and accuracy at (x, y)."""
        rows = []
        for point in self.grid.points(block):
            loss, accuracy = score(*point)
            rows.append([*_coordinates(point), f"{loss:.9g}", f"{accuracy:.4f}"])
        write_csv(self.file(block), HEADER, rows)
        seal(self.file(block))

    def gather(self, count: int) -> None:
        """Write the result from ``count`` blocks.

        Raises
        ------
        UserError
            If blocks are missing, or are of other settings.
        """
        self.check()
        parts = {block: self.rows(block) for block in (Block(i + 1, count) for i in range(count))}
        missing = [block for block, rows in parts.items() if rows is None]
        if missing:
            named = ", ".join(map(str, missing[:10]))
            raise UserError(
                f"{self.file(missing[0])}: {len(missing)} of {count} blocks missing or not "
                f"complete: {named}{', ...' if len(missing) > 10 else ''}"
            )
        write_csv(self.result, HEADER, (row for rows in parts.values() for row in rows or []))
        seal(self.result)


def _coordinates(point: tuple[float, float]) -> list[str]:
    return [f"{value:.9g}" for value in point]
