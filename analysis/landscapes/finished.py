"""A finished run, as its folder tells it; no torch, no images."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from autogrow import records
from autogrow.config import RunSpec, parse_spec
from autogrow.errors import UserError


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
    """

    folder: Path
    spec: RunSpec
    network: str
    epochs: int
    data_checksum: str
    weights: str


def finished_run(folder: Path) -> FinishedRun:
    """Return the run of a folder.

    Raises
    ------
    UserError
        If the folder holds no finished run.
    """
    if not (folder / records.SPEC).is_file():
        raise UserError(f"{folder}: holds no run ({records.SPEC} is not there)")
    spec = parse_spec(records.read_json(folder / records.SPEC), str(folder / records.SPEC))
    summary = records.finished_summary(folder)
    if summary is None:
        raise UserError(
            f"{folder}: this run is not finished; allowed: the folder of a finished run"
        )
    try:
        epochs = sum(n for phase, n in summary["epochs"].items() if phase != "adaminit")
        network, checksum = summary["network"], summary["data"]["checksum"]
        weights = hashlib.sha256((folder / records.WEIGHTS).read_bytes()).hexdigest()
    except (KeyError, TypeError, AttributeError) as error:
        file = folder / records.SUMMARY
        raise UserError(f"{file}: no summary of a finished run: {error!r}") from None
    except OSError as error:
        file = folder / records.WEIGHTS
        raise UserError(f"{file}: cannot be read: {error.strerror or error}") from None
    return FinishedRun(folder, spec, network, epochs, checksum, weights)
