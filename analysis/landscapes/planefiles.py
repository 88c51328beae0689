"""The plane of a run's trajectory: computed from its snapshots, and its files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.landscapes.finished import FinishedRun
from analysis.landscapes.grids import make_folder
from autogrow.errors import UserError
from autogrow.files import read_json, write_bytes, write_csv, write_json

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from analysis.landscapes.plane import Plane
    from analysis.landscapes.snapshots import Snapshot, Trajectory

TRAJECTORY, DIRECTIONS, FACTS = "trajectory.csv", "plane.safetensors", "plane.json"
HEADER = ["step", "epoch", "phase", "depth", "grown", "x", "y"]


@dataclass(frozen=True)
class PlaneFacts:
    """Content of plane.json.

    Attributes
    ----------
    network
        The run's final network.
    explained_1, explained_2
        Explained variance of each component, percent.
    x, y
        Ranges of the contour: the whole trajectory and a margin around it.
    points
        Of the contour along each axis.
    margin
        Relative to the trajectory's extent along each axis.
    snapshots
        How many snapshots it is computed from.
    weights
        SHA-256 of the run's final weights.
    directions
        SHA-256 of plane.safetensors.
    """

    network: str
    explained_1: float
    explained_2: float
    x: list[float]
    y: list[float]
    points: int
    margin: float
    snapshots: int
    weights: str
    directions: str


def points_before_the_last(run: FinishedRun) -> list[Snapshot]:
    """Return the run's snapshots without that after the last epoch: the final network itself.

    Raises
    ------
    UserError
        If there is no snapshot, or one is damaged.
    """
    from analysis.landscapes.snapshots import read_snapshots

    return [s for s in read_snapshots(run.folder) if s.grown or s.epoch < run.epochs]


def write_plane(run: FinishedRun, out: Path, *, points: int, margin: float) -> PlaneFacts:
    """Compute the plane and write its three files into ``out``; return plane.json.

    Parameters
    ----------
    run
        Has snapshots.
    out
        Folder for the files.
    points, margin
        Of the contour.

    Raises
    ------
    UserError
        If snapshots are missing, damaged or of another network, or no plane shows them.
    """
    import numpy as np
    import safetensors.numpy
    import torch

    from analysis.landscapes.plane import contour_range, gram_matrix, principal_plane
    from analysis.landscapes.snapshots import Trajectory
    from analysis.landscapes.trained import final_network

    snapshots = points_before_the_last(run)
    network = final_network(run, torch.device("cpu"))
    final = {n: p.detach().contiguous().numpy() for n, p in network.named_parameters()}
    if not all(np.isfinite(values).all() for values in final.values()):
        raise UserError(f"{run.folder}: the final network has values that are not finite")
    trajectory = Trajectory(snapshots, final)
    gram = gram_matrix(trajectory.differences(block) for block in trajectory.blocks())
    try:
        plane = principal_plane(gram)
    except UserError as error:
        raise UserError(f"{run.folder}: {error}") from None
    make_folder(out)
    data = safetensors.numpy.save(_directions(plane, trajectory))
    write_csv(out / TRAJECTORY, HEADER, _rows(run, trajectory, plane))
    write_bytes(out / DIRECTIONS, data)
    x, y = (list(contour_range(values, margin)) for values in plane.coordinates.T)
    digest = hashlib.sha256(data).hexdigest()
    facts = PlaneFacts(
        run.network, *plane.explained, x, y, points, margin, len(snapshots), run.weights, digest
    )
    write_json(out / FACTS, asdict(facts))
    return facts


def _directions(plane: Plane, trajectory: Trajectory) -> dict[str, np.ndarray]:
    import numpy as np

    directions = {
        f"{axis}.{name}": np.empty_like(values)
        for axis in "xy"
        for name, values in trajectory.final.items()
    }
    for block in trajectory.blocks():
        components = plane.weights @ trajectory.differences(block)
        start = 0
        for name, rows in block:
            for axis, component in zip("xy", components, strict=True):
                part = directions[f"{axis}.{name}"][rows]
                part[...] = component[start : start + part.size].reshape(part.shape)
            start += part.size
    return directions


def _rows(run: FinishedRun, trajectory: Trajectory, plane: Plane) -> Iterator[list[object]]:
    states = [(s.epoch, s.phase, s.depth, int(s.grown)) for s in trajectory.snapshots]
    phase = "finetuning" if run.spec.kind == "autogrow" else "training"
    states.append((run.epochs, phase, run.network.partition("-")[2], 0))
    for step, (state, (x, y)) in enumerate(zip(states, plane.coordinates, strict=True)):
        yield [step, *state, f"{x:.9g}", f"{y:.9g}"]


def read_facts(run: FinishedRun, out: Path) -> PlaneFacts:
    """Return plane.json of a folder.

    Raises
    ------
    UserError
        If it is not there, damaged, or of another run.
    """
    file = out / FACTS
    if not file.exists():
        raise UserError(f"{file}: is not there; make it with --part plane")
    try:
        facts = PlaneFacts(**read_json(file))
    except TypeError:
        raise UserError(f"{file}: is no plane; make it anew with --part plane") from None
    if facts.weights != run.weights:
        raise UserError(
            f"{file}: is of other weights than {run.folder}'s; make it anew with --part plane"
        )
    return facts


def kept_facts(run: FinishedRun, out: Path, *, points: int, margin: float) -> PlaneFacts | None:
    """Return plane.json if the folder has the plane that would be computed, else None."""
    try:
        facts = read_facts(run, out)
        read_directions(facts, out)
    except UserError:
        return None
    asked = (points, margin, len(points_before_the_last(run)))
    there = (facts.points, facts.margin, facts.snapshots)
    return facts if there == asked and (out / TRAJECTORY).exists() else None


def read_directions(facts: PlaneFacts, out: Path) -> list[dict[str, Tensor]]:
    """Return the plane's two directions by parameter name.

    Raises
    ------
    UserError
        If plane.safetensors is not the file that plane.json goes with.
    """
    import safetensors.torch

    file = out / DIRECTIONS
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror or error}") from None
    if hashlib.sha256(data).hexdigest() != facts.directions:
        raise UserError(f"{file}: does not go with {FACTS}; make both anew with --part plane")
    tensors = safetensors.torch.load(data)
    return [
        {name[2:]: t for name, t in tensors.items() if name.startswith(f"{axis}.")} for axis in "xy"
    ]
