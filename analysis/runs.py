"""What finished runs have recorded, as tables and figures need it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.rows import Row
from analysis.summaries import NEEDED, check_results, diverged, read_summary


@dataclass(frozen=True)
class Results:
    """The summaries of a scale's runs.

    Attributes
    ----------
    folder
        ``results/out/<scale>``.
    seeds
        Every run was done once for each.
    accuracy
        ``best`` or ``final``: which accuracy of a run counts.
    """

    folder: Path
    seeds: Sequence[int]
    accuracy: str

    def summaries(self, run: str) -> list[dict[str, Any]]:
        """Return the summaries of a run, one a seed.

        With ``accuracy`` and ``top5``: those that count; None of a run that diverged.

        Raises
        ------
        UserError
            If one is missing or damaged.
        """
        return [self._summary(self.run_folder(run, s)) for s in self.seeds]

    def diverged(self, row: Row) -> dict[str, list[int]]:
        """Return the seeds whose run diverged, by the run's role in a row.

        Raises
        ------
        UserError
            If a summary is missing or damaged.
        """
        found: dict[str, list[int]] = {}
        for role, run in row.runs.items():
            for seed, summary in zip(self.seeds, self.summaries(run), strict=True):
                if diverged(summary):
                    found.setdefault(role, []).append(seed)
        return found

    def run_folder(self, run: str, seed: int) -> Path:
        """Return the folder of a run."""
        return self.folder / "runs" / run / f"seed{seed}"

    def landscape_folder(self, run: str, seed: int) -> Path:
        """Return the folder of a run's trajectory and loss surface."""
        return self.folder / "landscapes" / run / f"seed{seed}"

    def any_finished(self, runs: Iterable[str]) -> bool:
        """Return whether any of the runs is finished for any seed."""
        folders = (self.run_folder(run, seed) for run in runs for seed in self.seeds)
        return any((folder / "summary.json").exists() for folder in folders)

    def _summary(self, folder: Path) -> dict[str, Any]:
        file = folder / "summary.json"
        summary = read_summary(file, NEEDED)
        check_results(file, summary)
        for value in ("accuracy", "top5"):
            counted = None if diverged(summary) else summary[f"{self.accuracy}_{value}"]
            summary[value] = counted
        return summary
