"""summary.json of finished runs, checked as it is read.

A run that diverged (its loss was not finite) is finished: its ``status`` says so,
``diverged_after`` names the first epoch with such a loss, and its accuracies are those
so far, None if there is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.experiments.rows import Row
from autogrow.errors import UserError, allowed
from autogrow.files.reading import read_json
from autogrow.networks.names import parse_network

STATUSES = ("complete", "diverged")

ACCURACIES = ("final_accuracy", "best_accuracy", "final_top5", "best_top5")

NEEDED: dict[str, type] = {
    "network": str,
    "layers": int,
    "parameters": int,
    "flops": int,
    "epochs": dict,
    "seconds_growing": float,
    "seconds_finetuning": float,
    "device": str,
    "threads": int,
}
"""What tables and figures read, and its kind; any number is a float."""


def read_summary(file: Path, needed: Mapping[str, type]) -> dict[str, Any]:
    """Return the summary of a finished run.

    Parameters
    ----------
    file
        summary.json.
    needed
        Keys that must be there besides ``status`` and, for a run that diverged,
        ``diverged_after``; and their kinds.

    Raises
    ------
    UserError
        Naming the file and what is wrong.
    """
    try:
        summary = read_json(file)
    except UserError as error:
        reason = str(error).removeprefix(f"{file}: ").removeprefix("cannot be read: ")
        raise UserError(f"{file}: no summary of a finished run: {reason}") from None
    if not isinstance(summary, dict):
        raise UserError(f"{file}: no summary of a finished run: found {summary!r:.80}")
    if summary.get("status") not in STATUSES:
        _refuse(file, summary, "status", allowed(STATUSES))
    kinds = {**needed, **({"diverged_after": int} if diverged(summary) else {})}
    for key, kind in kinds.items():
        if not _is(summary.get(key), kind):
            _refuse(file, summary, key, _KINDS[kind])
    return summary


def check_results(file: Path, summary: Mapping[str, Any]) -> None:
    """Check what tables and figures show of a summary with the keys :data:`NEEDED`.

    Raises
    ------
    UserError
        Naming the file and what is wrong.
    """
    try:
        name = parse_network(summary["network"])
    except UserError as error:
        raise UserError(f"{file}: {error}") from None
    depth = "-".join(map(str, name.depth))
    if summary.get("depth") != depth:
        _refuse(file, summary, "depth", f"{depth}, as its network")
    for key in ACCURACIES:
        accuracy = summary.get(key)
        if accuracy is None and key in summary and diverged(summary):
            continue
        if not _is(accuracy, float) or not accuracy <= 100:
            _refuse(file, summary, key, "a percentage")
    if not all(_is(n, int) for n in summary["epochs"].values()):
        _refuse(file, summary, "epochs", "a number for each phase")


def diverged(summary: Mapping[str, Any]) -> bool:
    """Return whether the run of a summary diverged."""
    return summary["status"] == "diverged"


def diverged_growing(summary: Mapping[str, Any]) -> bool:
    """Return whether the run diverged before it had found its network."""
    return diverged(summary) and summary["epochs"].get("growing", 0) >= summary["diverged_after"]


def own_epochs(summary: Mapping[str, Any]) -> int:
    """Return how many epochs the run trained; AdamInit's are not counted."""
    return sum(n for phase, n in summary["epochs"].items() if phase != "adaminit")


_KINDS: dict[type, str] = {
    str: "a text",
    int: "a whole number from 0",
    float: "a number from 0",
    dict: "a mapping",
}


def _is(value: object, kind: type) -> bool:
    if kind in (int, float):
        number = isinstance(value, int | float if kind is float else int)
        return number and not isinstance(value, bool) and 0 <= value < math.inf
    return isinstance(value, kind)


def _refuse(file: Path, summary: Mapping[str, Any], key: str, wanted: str) -> None:
    raise UserError(
        f"{file}: no summary of a finished run: {key}: found {summary.get(key)!r:.80}; "
        f"allowed: {wanted}"
    )


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
