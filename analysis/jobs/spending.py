"""What finished runs have cost, and what that says of the ones that are left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.experiments.planned_runs import Run
from analysis.jobs.estimates import epoch_flops
from analysis.jobs.resources import kind_of
from analysis.results.csvfiles import check_columns, read_csv
from autogrow.networks.names import NetworkName, parse_depth
from autogrow.runs.folder import SPEC, finished
from autogrow.runs.summary import SUMMARY, read_summary
from autogrow.training.metrics import METRICS


@dataclass(frozen=True)
class Cost:
    """Epochs (AdamInit's are counted), their multiply-adds, and seconds on all devices."""

    epochs: int
    flops: float
    seconds: float


def spent(run: Run, folder: Path) -> Cost | None:
    """Return what a run in a folder has cost, None if it is not finished.

    Raises
    ------
    UserError
        If its files are damaged.
    """
    seal = finished(folder)
    if seal is None:
        return None
    seal.check(SPEC, SUMMARY, METRICS)
    summary = read_summary(folder / SUMMARY)
    header, epochs = read_csv(folder / METRICS)
    check_columns(folder / METRICS, header, ["depth"])
    architecture = run.spec.architecture
    names = [NetworkName(architecture, parse_depth(e["depth"], architecture)) for e in epochs]
    seconds = summary.seconds_growing + summary.seconds_finetuning
    flops = sum(epoch_flops(run.spec, name) for name in names)
    return Cost(len(names), flops, seconds * summary.processes)


def kind(run: Run) -> str:
    """Return the kind of a run, in which plans are wrong alike: what it does on what network."""
    what = run.spec.kind if run.depth_of is None else "as deep"
    return f"{what} {kind_of(run.spec)}"


def ratios(frame: pd.DataFrame, by: str, over: str, under: str) -> dict[str, float]:
    """Return the sum of one column over that of another, by a third, where both are above 0."""
    sums = frame.groupby(by)[[over, under]].sum()
    sums = sums[(sums > 0).all(axis=1)]
    return dict(sums[over] / sums[under])
