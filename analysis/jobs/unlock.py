"""Remove the lock that a killed Snakemake left in this folder.

``make reproduce`` calls ``python -m analysis unlock`` first. A Snakemake that still runs here
keeps its lock; the message names its process.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from autogrow.errors import UserError

LOCKS = Path(".snakemake/locks")


def is_locked(folder: Path) -> bool:
    """Return whether a Snakemake holds the folder, or held it when it was killed."""
    return any((folder / LOCKS).glob("*.lock"))


def living(folder: Path) -> Iterator[int]:
    """Yield the process IDs of the Snakemakes that run in a folder of this machine."""
    for process in psutil.process_iter():
        try:
            words = [Path(word).name for word in process.cmdline()[:3]]
            here = process.cwd() == os.path.realpath(folder)
        except psutil.Error:  # it has ended, or is another user's
            continue
        if here and "snakemake" in words and process.status() != psutil.STATUS_ZOMBIE:
            yield process.pid


def unlock(folder: Path) -> str | None:
    """Remove a killed Snakemake's lock; return what was done, None if there was no lock."""
    if not is_locked(folder):
        return None
    alive = next(living(folder), None)
    if alive is not None:
        raise UserError(
            f"{folder.resolve()}: Snakemake is running here (process {alive}); wait for it, or "
            "stop it"
        )
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--unlock"], cwd=folder, capture_output=True, text=True
    )
    if done.returncode:
        raise UserError(f"{folder.resolve()}: cannot be unlocked: {done.stderr.strip()[-500:]}")
    return f"{folder.resolve()}: removed the lock of a Snakemake that was killed"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command: it has none."""


def run(options: argparse.Namespace) -> int:
    """Unlock the current folder; return the exit status."""
    message = unlock(Path())
    if message:
        print(message)
    return 0
