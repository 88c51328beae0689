"""Which finished runs had levelled off: by curves of runs that are made up."""

import csv

import pytest
from made_up_summaries import made_up_summary, write_result

from analysis.__main__ import main
from analysis.experiments.catalogue import load_catalogue
from autogrow.files.writing import write_csv
from autogrow.training.metrics import METRICS_HEADER

RISING, FLAT = [10, 20, 30, 40, 50], [10, 60, 70, 70.2, 70.4]


def finish(folder, run, seed, accuracies, **summary):
    """A run with these test accuracies in its fine-tuning, after epochs that do not count."""
    place = folder / "runs" / run / f"seed{seed}"
    before = [("growing", "1-1-1", 5), ("adaminit", "2-1-1", "")]
    rows = []
    epochs = [*before, *(("finetuning", "2-1-1", a + seed) for a in accuracies)]
    for number, (phase, depth, accuracy) in enumerate(epochs, start=1):
        cells = {"epoch": number, "phase": phase, "depth": depth, "test_accuracy": accuracy}
        rows.append([cells.get(column, "") for column in METRICS_HEADER])
    write_csv(place / "metrics.csv", METRICS_HEADER, rows)
    write_result(place, made_up_summary("Basic3ResNet-2-1-1", seed=seed, **summary))
    return place


@pytest.fixture
def levelling(tmp_path, call):
    """Say of the runs of table 6 at `smoke` whether they had levelled off."""
    runs = load_catalogue("smoke").tables["table6"].runs

    def lines(*seeds):
        told = call(main, "levelling", "--scale", "smoke", "--folder", tmp_path, "--seeds", *seeds)
        by_run = {line["run"]: line for line in csv.DictReader(told.out.splitlines())}
        return told, by_run

    return runs, lines


def test_what_the_last_fifth_adds_is_compared_with_the_spread_of_the_seeds(levelling, tmp_path):
    (flat, rising, one, *_), lines = levelling
    for seed in (0, 1, 2):
        finish(tmp_path, flat, seed, FLAT)
        finish(tmp_path, rising, seed, RISING)
    finish(tmp_path, one, 1, FLAT)
    told, found = lines(0, 1, 2)
    assert told.status == 0
    assert set(found) == {flat, rising, one}
    assert found[flat] == {
        **{"run": flat, "seeds": "3", "diverged": "0", "accuracy": "71.40", "spread": "1.00"},
        **{"last_fifth": "0.20", "levelled_off": "yes", "train_accuracy": "95.00"},
    }
    assert (found[rising]["last_fifth"], found[rising]["levelled_off"]) == ("10.00", "no")
    assert (found[one]["seeds"], found[one]["spread"], found[one]["levelled_off"]) == ("1", "", "")
    assert "levelled off: 1 of 2 with two seeds or more; diverged: 0\n" in told.err


def test_a_run_that_diverged_is_counted_and_left_out(levelling, tmp_path):
    (run, *_), lines = levelling
    lost = {"status": "diverged", "diverged_after": 3}
    finish(tmp_path, run, 0, FLAT)
    finish(tmp_path, run, 1, RISING, **lost)
    _, found = lines(0, 1)
    assert (found[run]["diverged"], found[run]["accuracy"]) == ("1", "70.40")
    finish(tmp_path, run, 0, FLAT, **lost)
    told, found = lines(0, 1)
    assert (found[run]["diverged"], found[run]["accuracy"]) == ("2", "")
    assert "diverged: 2\n" in told.err


def test_damaged_metrics_end_in_one_line(levelling, tmp_path):
    (run, *_), lines = levelling
    place = finish(tmp_path, run, 0, [50, 60])
    file = place / "metrics.csv"
    file.write_text(file.read_text().replace(",60", ",many"))
    told, _ = lines(0)
    assert (told.status, told.out, told.err.count("\n")) == (2, "", 1)
    assert str(file) in told.err
