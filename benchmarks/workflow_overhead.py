"""What Snakemake and process starts cost around the training itself."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from autogrow.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
SEEDS = "seeds=[0,1,2,3,4]"


@dataclass(frozen=True)
class Overheads:
    """Seconds of Snakemake calls.

    Parameters
    ----------
    plan_paper
        A dry run of everything at ``paper`` with five seeds.
    everything
        Everything at ``scale``, rebuilt.
    training
        Training and evaluation in it, summed over the runs, each on one core.
    nothing
        The same call again.
    scale, cores
        What was run, on how many cores.
    """

    plan_paper: float
    everything: float
    training: float
    nothing: float
    scale: str
    cores: int

    @property
    def outside(self) -> float:
        """Share of the core-seconds that neither trained nor evaluated."""
        return 1 - self.training / (self.cores * self.everything)


def overheads(scale: str, cores: int, log: Path) -> Overheads:
    """Time the workflow in this checkout; ``results/out/<scale>`` is rebuilt.

    Parameters
    ----------
    scale
        ``smoke`` or ``mini``.
    cores
        For Snakemake.
    log
        Gets what Snakemake prints.

    Raises
    ------
    UserError
        If this is no checkout, or a call fails.
    """
    if not (ROOT / "Snakefile").exists():
        raise UserError(f"{ROOT / 'Snakefile'}: not found; the workflow needs a checkout")
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
    contents = [json.loads(file.read_text()) for file in summaries]
    training = sum(c["seconds_growing"] + c["seconds_finetuning"] for c in contents)
    return Overheads(plan, everything, training, nothing, scale, cores)
