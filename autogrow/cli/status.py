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
from autogrow.files.reading import read_json
from autogrow.files.yaml import read_yaml
from autogrow.process.lock import NAME as LOCK
from autogrow.process.lock import is_alive
from autogrow.process.terminal import Screen, duration
from autogrow.runs.folder import GROWTH, SPEC, WEIGHTS
from autogrow.runs.summary import SUMMARY
from autogrow.training.metrics import METRICS, METRICS_HEADER
from autogrow.training.reporter import LOG
from autogrow.training.standing import Standing, recent_seconds
from autogrow.training.unfinished import checkpoint_files

END = 4096
"""Bytes that are read from the end of a CSV: more than its last three rows."""
PAUSE = 2.0
"""Seconds between two looks of ``--watch``."""
STATES = ("done", "diverged", "running", "interrupted", "damaged")


@dataclass(frozen=True)
class RunStatus:
    """What a run is doing.

    Parameters
    ----------
    folder
        Run folder.
    state
        One of ``STATES``.
    detail
        The rest of its line; empty for a run that is done.
    """

    folder: Path
    state: str
    detail: str = ""


def run_folders(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield each run folder from ``root`` down, with the names of its files."""

    def refused(error: OSError) -> None:
        raise UserError(f"{error.filename}: cannot be read: {error.strerror}")

    for place, folders, names in os.walk(root, onerror=refused):
        if {LOG, METRICS, SUMMARY, LOCK} & set(names):
            yield Path(place), names
            folders.clear()
        else:
            folders[:] = sorted(f for f in folders if not f.startswith("."))


def status_of(folder: Path, names: list[str]) -> RunStatus:
    """Return what a run is doing; damaged and foreign files are told in its detail."""
    try:
        if SUMMARY in names and WEIGHTS in names:
            return _finished(folder)
        if LOCK in names and is_alive(folder / LOCK):
            return RunStatus(folder, "running", _detail(folder, names, running=True))
        if SPEC not in names:
            return RunStatus(folder, "damaged", f"{SPEC} is missing; allowed: a run folder")
        return RunStatus(folder, "interrupted", _detail(folder, names, running=False))
    except (UserError, OSError, ValueError, TypeError, KeyError) as error:
        if not folder.exists():
            return RunStatus(folder, "interrupted", "its folder was removed")
        return RunStatus(folder, "damaged", str(UserError(str(error))))


def statuses(root: Path) -> list[RunStatus]:
    """Return what every run from ``root`` down is doing."""
    return [status_of(folder, names) for folder, names in run_folders(root)]


def running(root: Path) -> list[RunStatus]:
    """Return the runs that are at work; the others' files are not read."""
    found = [status_of(f, names) for f, names in run_folders(root) if LOCK in names]
    return [status for status in found if status.state == "running"]


def lines_of(root: Path, found: list[RunStatus]) -> list[str]:
    """Return the lines that a user reads: how many runs are in each state, and the open ones."""
    count = Counter(status.state for status in found)
    told = ", ".join(f"{count[state]} {state}" for state in STATES if count[state])
    lines = [f"{root}: {told or 'no runs'}"]
    for state in STATES[1:]:
        for status in (s for s in found if s.state == state):
            name = status.folder.relative_to(root) if status.folder != root else status.folder
            lines.append(f"  {state:11} {name}: {status.detail}")
    return lines


def _finished(folder: Path) -> RunStatus:
    summary = read_json(folder / SUMMARY)
    state = summary.get("status") if isinstance(summary, dict) else None
    if state == "complete":
        return RunStatus(folder, "done")
    if state == "diverged":
        after = summary.get("diverged_after")
        return RunStatus(folder, "diverged", f"no finite loss from epoch {after} on")
    raise UserError(f"{SUMMARY}: status: found {state!r:.80}; allowed: complete or diverged")


def _detail(folder: Path, names: list[str], *, running: bool) -> str:
    if SPEC not in names:
        return "starting"
    standing = _standing(folder, names, running=running)
    if running:
        return str(standing) if standing else "in its first epoch"
    checkpoints = [file.stat().st_mtime for file in checkpoint_files(folder)]
    kept = "no checkpoint"
    if checkpoints:
        kept = f"last checkpoint {duration(time.time() - checkpoints[-1])} ago"
    where = str(standing) if standing else "in its first epoch"
    return f"{where}; {kept}"


def _standing(folder: Path, names: list[str], *, running: bool) -> Standing | None:
    """Return where a run stands by its records; None before its first epoch has ended."""
    rows = _last_rows(folder / METRICS) if METRICS in names else []
    own = [row for row in rows if row["phase"] != "adaminit"]
    if not own:
        return None
    last = rows[-1]
    since = time.time() - (folder / METRICS).stat().st_mtime
    return Standing(
        epoch=int(last["epoch"]),
        expected=_expected(folder, names, int(last["epoch"])),
        phase=last["phase"],
        depth=last["depth"],
        accuracy=float(own[-1]["val_accuracy"]),
        seconds=recent_seconds([float(row["seconds"]) for row in own]) if running else None,
        elapsed=since if running else 0.0,
    )


def _expected(folder: Path, names: list[str], epoch: int) -> int:
    """Return the epochs that a run needs; while it grows, those that it needs at least."""
    spec: dict[str, Any] = _read(folder / SPEC)
    if spec["kind"] != "autogrow":
        return int(spec["epochs"]) * (2 if spec["kind"] == "morph" else 1)
    grown = _tail(folder / GROWTH)[-1].split(",") if GROWTH in names else ["", ""]
    return int(spec["finetune_epochs"]) + (int(grown[0]) if grown[1] == "done" else epoch)


def _read(file: Path) -> Any:
    if file.suffix == ".json":
        return read_json(file)
    return read_yaml(file)


def _tail(file: Path) -> list[str]:
    """Return the last lines of a text file."""
    with file.open("rb") as content:
        size = content.seek(0, os.SEEK_END)
        content.seek(max(0, size - END))
        lines = content.read().decode(errors="replace").splitlines()
    return lines if size <= END else lines[1:]


def _last_rows(file: Path) -> list[dict[str, str]]:
    """Return the last rows of a metrics.csv."""
    lines = [line for line in _tail(file) if not line.startswith("epoch,")]
    rows = [row for row in csv.reader(lines) if row]
    if any(len(row) != len(METRICS_HEADER) for row in rows):
        raise UserError(f"{METRICS}: found a row of another width; allowed: a run's records")
    return [dict(zip(METRICS_HEADER, row, strict=True)) for row in rows]


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
            found = statuses(root)
            lines = lines_of(root, found)
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
