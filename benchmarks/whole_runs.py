"""Whole runs: AutoGrow against its found net from scratch, and the costs of snapshots and start."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from autogrow.config.spec import AutogrowSpec, ScratchSpec
from autogrow.runs.run import Execution, run
from benchmarks.pairs import Timing, time_pairs

SHARED: dict[str, Any] = {"width": 8, "batch_size": 64}
EPOCHS = 12
# As in the paper, J and the epochs at the largest learning rate are half of fine-tuning's.
GROWING: dict[str, Any] = {"K": 1, "J": EPOCHS // 2, "finetune_epochs": EPOCHS}
INTERVAL = 3
"""Epochs between snapshots: the shortest of the paper's (Figure 6)."""
DATA: dict[str, dict[str, Any]] = {
    "digits": {},
    "FashionMNIST": {"data_fraction": 0.05, "downscale": 2},
}
TINY = "--network Basic3ResNet-1-1-1 --data digits --data-fraction 0.05 --width 2 --epochs 1"


class Cost(NamedTuple):
    """Seconds of an AutoGrow run and of its found net from scratch, evaluation included."""

    found: str
    growing: float
    finetuning: float
    scratch: float

    @property
    def ratio(self) -> float:
        """The whole AutoGrow run over training the found net from scratch."""
        return (self.growing + self.finetuning) / self.scratch


def autogrow_cost(data: str, options: argparse.Namespace) -> Cost:
    """Grow Basic3ResNet on a data set and train what was found from scratch.

    Raises
    ------
    UserError
        If the data set is not on this machine.
    """
    shared = {"data": data, **SHARED, **DATA[data]}
    how = Execution(device=str(options.device), threads=options.threads, quiet=True)
    with tempfile.TemporaryDirectory() as folder:
        spec = AutogrowSpec(network="Basic3ResNet", **shared, **GROWING)
        grown = run(spec, Path(folder, "grown"), execution=how)
        baseline = ScratchSpec(network=grown["network"], **shared, epochs=EPOCHS)
        scratch = run(baseline, Path(folder, "scratch"), execution=how)
    growing, finetuning = grown["seconds_growing"], grown["seconds_finetuning"]
    return Cost(grown["depth"], growing, finetuning, scratch["seconds_finetuning"])


def snapshot_cost(options: argparse.Namespace) -> Timing:
    """Time a run without snapshots, and with one every ``INTERVAL`` epochs."""
    how = Execution(device=str(options.device), threads=options.threads, quiet=True)
    spec = ScratchSpec(network="Basic3ResNet-3-3-3", data="digits", epochs=2 * INTERVAL)

    def train(snapshots: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            run(spec.model_copy(update={"snapshots": snapshots}), folder, execution=how)

    return time_pairs(lambda: train(0), lambda: train(INTERVAL), options.pairs)


def startup_cost(options: argparse.Namespace) -> Timing:
    """Time ``import torch`` and a run of a single epoch of 72 images, each as a process."""
    with tempfile.TemporaryDirectory() as folder:
        tiny = f"train {TINY} --threads 1 --quiet --restart --out {folder}/run".split()
        return time_pairs(
            lambda: _python("-c", "import torch"),
            lambda: _python("-m", "autogrow", *tiny),
            options.pairs,
        )


def _python(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True)
