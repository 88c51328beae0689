"""Whole runs: AutoGrow's cost against training its found net from scratch, and snapshots'."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autogrow.config.spec import AutogrowSpec, ScratchSpec
from autogrow.runs.run import Execution, run
from benchmarks.pairs import Timing, time_pairs

# As in the paper, J and the epochs at the largest learning rate are half of fine-tuning's.
SHARED: dict[str, Any] = {"width": 8, "batch_size": 64}
EPOCHS = 12
GROWING: dict[str, Any] = {"K": 1, "J": EPOCHS // 2, "finetune_epochs": EPOCHS}
INTERVAL = 3
"""Epochs between snapshots: the shortest of the paper's (Figure 6)."""
DATA: dict[str, dict[str, Any]] = {
    "digits": {},
    "FashionMNIST": {"data_fraction": 0.05, "downscale": 2},
}


@dataclass(frozen=True)
class Cost:
    """Seconds of an AutoGrow run and of its found net from scratch, evaluation included.

    Parameters
    ----------
    data, found
        Data set, and depth of the found net.
    growing, finetuning, scratch
        Seconds.
    """

    data: str
    found: str
    growing: float
    finetuning: float
    scratch: float

    @property
    def ratio(self) -> float:
        """The whole AutoGrow run over training the found net from scratch."""
        return (self.growing + self.finetuning) / self.scratch


def autogrow_cost(data: str, execution: dict[str, Any]) -> Cost:
    """Carry out both runs with Basic3ResNet.

    Parameters
    ----------
    data
        ``digits`` or ``FashionMNIST``.
    execution
        Device and threads.

    Raises
    ------
    UserError
        If the data set is not on this machine.
    """
    shared = {"data": data, **SHARED, **DATA[data]}
    how = Execution(**execution, quiet=True)
    with tempfile.TemporaryDirectory() as folder:
        spec = AutogrowSpec(network="Basic3ResNet", **shared, **GROWING)
        grown = run(spec, Path(folder, "grown"), execution=how)
        baseline = ScratchSpec(network=grown["network"], **shared, epochs=EPOCHS)
        scratch = run(baseline, Path(folder, "scratch"), execution=how)
    return Cost(
        data,
        grown["depth"],
        grown["seconds_growing"],
        grown["seconds_finetuning"],
        scratch["seconds_finetuning"],
    )


def snapshot_cost(pairs: int, execution: dict[str, Any]) -> Timing:
    """Time a run with snapshots every ``INTERVAL`` epochs (ours) and without any (theirs).

    Parameters
    ----------
    pairs
        How many pairs are counted.
    execution
        Device and threads.
    """
    how = Execution(**execution, quiet=True, restart=True)

    def train(snapshots: int) -> None:
        spec = ScratchSpec(
            network="Basic3ResNet-3-3-3", data="digits", epochs=2 * INTERVAL, snapshots=snapshots
        )
        with tempfile.TemporaryDirectory() as folder:
            run(spec, folder, execution=how)

    return time_pairs(lambda: train(INTERVAL), lambda: train(0), pairs)
