"""metrics.csv: one row for each epoch of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autogrow.files.writing import write_csv
from autogrow.growth.algorithm import Trial

METRICS = "metrics.csv"
Phase = Literal["growing", "finetuning", "training", "adaminit", "twin"]
BESIDE: tuple[Phase, ...] = ("adaminit", "twin")
"""Phases whose rows repeat the number of a row before them: they are no epochs of their own."""


@dataclass(frozen=True)
class Epoch:
    """A row of metrics.csv; losses are mean cross-entropies, accuracies percent.

    Parameters
    ----------
    epoch
        Epochs trained so far, from 1. AdamInit's epochs are not counted: its
        rows repeat the epoch after which the network grew. Nor are those of a twin, whose
        row follows that of the network that grew.
    phase
        Purpose of the epoch.
    depth
        Depth at which the network was trained, as ``2-1-1``.
    lr
        Learning rate.
    train_loss, train_accuracy
        Over the augmented batches as they were trained on.
    val_loss, val_accuracy, test_accuracy
        In evaluation mode after the epoch; not measured in AdamInit. Under the
        protocol ``paper`` the validation set is the test set. NaN accuracies: training
        or validation loss was not finite.
    best_val_accuracy
        Running maximum over the run.
    seconds
        Wall time, growth, evaluation and checkpoint included.
    test_top5
        Top-5 accuracy; for summary.json, not a column.
    skipped
        Damaged images left out of the three sets; likewise.
    trial
        In the twin's row, how it and the network that grew did on the same validation images;
        columns of a run whose growths were on trial alone.

    Examples
    --------
    >>> import autogrow
    >>> autogrow.Epoch(1, "growing", "2-1", 0.1, 0.9, 60.0, 1.0, 55.0, 54.0, 55.0, 2.5).finite
    True
    """

    epoch: int
    phase: Phase
    depth: str
    lr: float
    train_loss: float
    train_accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    test_accuracy: float | None
    best_val_accuracy: float
    seconds: float
    test_top5: float | None = None
    skipped: int = 0
    trial: Trial | None = None

    @property
    def beside(self) -> bool:
        """Whether the row repeats another one's number."""
        return self.phase in BESIDE

    @property
    def finite(self) -> bool:
        """Whether the losses are finite: an epoch with another one has diverged."""
        return math.isfinite(self.train_loss) and math.isfinite(self.val_loss or 0.0)

    def row(self) -> list[str]:
        """Return the row's cells, decimals fixed; accuracies as they were decided on."""
        return [
            str(self.epoch),
            self.phase,
            self.depth,
            f"{self.lr:.8g}",
            _cell(self.train_loss, 6),
            _cell(self.train_accuracy, 4),
            _cell(self.val_loss, 6),
            _cell(self.val_accuracy, 4),
            _cell(self.test_accuracy, 4),
            _cell(self.best_val_accuracy, 4),
            _cell(self.seconds, 3),
        ]


UNWRITTEN = ("test_top5", "skipped", "trial")
TRIAL_HEADER = [f"trial_{name}" for name in Trial._fields]
METRICS_HEADER = [n for n in Epoch.__dataclass_fields__ if n not in UNWRITTEN]


def _cell(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"


def write_metrics(folder: Path, epochs: Sequence[Epoch], *, sync: bool = False) -> None:
    """Write metrics.csv; where growths were on trial, with the columns of a trial."""
    header, rows = METRICS_HEADER, (e.row() for e in epochs)
    if any(e.trial for e in epochs):
        header = [*header, *TRIAL_HEADER]
        rows = ([*e.row(), *map(str, e.trial or [""] * len(TRIAL_HEADER))] for e in epochs)
    write_csv(folder / METRICS, header, rows, sync=sync)
