"""``python -m analysis judge`` on made-up summaries, on the paper's numbers, and on mistakes."""

import functools
import math

import pytest
from damage import told_in_one_line
from diverged import diverge
from made_up_runs import make_run
from made_up_summaries import made_up_summary, write_curve, write_result, write_spec

from analysis.__main__ import main
from analysis.claims.kinds import Series
from analysis.claims.measures import growing_minus_finetuning, recovery, tradeoff_gain
from analysis.claims.values import ABSENT, BOUND, DIVERGED, FinishedRuns
from analysis.experiments.catalogue import load_catalogue
from analysis.results.published import published_resnets
from analysis.results.summaries import Results

catalogue = functools.cache(load_catalogue)


def series(table, column, **rows):
    return Series.model_validate({"table": table, "rows": rows, "column": column})


def make(folder, run, seed, curve=None, **values):
    """A finished run of a network 2-1-1, or never grown on a curve."""
    place = folder / "runs" / run.id / f"seed{seed}"
    write_spec(place, run, seed)
    if curve:
        write_curve(place, curve)
    name = f"{run.spec.architecture.name}-2-1-1"
    write_result(place, made_up_summary(name, kind=run.spec.kind, seed=seed, **values))
    return place


@pytest.fixture
def table5(tmp_path):
    """The first row of Table 5 (K = 50) with two of three seeds, the second of which diverged."""
    [row, *_] = catalogue("paper").tables["table5"].rows
    runs = catalogue("paper").runs
    for seed in (0, 1):
        place = make(tmp_path, runs[row.runs["main"]], seed, best_test_accuracy=91.5)
        if seed:
            diverge(place, 1)
    make(tmp_path, runs[row.runs["never_grown"]], 0, [50.0] * 300)
    return FinishedRuns(catalogue("paper"), tmp_path, [0, 1, 2])


def test_values_of_each_seed_and_why_others_are_missing(table5):
    def found(column, basis):
        values = table5.values(series("table5", column, K=50, dataset="CIFAR10"), basis)
        return [value.missing or value.number for value in values]

    assert found("accuracy", "paper") == [91.5, DIVERGED, ABSENT]
    assert found("accuracy", "protocol") == [80.0, DIVERGED, ABSENT]
    assert found("found_net", "paper")[0] == 4
    assert found("seconds_growing", "paper")[0] == 1.5
    assert found("depth_minus_null", "depth_minus_null")[0] == 4 - 7  # the null is 3-2-2
    assert table5.remarks() == ["growing was steered by the test set, on every basis"]


def test_a_null_that_had_not_stopped_is_no_value(table5, tmp_path):
    [row, *_] = catalogue("paper").tables["table5"].rows
    place = tmp_path / "runs" / row.runs["never_grown"] / "seed0"
    write_curve(place, [50.0] * 130)
    write_result(place, (place / "summary.json").read_text())
    asked = series("table5", "depth_minus_null", K=50, dataset="CIFAR10")
    again = FinishedRuns(catalogue("paper"), tmp_path, [0])
    assert [value.missing for value in again.values(asked, "depth_minus_null")] == [BOUND]


def test_what_is_measured_on_curves(tmp_path):
    """Validation accuracies 40, 55, then 54 after the growth, and 65.1 in fine-tuning."""
    [row] = catalogue("paper").tables["figure2"].rows
    run = catalogue("paper").runs[row.runs["main"]]
    make_run(tmp_path, run, 0)
    results = Results(tmp_path, [0], "final")
    [summary] = results.summaries(run.id)
    folder = results.run_folder(run.id, 0)
    assert recovery(folder, summary) == -1
    # Learning rates are not told there: all epochs have one.
    wanted = (40 + 55 + 54) / 3 - 65.1234
    assert growing_minus_finetuning(folder, summary) == pytest.approx(wanted)


def test_the_gain_over_published_resnets(tmp_path):
    resnets = published_resnets().query("source == 'torchvision'").sort_values("flops")
    one, other = resnets.iloc[0], resnets.iloc[1]
    [run, *_] = catalogue("paper").runs.values()
    between = round(math.sqrt(one["flops"] * other["flops"]))
    for flops, gain in ((between, 80 - (one["top1"] + other["top1"]) / 2), (10**6, math.nan)):
        make(tmp_path, run, 0, flops=flops)
        [summary] = Results(tmp_path, [0], "final").summaries(run.id)
        found = tradeoff_gain(tmp_path, summary)
        assert found == pytest.approx(gain, abs=1e-6, nan_ok=True)


def test_the_papers_own_numbers(call, tmp_path, rows):
    told = call(main, "judge", "--paper", "--folder", str(tmp_path))
    assert (told.status, told.err) == (0, "")
    assert "supported: 2 (C19, C26)" in told.out
    assert "contradicted: 0" in told.out
    assert "Basic3ResNet-24-24-24 from scratch 94.26 % (released code)" in told.out
    lines = {line["id"]: line for line in rows(tmp_path / "claims/claims.csv")}
    assert {line["basis"] for line in lines.values()} == {"paper"}
    assert {name[0] for name in lines} == {"C"}  # none of this suite's own
    assert lines["C02"]["effect"] == "0.010"  # 42-42-42 has 94.27
    assert lines["C03"]["effect"] == "-0.270"  # 48-48-48 has 94.54
    assert "the depth frontier is flat: 9: 92.96" in lines["C03"]["reason"]
    assert lines["C24"]["reason"] == "one seed has no spread"
    assert lines["C05"]["verdict"] == "not testable at this scale"


def test_smoke_supports_and_contradicts_nothing(call, tmp_path):
    told = call(main, "judge", "--scale", "smoke", "--folder", str(tmp_path))
    assert told.status == 0
    assert "supported: 0\ncontradicted: 0\nundecided: 0\n" in told.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "one of the arguments --scale --paper is required"),
        (["--scale", "mini", "--folder", "nowhere"], "nowhere"),
        (["--scale", "tiny"], "tiny"),
        (["--scale", "mini", "--folder", ".", "--seeds", "1", "1"], "allowed: each seed once"),
        (["--scale", "mini", "--folder", ".", "--data-source", "x"], "--data-source: found"),
    ],
)
def test_a_mistake_is_one_line(call, arguments, told):
    assert told in told_in_one_line(call(main, "judge", *arguments))


def test_a_damaged_run_is_one_line(call, tmp_path):
    row = catalogue("mini").tables["table5"].rows[0]
    place = make(tmp_path, catalogue("mini").runs[row.runs["main"]], 0)
    (place / "summary.json").write_text("{")
    told = told_in_one_line(call(main, "judge", "--scale", "mini", "--folder", str(tmp_path)))
    assert str(place / "summary.json") in told
