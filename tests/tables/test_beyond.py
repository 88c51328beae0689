"""Schedule null, equal compute, selection audit and frontier, from made-up runs."""

import dataclasses
import json

import pandas as pd
import pytest
from diverged import diverge
from made_up_summaries import made_up_summary, write_curve, write_result, write_spec
from scipy import stats

from analysis.experiments.catalogue import load_catalogue
from analysis.results.nulls import schedule_null
from analysis.results.summaries import Results
from analysis.tables.beyond import null_cells
from analysis.tables.build import build_table
from analysis.tables.formats import latex, markdown
from analysis.tables.frontier import interval
from autogrow.errors import UserError
from autogrow.files.yaml import read_yaml, yaml_text

SEEDS = [0, 1, 2]
VALUES = {
    "table5": ("found_net", "accuracy"),
    "table6": ("found_net", "accuracy", "delta"),
    "table9": ("depth", "accuracy"),
}


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue("paper")


@pytest.fixture
def make(catalogue, tmp_path):
    """Return a table of its first rows; runs have the values that are given by their roles."""

    def call(name, rows, scores=None, curve=(50.0,) * 130, depth="9-9-9", seeds=SEEDS):
        table = catalogue.tables[name]
        rows = tuple(table.rows[i] for i in rows)
        # Values of its own: the paper's numbers are for all rows.
        table = dataclasses.replace(table, rows=rows, values=table.values or VALUES[name])
        for row in table.rows:
            for role, run in row.runs.items():
                spec = catalogue.runs[run].spec
                for seed in seeds:
                    folder = tmp_path / "runs" / run / f"seed{seed}"
                    write_spec(folder, catalogue.runs[run], seed)
                    if role == "never_grown":
                        write_curve(folder, curve)
                    values = {"kind": spec.kind, "seed": seed}
                    if scores is not None:
                        values |= scores(row, role, seed)
                    network = f"{spec.architecture.name}-{depth}"
                    write_result(folder, made_up_summary(network, **values))
        results = Results(tmp_path, seeds, "best")
        frame = build_table(table, catalogue, results)
        for text in (
            markdown(table, frame, catalogue, results),
            latex(table, frame, catalogue, results),
        ):
            assert "nan" not in text
        return frame, results, table

    return call


def test_the_null_is_the_schedule_on_a_curve_without_growth(make):
    """A flat curve, J = 100: K = 50 grows at 50, 100, 150, 200, stops at 150, 200, 250."""
    frame, *_ = make("table5", [0, 4], curve=[50.0] * 300)
    assert list(frame["K"]) == ["50", "3"]
    assert list(frame["null_depth"]) == ["; ".join(["3-2-2"] * 3), "; ".join(["13-13-12"] * 3)]
    assert list(frame["depth_minus_null"]) == ["20.0", "-11.0"]
    assert list(frame["depth_minus_null_std"]) == ["0.0", "0.0"]
    assert list(frame.columns).index("null_depth") > list(frame.columns).index("found_net")


def test_a_null_that_had_not_stopped_is_a_lower_bound(make):
    frame, results, table = make("table5", [0], curve=[50.0] * 130)
    row = frame.iloc[0]
    assert row["null_depth"] == "; ".join([">=2-2-1"] * 3)
    assert (row["depth_minus_null"], row["depth_minus_null_std"]) == ("<=22.0", "")
    # One seed is enough to make the mean a bound.
    folder = results.run_folder(table.rows[0].runs["never_grown"], 1)
    write_curve(folder, [50.0] * 300)
    write_result(folder, json.loads((folder / "summary.json").read_text()))
    cells = null_cells(table.rows[0], Results(results.folder, SEEDS, "best"))
    assert cells["null_depth"] == ">=2-2-1; 3-2-2; >=2-2-1"
    assert cells["depth_minus_null"] == "<=21.3"


def test_a_null_keeps_to_the_budgets_that_need_no_clock(make):
    """K = 50: after the check at 100 the next epochs would pass 130."""
    _, results, table = make("table5", [0], curve=[50.0] * 300)
    folder = results.run_folder(table.rows[0].runs["main"], 0)
    spec = read_yaml(folder / "spec.yaml") | {"max_epochs": 130, "max_hours": 1e-9}
    (folder / "spec.yaml").write_text(yaml_text(spec))
    write_result(folder, json.loads((folder / "summary.json").read_text()))
    null = schedule_null(table.rows[0], results, 0)
    assert (null.text, null.epochs) == ("2-1-1", 100)


def test_a_curve_that_was_changed_is_no_null(make):
    _, results, table = make("table5", [0])
    file = results.run_folder(table.rows[0].runs["never_grown"], 1) / "metrics.csv"
    file.write_text(file.read_text().replace("50.0", "51.0", 1))
    with pytest.raises(UserError, match=str(file)):
        schedule_null(table.rows[0], results, 1)


def test_a_run_that_diverged_while_growing_is_not_compared_with_its_null(make):
    _, results, table = make("table5", [0], curve=[50.0] * 300)
    for seed in SEEDS:
        diverge(results.run_folder(table.rows[0].runs["main"], seed), 1)
    cells = null_cells(table.rows[0], Results(results.folder, SEEDS, "best"))
    assert cells["depth_minus_null"] == "diverged"


def test_equal_compute_stands_beside_the_papers_baseline(make):
    """The found net at equal compute is 0.5 points below AutoGrow, the paper's baseline 2."""
    below = {"main": 0.0, "scratch": 2.0, "equal_compute": 0.5, "never_grown": 30.0}

    def scores(row, role, seed):
        return {"best_accuracy": 90.0 + seed - below[role]}

    frame, *_ = make("table6", [0], scores)
    row = frame.iloc[0]
    assert (row["delta"], row["delta_equal_compute"]) == ("2.00", "0.50")
    assert (row["equal_compute_accuracy"], row["equal_compute_accuracy_std"]) == ("90.50", "1.00")
    frame, *_ = make("table9", range(2), lambda row, role, seed: {}, depth="2-2-2-2")
    assert list(frame["delta_equal_compute"]) == ["", "0.00"]  # of AutoGrow's row alone
    assert "null_depth" not in frame.columns


def test_what_choosing_on_the_test_set_gives_and_to_whom(make):
    def scores(row, role, seed):
        gain = {"main": 0.6, "scratch": 0.2}[role]
        return {"final_accuracy": 90.0, "best_test_accuracy": 90.0 + gain}

    frame, *_ = make("selection_audit", [0, 1], scores)
    assert list(frame["protocol"]) == ["paper", "holdout"]
    gains = frame[["selection_gain", "baseline_selection_gain", "delta_final", "delta_best_test"]]
    assert [*gains.iloc[0]] == ["0.60", "0.20", "0.00", "0.40"]


# Mean accuracies of the fixed depths 1-1-1, 3-3-3, 5-5-5 and 9-9-9; AutoGrow has 90.
FIXED = {"1-1-1": 85.0, "3-3-3": 90.6, "5-5-5": 91.0, "9-9-9": 90.4}


def frontier_scores(row, role, seed):
    depth = row.key["depth"]
    if not depth:
        return {"best_accuracy": 90.0 + [0.0, 0.4, -0.4][seed]}
    return {"best_accuracy": FIXED[depth] + (role == "equal_compute")}


def test_regret_is_of_the_best_fixed_depth_with_its_paired_interval(make, catalogue):
    last = len(catalogue.tables["frontier"].rows) - 1
    frame, *_ = make("frontier", [0, 1, 2, 3, last], frontier_scores)
    assert list(frame["within_margin"]) == ["", "yes", "yes", "", ""]
    row = frame.iloc[-1]
    assert (row["best_depth"], row["smallest_depth"], row["regret"]) == ("5-5-5", "3-3-3", "1.00")
    wanted = stats.ttest_1samp([1.0, 0.6, 1.4], 0).confidence_interval(0.95)
    assert (row["regret_low"], row["regret_high"]) == tuple(f"{end:.2f}" for end in wanted)
    assert row["equal_compute_regret"] == "2.00"
    assert (frame["regret"][:-1] == "").all()
    one, *_ = make("frontier", [2, last], frontier_scores, seeds=[0])
    assert list(one.iloc[-1][["regret", "regret_low", "regret_high"]]) == ["1.00", "", ""]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([], ("", "", "")),
        ([2.0], ("", "2.00", "")),
        ([2.0, float("nan")], ("", "2.00", "")),
        ([2.0, 2.0], ("2.00", "2.00", "2.00")),
    ],
)
def test_an_interval_needs_two_seeds(values, wanted):
    assert interval(pd.Series(values, dtype=float)) == wanted


def test_other_ways_to_grow_have_costs_nulls_and_regret(make, catalogue):
    """Rows of table `beyond`: fixed depths, then methods; all of them found 9-9-9."""
    rows = {row.name: i for i, row in enumerate(catalogue.tables["beyond"].rows)}
    names = [
        *(f"baseline//{depth}" for depth in FIXED),
        "controlled growth/GauInit/",
        "FRAGrow/GauInit/",
    ]

    def scores(row, role, seed):
        accuracies = {"best_accuracy": 90.0 + seed}
        if row.key["depth"]:
            accuracies = {"best_accuracy": FIXED[row.key["depth"]]}
        spent = {"flops_growing": 2_000_000_000, "flops_finetuning": 500_000_000}
        return {**accuracies, **spent, "flops_training": 2_500_000_000}

    frame, results, table = make("beyond", [rows[name] for name in names], scores)
    controlled, aimed = frame.iloc[-2], frame.iloc[-1]
    assert controlled["null_depth"] == "; ".join(["1-1-1"] * 3)
    assert controlled["depth_minus_null"] == "24.0"
    assert aimed["null_depth"] == "; ".join(["1-1-1"] * 3)  # the made-up target
    assert list(controlled[["spent", "spent_growing", "spent_finetuning"]]) == [
        "2.500",
        "2.000",
        "0.500",
    ]
    best = max(FIXED.values())
    assert controlled["regret"] == f"{best - 91:.2f}"
    assert controlled["delta_equal_compute"] == "0.00"
    assert not [column for column in frame if column.startswith("equal_compute_regret")]
    assert "those of twins in growing" in markdown(table, frame, catalogue, results)
