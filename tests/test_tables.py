"""Tables from made-up summaries: means, deltas, formats, and what is missing."""

import json

import pandas as pd
import pytest

from analysis import compare, tables
from analysis.catalogue import load_catalogue
from analysis.formats import latex, markdown
from analysis.runs import Results
from autogrow.errors import UserError

SEEDS = [0, 1, 2]
BASE = {
    "network": "Basic3ResNet-2-1-1",
    "depth": "2-1-1",
    "layers": 10,
    "parameters": 1000,
    "flops": 5000,
    "final_top5": 90.0,
    "best_top5": 95.0,
    "seconds_growing": 1800.0,
    "seconds_finetuning": 3600.0,
    "device": "cpu (test_cpu)",
    "threads": 1,
    "data": {"name": "digits"},
}


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue("mini")


@pytest.fixture
def results(tmp_path, catalogue):
    """Every run has best accuracy 90, 91, 95 over the seeds; from scratch 1 point less."""
    for run in catalogue.runs.values():
        for seed, best in zip(SEEDS, (90.0, 91.0, 95.0), strict=True):
            folder = tmp_path / "runs" / run.id / f"seed{seed}"
            folder.mkdir(parents=True)
            best -= run.kind == "scratch"
            summary = {**BASE, "best_accuracy": best, "final_accuracy": best - 10}
            (folder / "summary.json").write_text(json.dumps(summary))
    return Results(tmp_path, SEEDS, "best")


@pytest.mark.parametrize("number", range(2, 12))
def test_every_table_has_the_papers_rows_and_numbers(catalogue, results, number):
    table = catalogue.tables[f"table{number}"]
    frame = tables.build_table(table, catalogue, results)
    paper = pd.read_csv(f"results/paper/table{number}.csv", dtype=str, keep_default_na=False)
    assert len(frame) == len(paper)
    for column in paper.columns:
        if column not in table.rows[0].key:
            assert list(frame[f"paper_{column}"]) == list(paper[column])
    assert frame["row"].is_unique
    assert set(frame["n"]) == {3}
    assert frame["dataset"].str.contains("digits|MNIST5000").all()


def test_mean_and_standard_deviation_over_the_seeds(catalogue, results):
    row = tables.build_table(catalogue.tables["table5"], catalogue, results).iloc[0]
    assert row["accuracy"] == "92.00"
    assert row["accuracy_std"] == "2.65"  # sqrt(((-2)^2 + (-1)^2 + 3^2) / 2)
    assert row["accuracy_difference"] == "-0.95"  # 92.00 - 92.95
    assert row["found_net"] == "2-1-1; 2-1-1; 2-1-1"


def test_one_seed_has_no_standard_deviation(catalogue, results):
    one = Results(results.folder, [1], "best")
    row = tables.build_table(catalogue.tables["table5"], catalogue, one).iloc[0]
    assert (row["accuracy"], row["accuracy_std"], row["n"]) == ("91.00", "", 1)


def test_delta_is_the_mean_of_the_seeds_differences(catalogue, results):
    for name in ("table2", "table3", "table6"):
        frame = tables.build_table(catalogue.tables[name], catalogue, results)
        assert set(frame["delta"]) == {"1.00"}
        assert set(frame["delta_std"]) == {"0.00"}


def test_final_accuracy_can_be_asked_for(catalogue, results):
    final = Results(results.folder, SEEDS, "final")
    frame = tables.build_table(catalogue.tables["table5"], catalogue, final)
    assert set(frame["accuracy"]) == {"82.00"}


def test_hours_come_from_the_recorded_seconds_with_the_hardware(catalogue, results):
    frame = tables.build_table(catalogue.tables["table10"], catalogue, results)
    assert set(frame["growing_hours"]) == {"0.5000"}
    assert set(frame["finetuning_hours"]) == {"1.0000"}
    assert frame["gpus"].str.contains(r"cpu \(test_cpu\), 1 threads").all()


def test_long_form_keeps_every_seed(catalogue, results):
    frame = tables.seeds_table(catalogue.tables["table6"], catalogue, results)
    assert len(frame) == 20 * 2 * 3
    assert set(frame["best_accuracy"]) == {"90.0000", "91.0000", "95.0000", "89.0000", "94.0000"}


def test_latex_is_escaped_and_has_booktabs_rules(catalogue, results):
    table = catalogue.tables["table5"]
    frame = tables.build_table(table, catalogue, results)
    text = latex(table, frame, catalogue, SEEDS, "best")
    assert r"digits, 50 \% of its training set" in text
    assert r"$92.00 \pm 2.65$" in text
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert rule in text
    columns = text.split(r"\toprule")[1].split(r"\\")[0].count("&")
    body = text.split("\\midrule\n")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert len(body) == 12
    assert {line.count("&") for line in body} == {columns}


def test_markdown_says_scale_data_and_seeds(catalogue, results):
    table = catalogue.tables["table5"]
    frame = tables.build_table(table, catalogue, results)
    text = markdown(table, frame, catalogue, SEEDS, "best")
    assert "Scale mini" in text
    assert "seeds 0, 1, 2" in text
    assert "digits, 50 % of its training set" in text


def test_a_missing_or_damaged_summary_is_named(catalogue, results, capsys):
    run = next(iter(catalogue.tables["table5"].runs))
    file = results.folder / "runs" / run / "seed1/summary.json"
    for damage in ("{", '{"accuracy": 3}', "[]"):
        file.write_text(damage)
        with pytest.raises(UserError, match="no summary of a finished run"):
            tables.build_table(catalogue.tables["table5"], catalogue, results)
    file.unlink()
    arguments = ["table5", "--scale", "mini", "--folder", str(results.folder), "--seeds", "1"]
    assert tables.main(arguments) == 2
    assert str(file) in capsys.readouterr().err
    assert not (results.folder / "tables").exists()


def test_unknown_table_is_told(results, capsys):
    assert tables.main(["table1", "--scale", "mini", "--folder", str(results.folder)]) == 2
    assert "allowed: table2" in capsys.readouterr().err


def test_written_tables_can_be_compared_with_themselves(catalogue, results):
    for number in range(2, 12):
        name = f"table{number}"
        arguments = [name, "--scale", "mini", "--folder", str(results.folder), "--seeds", "0", "1"]
        assert tables.main(arguments) == 0
    folder = str(results.folder)
    assert compare.main(["--new", folder, "--reference", folder]) == 0
