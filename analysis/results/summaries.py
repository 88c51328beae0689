"""The summaries of a scale's finished runs.

A run that diverged (its loss was not finite) is finished too: see
:class:`autogrow.runs.summary.Summary`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analysis.experiments.rows import Row
from autogrow.errors import UserError
from autogrow.runs.folder import read_result
from autogrow.runs.summary import SUMMARY, Percentage, Summary


class CountedSummary(Summary):
    """A summary with the accuracies that count in tables and figures.

    They are None if the run diverged.
    """

    accuracy: Percentage | None
    top5: Percentage | None


@dataclass(frozen=True)
class Results:
    """The summaries of the runs in ``results/out/<scale>``, each done once for every seed.

    ``accuracy`` says which accuracy of a run counts: ``best``, ``overall`` or ``final``.
    """

    folder: Path
    seeds: Sequence[int]
    accuracy: str
    _read: dict[tuple[str, int], CountedSummary] = field(
        default_factory=dict, init=False, repr=False
    )

    def summaries(self, run: str) -> list[CountedSummary]:
        """Return the summaries of a run, one a seed; each file is read once."""
        for seed in self.seeds:
            if (run, seed) not in self._read:
                self._read[run, seed] = self._summary(self.run_folder(run, seed), seed)
        return [self._read[run, seed] for seed in self.seeds]

    def diverged(self, row: Row) -> dict[str, list[int]]:
        """Return the seeds whose run diverged, by the run's role in a row."""
        found: dict[str, list[int]] = {}
        for role, run in row.runs.items():
            for seed, summary in zip(self.seeds, self.summaries(run), strict=True):
                if summary.diverged:
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
        return any((folder / SUMMARY).exists() for folder in folders)

    def _summary(self, folder: Path, seed: int) -> CountedSummary:
        summary = read_result(folder)
        if summary.seed != seed:
            raise UserError(f"{folder / SUMMARY}: is of seed {summary.seed}, not of {seed}")
        accuracy, top5 = summary[f"{self.accuracy}_accuracy"], summary[f"{self.accuracy}_top5"]
        if summary.diverged:
            accuracy = top5 = None
        elif accuracy is None:
            raise UserError(
                f"{folder / SUMMARY}: {self.accuracy}_accuracy: missing (an older suite wrote "
                "it); allowed: a percentage"
            )
        return CountedSummary.model_construct(
            **{**dict(summary), "accuracy": accuracy, "top5": top5}
        )
