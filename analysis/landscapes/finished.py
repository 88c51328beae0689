"""A finished run, as its folder tells it; no torch, no images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autogrow.config.resolved import ResolvedSpec
from autogrow.errors import UserError
from autogrow.files.seals import Seal
from autogrow.runs.folder import SPEC, WEIGHTS, finished, read_spec
from autogrow.runs.summary import SUMMARY, Summary, read_summary


@dataclass(frozen=True)
class FinishedRun:
    """A run's folder and seal, resolved settings and summary, all checked as are its weights."""

    folder: Path
    seal: Seal
    spec: ResolvedSpec
    summary: Summary

    @property
    def weights(self) -> str:
        """The SHA-256 of its final weights."""
        return self.seal.files[WEIGHTS][1]


def finished_run(folder: Path) -> FinishedRun:
    """Return the run of a folder.

    Raises
    ------
    UserError
        If the folder holds no finished run, or a damaged one.
    """
    if not (folder / SPEC).is_file():
        raise UserError(f"{folder}: holds no run ({SPEC} is not there)")
    seal = finished(folder)
    if seal is None:
        raise UserError(
            f"{folder}: this run is not finished; allowed: the folder of a finished run"
        )
    seal.check(SPEC, SUMMARY, WEIGHTS)
    return FinishedRun(folder, seal, read_spec(folder), read_summary(folder / SUMMARY))
