"""Runs the whole workflow and shows where it stands; Snakemake's own output goes to a file.

``python -m analysis reproduce --scale mini``, which ``make reproduce`` calls.
"""

from __future__ import annotations

import argparse
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from analysis.experiments.scales import read_scale
from autogrow.cli.status import running
from autogrow.errors import UserError
from autogrow.files.writing import make_folder
from autogrow.process.terminal import Screen, duration

PAUSE = 1.0
"""Seconds between two looks on a terminal."""
SELDOM = 60.0
"""Seconds between two lines elsewhere, as in the log of a CI job."""
STEPS = re.compile(rb"^(\d+) of (\d+) steps ", re.MULTILINE)
TOTAL = re.compile(rb"^total +(\d+)\s*$", re.MULTILINE)


class Workflow:
    """Where a Snakemake stands, by its log and the folder of all runs."""

    def __init__(self, log: Path, runs: Path) -> None:
        self._log = log
        self._runs = runs
        self._offset = 0
        self._done, self._jobs = 0, 0
        self._began = time.monotonic()

    def lines(self) -> list[str]:
        """Return a line for the whole workflow, and one for each run that is at work."""
        self._read_log()
        at_work = running(self._runs) if self._runs.is_dir() else []
        progress = "looking for what is to be done"
        if self._jobs:
            percent = 100 * self._done // self._jobs
            progress = f"{self._done} of {self._jobs} jobs done ({percent} %)"
        if at_work:
            progress += f", {len(at_work)} run{'s' if len(at_work) > 1 else ''} at work"
        spent = time.monotonic() - self._began
        if 5 <= self._done < self._jobs:  # fewer say little about the time left
            progress += f", about {duration(spent * (self._jobs / self._done - 1))} left"
        names = [f"  {s.folder.relative_to(self._runs)}: {s.detail}" for s in at_work]
        return [f"[{duration(spent)}] {progress}", *names]

    def _read_log(self) -> None:
        with self._log.open("rb") as file:
            file.seek(self._offset)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._offset += len(whole)
        for total in TOTAL.findall(whole)[:1]:
            self._jobs = self._jobs or int(total)
        for done, jobs in STEPS.findall(whole)[-1:]:
            self._done, self._jobs = int(done), int(jobs)


def reproduce(scale: str) -> int:
    """Run Snakemake at a scale; return its exit status.

    Ctrl-C and the end of the terminal reach Snakemake without us, for it is of the same
    process group; SIGTERM, which make sends to its child alone, is handed on.
    """
    read_scale(scale)  # a mistake leaves no folder
    out = Path("results/out") / scale
    log = out / "logs" / time.strftime("snakemake-%Y%m%d-%H%M%S.log")
    make_folder(log.parent)
    snakemake: subprocess.Popen[bytes] | None = None

    def hand_on(number: int, frame: FrameType | None) -> None:
        if snakemake is None:
            sys.exit(128 + number)
        if number == signal.SIGTERM:
            snakemake.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, hand_on)
    program = Path(sys.executable).with_name("snakemake")
    command = [str(program), "--cores", "all", "--config", f"scale={scale}"]
    with log.open("wb") as file:
        try:
            snakemake = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        except OSError as error:
            raise UserError(f"{program}: cannot be started: {error.strerror}") from None
    screen = Screen(sys.stderr)
    screen.say(f"Snakemake's output: {log}")
    _watch(snakemake, Workflow(log, out / "runs"), screen)
    status = snakemake.returncode
    if status:
        last = log.read_text(errors="replace").splitlines()[-30:]
        screen.say("\n".join([*last, "", f"Snakemake failed; its whole output: {log}"]))
    else:
        screen.say(
            f"Tables (CSV and Markdown): {out}/tables\n"
            f"Figures (CSV, PDF and PNG): {out}/figures\n"
            f"Report on all of it: {out}/report.html\n"
            f"Runs (metrics, growth, summary, weights): {out}/runs\n"
            f"Snakemake's output: {log}"
            f"{_comparison(out)}{_verdicts(out)}"
        )
    return status if status >= 0 else 128 - status


def _comparison(out: Path) -> str:
    """Return what `compare` has said first, if there was a reference."""
    return _said(out / "compare.csv", out / "logs" / "compare.log", "Against the reference", 3)


def _verdicts(out: Path) -> str:
    """Return what `judge` has said first, if there are claims."""
    return _said(out / "claims" / "claims.md", out / "logs" / "claims.log", "Claims", 9)


def _said(file: Path, log: Path, what: str, most: int) -> str:
    """Return the first lines of a job's log below the name of the file that it made."""
    try:
        lines = log.read_text(errors="replace").splitlines()[:most]
    except OSError:
        return ""
    return "\n".join(["", f"{what} ({file}):", *lines]) if file.is_file() else ""


def _watch(snakemake: subprocess.Popen[bytes], workflow: Workflow, screen: Screen) -> None:
    """Show where the workflow stands until Snakemake has ended."""
    ended = False
    while not ended:
        try:
            snakemake.wait(PAUSE if screen.live else SELDOM)
            ended = True
        except subprocess.TimeoutExpired:
            pass
        try:
            lines = workflow.lines()
        except (OSError, UserError):  # a folder that a job has just removed
            continue
        if screen.live:
            screen.show(lines[: 1 if ended else screen.rows])
        else:
            screen.say("; ".join(line.strip() for line in lines))
    screen.close()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``python -m analysis reproduce``."""
    parser.add_argument("--scale", default="mini", help="a file in config/scales (default: mini)")


def run(options: argparse.Namespace) -> int:
    """Run the workflow; return Snakemake's exit status."""
    return reproduce(options.scale)
