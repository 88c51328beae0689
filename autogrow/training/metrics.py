"""metrics.csv: one row for each epoch of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autogrow.files.writing import write_csv

METRICS = "metrics.csv"
Phase = Literal["growing", "finetuning", "training", "adaminit"]


@dataclass(frozen=True)
class Epoch:
    """A row of metrics.csv; losses are mean cross-entropies, accuracies percent.

    Parameters
    ----------
    epoch
        Epochs trained so far, from 1. AdamInit's epochs are not counted: its
        rows repeat the epoch after which the network grew.
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


METRICS_HEADER = [n for n in Epoch.__dataclass_fields__ if n not in ("test_top5", "skipped")]


def _cell(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"


def write_metrics(folder: Path, epochs: Sequence[Epoch], *, sync: bool = False) -> None:
    """Write metrics.csv."""
    write_csv(folder / METRICS, METRICS_HEADER, (e.row() for e in epochs), sync=sync)
