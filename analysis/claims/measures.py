"""What is measured on the curve of a run for a claim; docs/claims.md defines each measure.

Each returns a number, NaN where the run has none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import fmean, median

import numpy as np

from analysis.results.csvfiles import check_columns, read_csv
from analysis.results.published import published_resnets
from analysis.results.summaries import CountedSummary
from autogrow.config.resolved import ResolvedAutogrow
from autogrow.errors import UserError, shown
from autogrow.runs.curves import read_curve
from autogrow.runs.folder import SPEC, read_spec, require_finished
from autogrow.training.metrics import METRICS

SINGLE_CROP = "torchvision"
"""The source of published accuracies that were measured on one crop of an image."""


def adaminit_change(folder: Path, summary: CountedSummary) -> float:
    """Return the change of training accuracy from before a growth to after its AdamInit (points).

    It is the mean over all AdamInits of the run.
    """
    changes = [use.train_accuracy - use.old_train_accuracy for use in summary.adaminit]
    return fmean(changes) if changes else math.nan


def recovery(folder: Path, summary: CountedSummary) -> float:
    """Return what the K epochs after a growth gain over the epoch before it (points).

    It is the best validation accuracy of the K epochs less that of the epoch before the growth,
    median over the growths.
    """
    spec = _grown(folder)
    epochs = [epoch for epoch in _epochs(folder, "phase", "depth") if epoch["phase"] == "growing"]
    accuracies = [float(epoch["val_accuracy"]) for epoch in epochs]
    gains = [
        max(accuracies[k : k + spec.K]) - accuracies[k - 1]
        for k in range(1, len(epochs))
        if epochs[k]["depth"] != epochs[k - 1]["depth"]
    ]
    return median(gains) if gains else math.nan


def growing_minus_finetuning(folder: Path, summary: CountedSummary) -> float:
    """Return how much the last J epochs of growing are above fine-tuning at their rate (points).

    Both are mean validation accuracies; convergent growth has no J.
    """
    spec = _grown(folder)
    epochs = _epochs(folder, "phase", "lr")
    growing = [epoch for epoch in epochs if epoch["phase"] == "growing"]
    if not growing or spec.J is None:
        return math.nan
    rate = growing[-1]["lr"]
    after = [e for e in epochs if e["phase"] == "finetuning" and e["lr"] == rate]
    if not after:
        return math.nan
    return _mean_accuracy(growing[-spec.J :]) - _mean_accuracy(after)


def tradeoff_gain(folder: Path, summary: CountedSummary) -> float:
    """Return Top-1 less that of published ResNets with as many multiply-adds (points).

    Theirs is interpolated linearly over the logarithm of multiply-adds; a smaller or larger
    network than all of them has no such number.
    """
    published = published_resnets()
    resnets = published[published["source"] == SINGLE_CROP].sort_values("flops")
    if summary.accuracy is None or summary.flops <= 0:
        return math.nan
    theirs = np.interp(
        math.log(summary.flops),
        np.log(resnets["flops"]),
        resnets["top1"],
        left=math.nan,
        right=math.nan,
    )
    return summary.accuracy - float(theirs)


MEASURES: Mapping[str, Callable[[Path, CountedSummary], float]] = {
    "adaminit_change": adaminit_change,
    "recovery": recovery,
    "growing_minus_finetuning": growing_minus_finetuning,
    "tradeoff_gain": tradeoff_gain,
}
"""Those of curves; trajectories and surfaces are drawn for one seed, and none is judged on them."""


def _grown(folder: Path) -> ResolvedAutogrow:
    """Return the spec of a run that grows, after a check of the files that are read."""
    require_finished(folder, SPEC, METRICS)
    spec = read_spec(folder)
    if not isinstance(spec, ResolvedAutogrow):
        raise UserError(f"{folder / SPEC}: kind: found {shown(spec.kind)}; allowed: autogrow")
    return spec


def _epochs(folder: Path, *columns: str) -> list[dict[str, str]]:
    """Return the epochs of a run with these columns and their validation accuracy."""
    file = folder / METRICS
    header, lines = read_csv(file)
    check_columns(file, header, [*columns, "val_accuracy"])
    read_curve(file)  # reports a malformed accuracy with its line
    return lines


def _mean_accuracy(epochs: list[dict[str, str]]) -> float:
    return fmean(float(epoch["val_accuracy"]) for epoch in epochs)
