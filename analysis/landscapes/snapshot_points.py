"""Snapshots of a run as points in the parameter space of its final network.

A parameter that a shallower network does not have is zero (paper appendix A.0.1).
Parameters are read in blocks: all snapshots together need not fit in memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file

from autogrow.errors import UserError
from autogrow.files.reading import reading, require_file
from autogrow.files.seals import Seal
from autogrow.training.snapshots import FOLDER

KIND = "a readable snapshot of a run"
BLOCK_BYTES = 2**27
"""Memory of one block of all points, in double precision."""

Piece = tuple[str, slice]
"""Rows of a parameter along its first dimension."""


@dataclass(frozen=True)
class Snapshot:
    """Parameters at the end of an epoch, or right after the growth that follows it (``grown``)."""

    file: Path
    epoch: int
    grown: bool
    phase: str
    depth: str
    shapes: Mapping[str, tuple[int, ...]]


def read_snapshots(folder: Path) -> list[Snapshot]:
    """Return the snapshots of a run's folder in the order of training; only headers are read.

    Raises
    ------
    UserError
        If there is none, or one is damaged.
    """
    found = []
    for file in (folder / FOLDER).glob("*.safetensors"):
        name = re.fullmatch(r"(\d+)(-grown)?", file.stem)
        if name is not None:
            found.append(_header(file, int(name[1]), name[2] is not None))
    if not found:
        raise UserError(f"{folder}: this run has no snapshots; train it with --snapshots N")
    return sorted(found, key=lambda s: (s.epoch, s.grown))


def check_snapshots(folder: Path, seal: Seal) -> None:
    """Raise a UserError if a snapshot of a run is not as it was sealed, or is one more."""
    there = {f"{FOLDER}/{file.name}" for file in (folder / FOLDER).glob("*.safetensors")}
    names = there | {name for name in seal.files if name.startswith(f"{FOLDER}/")}
    if names:
        seal.check(*sorted(names))


def _header(file: Path, epoch: int, grown: bool) -> Snapshot:
    require_file(file, KIND)
    with reading(file, KIND), safe_open(file, "np") as content:
        metadata = content.metadata() or {}
        shapes = {n: tuple(content.get_slice(n).get_shape()) for n in content.keys()}  # noqa: SIM118
        return Snapshot(file, epoch, grown, metadata["phase"], metadata["depth"], shapes)


def parameters(snapshot: Snapshot) -> dict[str, np.ndarray]:
    """Return the parameters of a snapshot by name."""
    with reading(snapshot.file, KIND):
        return load_file(snapshot.file)


class Trajectory:
    """The points of a run's trajectory: its snapshots, then the final network.

    ``final`` holds the parameters of the final network, or of the last snapshot before the
    run diverged.

    Raises
    ------
    UserError
        If a snapshot has a parameter that the final network has not, or in another shape.
    """

    def __init__(self, snapshots: list[Snapshot], final: Mapping[str, np.ndarray]) -> None:
        for snapshot in snapshots:
            for name, shape in snapshot.shapes.items():
                if name not in final or final[name].shape != shape:
                    wanted = final[name].shape if name in final else "no such parameter"
                    raise UserError(
                        f"{snapshot.file}: is of another network: {name} has shape {shape}, "
                        f"the final network: {wanted}"
                    )
        self.snapshots = snapshots
        self.final = final

    def __len__(self) -> int:
        return len(self.snapshots) + 1

    def blocks(self) -> Iterator[list[Piece]]:
        """Yield the pieces of each block; blocks cover every parameter once."""
        room = max(1, BLOCK_BYTES // (8 * len(self)))
        block: list[Piece] = []
        free = room
        for name, values in self.final.items():
            row = max(1, values[0].size)
            start = 0
            while start < len(values):
                rows = min(len(values) - start, max(free // row, 0 if block else 1))
                if rows == 0:
                    yield block
                    block, free = [], room
                    continue
                block.append((name, slice(start, start + rows)))
                start += rows
                free -= rows * row
        yield block

    def differences(self, block: list[Piece]) -> np.ndarray:
        """Return the differences to the final point in a block, (points, values), float64.

        Raises
        ------
        UserError
            If a snapshot cannot be read or a value in it is not finite.
        """
        final = np.concatenate([self.final[name][rows].ravel() for name, rows in block])
        points = np.empty((len(self), final.size))
        points[-1] = 0
        for snapshot, point in zip(self.snapshots, points, strict=False):
            # Opened again for each block: an open file's pages would stay in memory.
            with reading(snapshot.file, KIND), safe_open(snapshot.file, "np") as content:
                start = 0
                for name, rows in block:
                    stop = start + self.final[name][rows].size
                    point[start:stop] = (
                        content.get_slice(name)[rows].ravel() if name in snapshot.shapes else 0
                    )
                    start = stop
            if not np.isfinite(point).all():
                raise UserError(f"{snapshot.file}: has values that are not finite: it diverged")
            point -= final
        return points
