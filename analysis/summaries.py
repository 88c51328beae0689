"""summary.json of finished runs, checked as it is read.

A run that diverged (its loss was not finite) is finished: its ``status`` says so,
``diverged_after`` names the first epoch with such a loss, and its accuracies are those
so far, None if there is none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autogrow.errors import UserError, allowed
from autogrow.files import read_json
from autogrow.names import parse_network

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
