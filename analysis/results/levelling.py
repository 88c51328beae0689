"""Say of each finished run whether its training had levelled off at its end.

``python -m analysis levelling --scale mini --seeds 0 1 2 3 4`` prints a CSV with a line for each
finished run of the catalogue. docs/reproducing.md explains the columns. What grows is looked at in
its fine-tuning, and a morph after its growth.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
from pathlib import Path

from analysis.commandline import add_campaign, seeds
from analysis.experiments.campaigns import named_campaign
from analysis.experiments.scales import SCALES
from analysis.results.csvfiles import check_columns, read_csv, read_numbers
from analysis.results.summaries import Results
from autogrow.errors import UserError
from autogrow.runs.folder import require_finished
from autogrow.runs.summary import SUMMARY
from autogrow.training.metrics import BESIDE, METRICS

HEADER = (
    *("run", "seeds", "diverged", "accuracy", "spread", "last_fifth", "levelled_off"),
    "train_accuracy",
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--scale", choices=SCALES, required=True)
    add_campaign(parser)


def run(options: argparse.Namespace) -> int:
    """Print a line for each finished run and, on stderr, their counts; return the exit status."""
    folder, catalogue = named_campaign(options)
    results = Results(folder, seeds(options), "final")
    lines = [line for run in catalogue.runs if (line := levelling(run, results)) is not None]
    table = csv.DictWriter(sys.stdout, HEADER, lineterminator="\n")
    table.writeheader()
    table.writerows(lines)
    judged = [line["levelled_off"] for line in lines if line["levelled_off"]]
    diverged = sum(int(str(line["diverged"])) for line in lines)
    print(
        f"{len(lines)} of {len(catalogue.runs)} runs are finished; levelled off: "
        f"{judged.count('yes')} of {len(judged)} with two seeds or more; diverged: {diverged}",
        file=sys.stderr,
    )
    return 0


def levelling(run: str, results: Results) -> dict[str, object] | None:
    """Return the line of a run over its finished seeds; None if there is none.

    ``last_fifth`` is what the last fifth of the epochs added to the test accuracy, ``spread`` the
    standard deviation of the last accuracies over the seeds. The run had levelled off if the mean
    of the first is at most the second; with one seed nobody knows.
    """
    finished = [s for s in results.seeds if (results.run_folder(run, s) / SUMMARY).exists()]
    if not finished:
        return None
    own = Results(results.folder, finished, results.accuracy)
    summaries = [s for s in own.summaries(run) if not s.diverged]
    line: dict[str, object] = {"run": run, "seeds": len(finished)}
    line["diverged"] = len(finished) - len(summaries)
    curves = [_last_accuracies(own.run_folder(run, s.seed)) for s in summaries]
    if curves:
        added = statistics.fmean(c[-1] - c[(4 * len(c) - 1) // 5] for c in curves)
        line["accuracy"] = f"{statistics.fmean(c[-1] for c in curves):.2f}"
        line["last_fifth"] = f"{added:.2f}"
        trained = [s.final_train_accuracy for s in summaries if s.final_train_accuracy is not None]
        line["train_accuracy"] = f"{statistics.fmean(trained):.2f}" if trained else ""
        if len(curves) > 1:
            spread = statistics.stdev(c[-1] for c in curves)
            line |= {"spread": f"{spread:.2f}", "levelled_off": "yes" if added <= spread else "no"}
    return dict.fromkeys(HEADER, "") | line


def _last_accuracies(folder: Path) -> list[float]:
    """Return the test accuracy of each epoch of a run's last network and phase."""
    require_finished(folder, METRICS)
    file = folder / METRICS
    header, lines = read_csv(file)
    check_columns(file, header, ("phase", "depth", "test_accuracy"))
    accuracies = read_numbers(file, lines, "test_accuracy")
    epochs = [
        ((line["phase"], line["depth"]), accuracy)
        for line, accuracy in zip(lines, accuracies, strict=True)
        if line["phase"] not in BESIDE
    ]
    if not epochs:
        raise UserError(f"{file}: found no epoch; allowed: one or more")
    last, _ = epochs[-1]
    return [accuracy for network, accuracy in epochs if network == last]
