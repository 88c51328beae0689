"""Runs that lost their training: finite losses, but an accuracy that no neighbour has.

A collapsed network, whose loss stays finite, is not diverged; unmarked it would pass for a result.
"""

from __future__ import annotations

import statistics

from analysis.experiments.catalogue import Table
from analysis.results.summaries import Results

MARGIN = 30.0
"""Percentage points of training accuracy."""


def lost_training(table: Table, results: Results) -> dict[str, int]:
    """Return how many runs of each row lost their training, whatever their role and seed.

    The last training accuracy of such a run is more than 30 points below the median of all runs
    of the table on the same of the paper's data sets. Runs that diverged do not count.
    """
    measured: dict[str, dict[tuple[str, int], float]] = {}
    for row in table.rows:
        neighbours = measured.setdefault(row.paper_dataset, {})
        for run in row.runs.values():
            for summary in results.summaries(run):
                if summary.final_train_accuracy is not None and not summary.diverged:
                    neighbours[run, summary.seed] = summary.final_train_accuracy
    lost: set[tuple[str, int]] = set()
    for accuracies in measured.values():
        if accuracies:
            least = statistics.median(accuracies.values()) - MARGIN
            lost |= {run for run, accuracy in accuracies.items() if accuracy < least}
    return {
        row.name: sum((run, seed) in lost for run in row.runs.values() for seed in results.seeds)
        for row in table.rows
    }
