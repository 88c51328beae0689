"""The plane of a run's trajectory: computed from its snapshots, and its files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from analysis.landscapes.finished import FinishedRun
from autogrow.errors import UserError
from autogrow.files.reading import reading
from autogrow.files.seals import read_seal, seal
from autogrow.files.writing import csv_bytes, json_bytes, write_together

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from analysis.landscapes.plane import Plane
    from analysis.landscapes.snapshot_points import Snapshot

TRAJECTORY, DIRECTIONS, FACTS = "trajectory.csv", "plane.safetensors", "plane.json"
HEADER = ["step", "epoch", "phase", "depth", "grown", "x", "y"]


Range = tuple[FiniteFloat, FiniteFloat]


class PlaneFacts(BaseModel):
    """Content of plane.json: the plane of a run's trajectory and the grid of its contour.

    Attributes
    ----------
    explained_1, explained_2
        Explained variance of each component, percent; None if the run diverged before
        there were points enough for a plane.
    x, y
        Ranges of the contour; -1 to 1 if there is no plane.
    points
        Of the contour along each axis.
    margin
        Room around the trajectory, relative to its extent along each axis.
    fitted
        How many points the components are of: those evenly spaced in epochs.
    weights, directions
        SHA-256 of the run's final weights and of plane.safetensors.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    network: str
    explained_1: FiniteFloat | None
    explained_2: FiniteFloat | None
    x: Range
    y: Range
    points: int = Field(ge=2)
    margin: FiniteFloat = Field(gt=0)
    snapshots: int = Field(ge=1)
    fitted: int = Field(ge=0)
    weights: str
    directions: str


def points_before_the_last(run: FinishedRun) -> list[Snapshot]:
    """Return the run's snapshots without that after the last epoch: the final network itself.

    Those of a run that diverged end at the last one before it did.
    """
    from analysis.landscapes.snapshot_points import read_snapshots

    snapshots, diverged_after = read_snapshots(run.folder), run.summary.diverged_after
    if diverged_after is not None:
        return [s for s in snapshots if s.epoch < diverged_after]
    return [s for s in snapshots if s.grown or s.epoch < run.summary.own_epochs]


def write_plane(run: FinishedRun, out: Path, *, points: int, margin: float) -> PlaneFacts:
    """Compute the plane and write its three files into ``out``; return plane.json.

    Raises
    ------
    UserError
        If snapshots are missing, damaged or of another network, or no plane shows those of
        a run that is complete.
    """
    import numpy as np
    import safetensors.numpy

    from analysis.landscapes.plane import NoPlaneError
    from analysis.landscapes.snapshot_points import check_snapshots

    diverged = run.summary.diverged_after is not None
    check_snapshots(run.folder, run.seal)
    snapshots = points_before_the_last(run)
    states = [(s.epoch, s.phase, s.depth, int(s.grown)) for s in snapshots]
    if not diverged:
        phase = "finetuning" if run.spec.kind == "autogrow" else "training"
        states.append((run.summary.own_epochs, phase, run.summary.depth, 0))
    fitted = _evenly_spaced(run, snapshots)
    try:
        plane, directions = _plane(run, snapshots, fitted)
        coordinates = plane.coordinates
        explained: tuple[float | None, ...] = plane.explained
        low, high = coordinates.min(0), coordinates.max(0)
        room = margin * (high - low)
        x, y = zip((low - room).tolist(), (high + room).tolist(), strict=True)
    except NoPlaneError as error:
        if not diverged:
            raise UserError(f"{run.folder}: {error}") from None
        directions, coordinates = {}, np.full((len(states), 2), np.nan)
        explained = (None, None)
        x = y = (-1.0, 1.0)
    data = safetensors.numpy.save(directions)
    facts = PlaneFacts(
        network=run.summary.network,
        explained_1=explained[0],
        explained_2=explained[1],
        x=x,
        y=y,
        points=points,
        margin=margin,
        snapshots=len(snapshots),
        fitted=int(fitted.sum()),
        weights=run.weights,
        directions=hashlib.sha256(data).hexdigest(),
    )
    rows = [
        [step, *state, *(f"{value:.9g}" for value in point)]
        for step, (state, point) in enumerate(zip(states, coordinates, strict=True))
    ]
    write_together(
        {
            out / TRAJECTORY: csv_bytes(HEADER, rows),
            out / DIRECTIONS: data,
            out / FACTS: json_bytes(facts.model_dump()),
        }
    )
    seal(out / FACTS)
    return facts


def _evenly_spaced(run: FinishedRun, snapshots: list[Snapshot]) -> np.ndarray:
    """Return for each point of the trajectory whether it lies at an evenly spaced epoch.

    A run also keeps its parameters right before and right after each growth, in any epoch.
    """
    import numpy as np

    points = [(s.epoch, s.grown) for s in snapshots]
    if run.summary.diverged_after is None:
        points.append((run.summary.own_epochs, False))
    interval = run.spec.snapshots
    return np.array([not grown and epoch % interval == 0 for epoch, grown in points], bool)


def _plane(
    run: FinishedRun, snapshots: list[Snapshot], fitted: np.ndarray
) -> tuple[Plane, dict[str, np.ndarray]]:
    """Return the plane of a trajectory and its two directions by parameter."""
    import numpy as np
    import torch

    from analysis.landscapes.plane import principal_plane
    from analysis.landscapes.snapshot_points import Trajectory, parameters
    from analysis.landscapes.trained import final_network

    if run.summary.diverged_after is not None:
        trajectory = Trajectory(snapshots[:-1], parameters(snapshots[-1]))
    else:
        network = final_network(run, torch.device("cpu"))
        final = {n: p.detach().contiguous().numpy() for n, p in network.named_parameters()}
        if not all(np.isfinite(values).all() for values in final.values()):
            raise UserError(f"{run.folder}: the final network has values that are not finite")
        trajectory = Trajectory(snapshots, final)
    gram = np.zeros((len(trajectory), len(trajectory)))
    for block in trajectory.blocks():
        differences = trajectory.differences(block)
        gram += differences @ differences.T
    plane = principal_plane(gram, fitted)
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
    return plane, directions


def read_facts(file: Path) -> PlaneFacts:
    """Return the content of a plane.json.

    Raises
    ------
    UserError
        If it is not there or damaged.
    """
    if not file.exists():
        raise UserError(f"{file}: is not there; make it with --part plane")
    try:
        read_seal(file).check(TRAJECTORY, FACTS)
        return PlaneFacts.model_validate_json(file.read_bytes())
    except (OSError, ValueError):
        raise UserError(f"{file}: is not a plane; make it again with --part plane") from None


def facts_of(run: FinishedRun, out: Path) -> PlaneFacts:
    """Return plane.json of a folder.

    Raises
    ------
    UserError
        If it is not there, damaged, or of another run.
    """
    facts = read_facts(out / FACTS)
    if facts.weights != run.weights:
        raise UserError(
            f"{out / FACTS}: is of other weights than {run.folder}'s; "
            "make it again with --part plane"
        )
    return facts


def kept_facts(run: FinishedRun, out: Path, *, points: int, margin: float) -> PlaneFacts | None:
    """Return plane.json if the folder has the plane that would be computed, else None."""
    try:
        facts = facts_of(run, out)
        read_directions(facts, out)
    except UserError:
        return None
    asked = (points, margin, len(points_before_the_last(run)))
    there = (facts.points, facts.margin, facts.snapshots)
    return facts if there == asked else None


def read_directions(facts: PlaneFacts, out: Path) -> list[dict[str, Tensor]]:
    """Return the plane's two directions by parameter name.

    Raises
    ------
    UserError
        If plane.safetensors is not the file that plane.json goes with.
    """
    import safetensors.torch

    file = out / DIRECTIONS
    with reading(file, "the directions of a plane"):
        data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != facts.directions:
        raise UserError(f"{file}: does not belong to {FACTS}; make both again with --part plane")
    tensors = safetensors.torch.load(data)
    return [
        {name[2:]: t for name, t in tensors.items() if name.startswith(f"{axis}.")} for axis in "xy"
    ]
