"""``autogrow status``: what the runs below a folder are doing, from their folders alone."""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autogrow.errors import UserError
from autogrow.files.reading import read_text, require_file
from autogrow.files.yaml import read_yaml
from autogrow.growth.schedules import short_epochs
from autogrow.process.lock import NAME as LOCK
from autogrow.process.lock import is_alive
from autogrow.process.terminal import Screen, duration
from autogrow.runs.curves import LARGEST
from autogrow.runs.folder import GROWTH, SPEC, finished, is_unsealed
from autogrow.runs.summary import SUMMARY, read_summary
from autogrow.training.metrics import BESIDE, METRICS
from autogrow.training.reporter import LOG
from autogrow.training.standing import Standing, recent_seconds
from autogrow.training.unfinished import checkpoint_files

PAUSE = 2.0
"""Seconds between two looks of ``--watch``."""
STATES = ("done", "diverged", "unsealed", "running", "interrupted", "damaged")


@dataclass(frozen=True)
class RunStatus:
    """What a run is doing: one of ``STATES``, and the rest of its line."""

    folder: Path
    state: str
    detail: str = ""


def running(root: Path) -> list[RunStatus]:
    """Return the runs that are at work; the others' files are not read."""
    found = [_status_of(folder) for folder in _run_folders(root) if (folder / LOCK).exists()]
    return [status for status in found if status.state == "running"]


def _run_folders(root: Path) -> Iterator[Path]:
    """Yield each run folder from ``root`` down."""

    def refused(error: OSError) -> None:
        raise UserError(f"{error.filename}: cannot be read: {error.strerror}")

    for place, folders, names in os.walk(root, onerror=refused):
        if {LOG, METRICS, SUMMARY, LOCK} & set(names):
            yield Path(place)
            folders.clear()
        else:
            folders[:] = sorted(f for f in folders if not f.startswith("."))


def _status_of(folder: Path) -> RunStatus:
    """Return what a run is doing; its detail names damaged and foreign files."""
    try:
        if is_unsealed(folder):
            return RunStatus(folder, "unsealed", "autogrow verify --seal seals it as it is")
        seal = finished(folder)
        if seal is not None:
            seal.check(SPEC, SUMMARY)
            summary = read_summary(folder / SUMMARY)
            if not summary.diverged:
                return RunStatus(folder, "done")
            text = f"no finite loss from epoch {summary.diverged_after} on"
            return RunStatus(folder, "diverged", text)
        started = (folder / SPEC).exists()
        if (folder / LOCK).exists() and is_alive(folder / LOCK):
            text = str(_standing(folder, at_work=True)) if started else "starting"
            return RunStatus(folder, "running", text)
        if not started:
            return RunStatus(folder, "damaged", f"{SPEC} is missing; allowed: a run folder")
        checkpoints = [file.stat().st_mtime for file in checkpoint_files(folder)]
        kept = "no checkpoint"
        if checkpoints:
            kept = f"last checkpoint {duration(time.time() - checkpoints[-1])} ago"
        text = f"{_standing(folder, at_work=False)}; {kept}"
        return RunStatus(folder, "interrupted", text)
    except (UserError, OSError, ValueError, TypeError, KeyError, csv.Error) as error:
        if not folder.exists():
            return RunStatus(folder, "interrupted", "its folder was removed")
        return RunStatus(folder, "damaged", str(UserError(str(error))))


def _standing(folder: Path, *, at_work: bool) -> Standing | str:
    """Return where a run stands by its records."""
    require_file(folder / SPEC, "the spec of a run")
    spec, metrics = read_yaml(folder / SPEC), folder / METRICS
    rows = _rows(metrics) if metrics.exists() else []
    own = [row for row in rows if row["phase"] not in BESIDE]
    if not own:
        return "in its first epoch"
    last = rows[-1]
    epoch = int(last["epoch"])
    since = time.time() - metrics.stat().st_mtime
    return Standing(
        epoch=epoch,
        expected=_expected(folder, spec, epoch),
        phase=last["phase"],
        depth=last["depth"],
        accuracy=float(own[-1]["val_accuracy"]),
        seconds=recent_seconds([float(row["seconds"]) for row in own]) if at_work else None,
        elapsed=since if at_work else 0.0,
    )


def _expected(folder: Path, spec: Any, epoch: int) -> int:
    """Return the epochs that a run needs; while it grows, those that it needs at least."""
    if spec["kind"] != "autogrow":
        return int(spec["epochs"]) * (2 if spec["kind"] == "morph" else 1)
    grown = _rows(folder / GROWTH)[-1:] if (folder / GROWTH).exists() else []
    ends = [int(event["epoch"]) for event in grown if event["event"] == "done"]
    epochs = int(spec["finetune_epochs"])
    if (spec.get("policy"), spec.get("finetuning")) == ("convergent", "short"):
        epochs = short_epochs(epochs)
    return epochs + (ends[0] if ends else epoch)


def _rows(file: Path) -> list[dict[str, str]]:
    require_file(file, "the records of a run")
    return list(csv.DictReader(read_text(file, "a CSV", LARGEST).splitlines()))


def add_status(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``autogrow status``."""
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        metavar="DIR",
        help="a run folder, or one with many of them below (default: results/out if it exists, "
        "else the current folder)",
    )
    parser.add_argument(
        "--watch", action="store_true", help="look again and again, until no run is at work"
    )
    parser.set_defaults(command=_status)


def _status(options: argparse.Namespace) -> int:
    usual = Path("results/out")
    root = options.folder or (usual if usual.is_dir() else Path())
    if not root.is_dir():
        raise UserError(f"{root}: is no folder; allowed: a run folder, or a folder of runs")
    screen = Screen(sys.stdout)
    before: list[str] = []
    try:
        while True:
            found = [_status_of(folder) for folder in _run_folders(root)]
            lines = _lines(root, found)
            live = options.watch and screen.live
            if live:
                screen.show(lines[: screen.rows])
            elif lines != before:
                screen.say("\n".join(lines))
            if not options.watch or not any(s.state == "running" for s in found):
                return 0
            before = lines
            time.sleep(PAUSE if live else 30 * PAUSE)
    except KeyboardInterrupt:
        return 130
    finally:
        screen.close()


def _lines(root: Path, found: list[RunStatus]) -> list[str]:
    """Return the lines that a user reads: how many runs are in each state, and the open ones."""
    count = Counter(status.state for status in found)
    counts = ", ".join(f"{count[state]} {state}" for state in STATES if count[state])
    lines = [f"{root}: {counts or 'no runs'}"]
    for state in STATES[1:]:
        for status in (s for s in found if s.state == state):
            name = status.folder.relative_to(root) if status.folder != root else status.folder
            lines.append(f"  {state:11} {name}: {status.detail}")
    return lines
