"""A finished run, as its folder tells it; no torch, no images."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from analysis.results.summaries import diverged, own_epochs, read_summary
from autogrow.config.spec import RunSpec, parse_spec
from autogrow.errors import UserError
from autogrow.networks.names import parse_network
from autogrow.runs.folder import SPEC, SUMMARY, WEIGHTS, is_of_its_spec, read_json


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
    spec: RunSpec
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
    spec = parse_spec(read_json(folder / SPEC), str(folder / SPEC))
    file, weights = folder / SUMMARY, folder / WEIGHTS
    summary = None
    if file.exists() and weights.exists():
        summary = read_summary(file, {"network": str, "epochs": dict, "data": dict})
    if summary is None or not is_of_its_spec(folder, summary):
        raise UserError(
            f"{folder}: this run is not finished; allowed: the folder of a finished run"
        )
    try:
        network, epochs = str(parse_network(summary["network"])), own_epochs(summary)
        checksum = summary["data"]["checksum"]
    except (KeyError, TypeError, UserError) as error:
        raise UserError(f"{file}: no summary of a finished run: {error!r}") from None
    try:
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    except OSError as error:
        raise UserError(f"{weights}: cannot be read: {error.strerror or error}") from None
    after = summary["diverged_after"] if diverged(summary) else None
    return FinishedRun(folder, spec, network, epochs, checksum, digest, after)
