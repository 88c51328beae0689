"""What Snakemake and process starts cost around the training itself."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from autogrow.errors import UserError
from autogrow.runs.folder import read_result

ROOT = Path(__file__).resolve().parents[1]
SEEDS = "seeds=[0,1,2,3,4]"


def outside_training(training: float, everything: float, cores: int) -> float:
    """Return the share of the core-seconds that neither trained nor evaluated."""
    return 1 - training / (cores * everything)


def overheads(scale: str, log: Path) -> list[str]:
    """Time the workflow in this checkout on all cores; ``results/out/<scale>`` is rebuilt.

    Returns the seconds of a dry run at ``paper`` and of a call with nothing to do, scale and
    cores, the seconds of everything and of training, and what was outside training. ``log``
    gets what Snakemake prints.

    Raises
    ------
    UserError
        If this is no checkout, or a call fails.
    """
    if not (ROOT / "Snakefile").exists():
        raise UserError(f"{ROOT / 'Snakefile'}: not found; the workflow needs a checkout")
    cores = os.cpu_count() or 1
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)

    def seconds(*arguments: str) -> float:
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores), *arguments]
        start = time.perf_counter()
        with log.open("a") as file:
            done = subprocess.run(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT)
        if done.returncode:
            raise UserError(f"{log}: snakemake {' '.join(arguments)} failed, see there")
        return time.perf_counter() - start

    plan = seconds("-n", "--quiet", "all", "--config", "scale=paper", SEEDS, "--", "all")
    scaled = ("--config", f"scale={scale}", "--", "all")
    everything = seconds("--forceall", *scaled)
    nothing = seconds(*scaled)
    summaries = (ROOT / "results" / "out" / scale / "runs").rglob("summary.json")
    contents = [read_result(file.parent) for file in summaries]
    training = sum(c.seconds_growing + c.seconds_finetuning for c in contents)
    outside = outside_training(training, everything, cores)
    calls = [f"{plan:.1f}", f"{nothing:.1f}", scale, str(cores)]
    return [*calls, f"{everything:.0f}", f"{training:.0f}", f"{outside:.2f}"]
