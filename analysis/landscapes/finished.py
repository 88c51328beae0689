"""A finished run, as its folder tells it; no torch, no images."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from autogrow.config.resolved import ResolvedSpec
from autogrow.errors import UserError
from autogrow.runs.folder import SPEC, WEIGHTS, finished_summary, read_spec


@dataclass(frozen=True)
class FinishedRun:
    """What is needed to draw a run's landscape.

    Attributes
    ----------
    folder
        The run's folder.
    spec
        Its resolved settings.
    network
        The final network, as ``Plain3Net-4-4-4``.
    epochs
        Epochs trained; AdamInit's are not counted.
    data_checksum
        Of the images it was trained on.
    weights
        SHA-256 of its final weights.
    diverged_after
        The first epoch whose loss was not finite; None if the run is complete.
    """

    folder: Path
    spec: ResolvedSpec
    network: str
    epochs: int
    data_checksum: str
    weights: str
    diverged_after: int | None = None


def finished_run(folder: Path) -> FinishedRun:
    """Return the run of a folder.

    Raises
    ------
    UserError
        If the folder holds no finished run.
    """
    if not (folder / SPEC).is_file():
        raise UserError(f"{folder}: holds no run ({SPEC} is not there)")
    spec, weights = read_spec(folder), folder / WEIGHTS
    summary = finished_summary(folder, spec)
    if summary is None:
        raise UserError(
            f"{folder}: this run is not finished; allowed: the folder of a finished run"
        )
    try:
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    except OSError as error:
        raise UserError(f"{weights}: cannot be read: {error.strerror or error}") from None
    return FinishedRun(
        folder,
        spec,
        summary.network,
        summary.own_epochs,
        summary.data.checksum,
        digest,
        summary.diverged_after,
    )
