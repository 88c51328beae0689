"""A finished run, as its folder tells it; no torch, no images."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from autogrow.config.resolved import ResolvedSpec
from autogrow.errors import UserError
from autogrow.runs.folder import SPEC, WEIGHTS, finished_summary, read_spec
from autogrow.runs.summary import Summary


@dataclass(frozen=True)
class FinishedRun:
    """A run's folder, resolved settings and summary, and the SHA-256 of its final weights."""

    folder: Path
    spec: ResolvedSpec
    summary: Summary
    weights: str


def finished_run(folder: Path) -> FinishedRun:
    """Return the run of a folder.

    Raises
    ------
    UserError
        If the folder holds no finished run.
    """
    if not (folder / SPEC).is_file():
        raise UserError(f"{folder}: holds no run ({SPEC} is not there)")
    spec = read_spec(folder)
    summary = finished_summary(folder, spec)
    if summary is None:
        raise UserError(
            f"{folder}: this run is not finished; allowed: the folder of a finished run"
        )
    return FinishedRun(
        folder, spec, summary, hashlib.sha256(read_file(folder / WEIGHTS)).hexdigest()
    )


def read_file(file: Path) -> bytes:
    """Return the content of a file.

    Raises
    ------
    UserError
        If it cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror or error}") from None
