"""Grids of points on a plane, computed in blocks of rows that are gathered at the end."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from analysis.results.csvfiles import read_csv, read_numbers
from autogrow.errors import UserError
from autogrow.files.reading import read_json
from autogrow.files.writing import make_folder, write_csv, write_json

HEADER = ["x", "y", "loss", "accuracy"]
BLOCKS = "blocks"
SETTINGS = "settings.json"


@dataclass(frozen=True)
class Block:
    """One of several blocks of rows, counted from 1."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the block that ``2/5`` names.

        Raises
        ------
        UserError
            If it is no block.
        """
        match = re.fullmatch(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})", text)
        if match is None or int(match[1]) > int(match[2]):
            raise UserError(f"found {text!r}; allowed: I/N with I from 1 to N, as 2/5")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


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
        if block.count > rows:
            raise UserError(f"{block.count} blocks of a grid of {rows} rows; allowed: 1 to {rows}")
        start, stop = ((block.number - 1) * rows // block.count, block.number * rows // block.count)
        return [(x, y) for y in self.y[start:stop] for x in self.x]


def axis(low: float, high: float, points: int) -> tuple[float, ...]:
    """Return evenly spaced values from ``low`` to ``high``, rounded alike on both sides."""
    n = points - 1
    return tuple(low * ((n - i) / n) + high * (i / n) for i in range(points))


def has_blocks(folder: Path) -> bool:
    """Return whether a folder has blocks of any grid."""
    return bool(_block_files(folder))


def _block_files(folder: Path) -> list[Path]:
    return list((folder / BLOCKS).glob("*-of-*.csv"))


class BlockFolder:
    """The blocks of a grid in a folder, kept apart from those of other settings.

    Parameters
    ----------
    folder
        Holds settings.json, blocks/ and the result.
    grid
        The grid.
    settings
        All that the values depend on, as plain values.
    result
        Name of the gathered file.
    """

    def __init__(self, folder: Path, grid: Grid, settings: Mapping[str, Any], result: str) -> None:
        self.folder = folder
        self.grid = grid
        self.settings = dict(settings)
        self.result = folder / result

    def check(self) -> None:
        """Check that the blocks which are there have these settings.

        Raises
        ------
        UserError
            If they have not.
        """
        file = self.folder / SETTINGS
        there = read_json(file) if file.exists() else None
        if there == self.settings or not has_blocks(self.folder):
            return
        if not isinstance(there, dict):
            raise UserError(f"{file}: holds no settings; discard the blocks with --restart")
        keys = sorted(k for k in {*there, *self.settings} if there.get(k) != self.settings.get(k))
        told = ", ".join(
            f"{k} {str(there.get(k))[:40]} there, {str(self.settings.get(k))[:40]} here"
            for k in keys[:3]
        )
        raise UserError(
            f"{self.folder}: holds blocks computed with other settings ({told}); "
            "use another folder, or discard those blocks with --restart"
        )

    def open(self, *, restart: bool) -> None:
        """Make the folder and note the settings; ``restart``: throw away blocks of others.

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
            for old in [*_block_files(self.folder), self.result]:
                old.unlink(missing_ok=True)
            new.replace(file)

    def file(self, block: Block) -> Path:
        """Return the file of a block."""
        return self.folder / BLOCKS / f"{block.number}-of-{block.count}.csv"

    def rows(self, block: Block) -> list[list[str]] | None:
        """Return the rows of a block's file, None if it is not there, not complete or damaged."""
        file = self.file(block)
        try:
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

    def gather(self, count: int) -> None:
        """Write the result from ``count`` blocks.

        Raises
        ------
        UserError
            If blocks are missing, or are of other settings.
        """
        self.check()
        blocks = [Block(number, count) for number in range(1, count + 1)]
        rows: list[list[str]] = []
        missing = []
        for block in blocks:
            part = self.rows(block)
            if part is None:
                missing.append(block)
            rows += part or []
        if missing:
            told = ", ".join(map(str, missing[:10]))
            raise UserError(
                f"{self.file(missing[0])}: {len(missing)} of {count} blocks missing or not "
                f"complete: {told}{', ...' if len(missing) > 10 else ''}"
            )
        write_csv(self.result, HEADER, rows)


def _coordinates(point: tuple[float, float]) -> list[str]:
    return [f"{value:.9g}" for value in point]
