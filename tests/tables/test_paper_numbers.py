"""The paper's numbers beside ours, and tables and rows that the paper does not have."""

import re
from pathlib import Path

import pytest
from made_up_summaries import made_up_summary, write_curve, write_result, write_spec

from analysis.__main__ import main
from analysis.experiments.catalogue import load_catalogue, make_catalogue
from analysis.experiments.scales import ROOT, read_scale
from analysis.results.summaries import Results
from analysis.tables import paper_numbers, table_files
from analysis.tables.build import build_table, seeds_table
from analysis.tables.formats import latex, markdown
from analysis.tables.table_files import read_table
from autogrow.errors import UserError

RESNET = {"dataset": "CIFAR10", "network": "Basic3ResNet"}


def catalogue_of(scale, name, rows, **table):
    entry = {"title": "t", "run": {"kind": "autogrow"}, "rows": rows, **table}
    return make_catalogue(scale, read_scale(scale), {name: entry}, Path("experiments.yaml"))


def built(catalogue, folder, name):
    """A table, its Markdown and its LaTeX; every run found 2-1-1 with 90 % (from scratch 89 %)."""
    for run in catalogue.runs.values():
        scores = {"best_accuracy": 90.0 - (run.spec.kind == "scratch")}
        scores |= {"seconds_growing": 1800.0, "seconds_finetuning": 3600.0}
        place = folder / "runs" / run.id / "seed0"
        write_spec(place, run, 0)
        write_curve(place, [50.0] * 99)
        write_result(place, made_up_summary("Plain3Net-2-1-1", **scores))
    given = catalogue.tables[name], catalogue, Results(folder, [0], "best")
    frame = build_table(*given)
    return frame, markdown(given[0], frame, *given[1:]), latex(given[0], frame, *given[1:])


def test_no_column_subtracts_what_is_of_different_data(tmp_path):
    catalogue = load_catalogue("mini")
    for name in ("table3", "table9", "table10"):
        frame, md, _ = built(catalogue, tmp_path, name)
        assert not [c for c in frame.columns if c.endswith("_difference")], name
        assert "No column subtracts the two: they are of different data." in md


def test_ours_less_the_papers_where_the_data_is_the_papers(tmp_path):
    rows = [{**RESNET, "fraction": ["1.00", "0.75"]}]
    frame, md, _ = built(catalogue_of("paper", "table11", rows), tmp_path, "table11")
    assert list(frame["accuracy_difference"]) == ["-4.27", "-3.54"]  # of 94.27 and 93.54
    assert "A difference is ours minus the paper's, where both are of the same data" in md
    smaller = {"kind": "autogrow", "downscale": 2}
    frame, *_ = built(catalogue_of("paper", "table11", rows, run=smaller), tmp_path, "table11")
    assert "accuracy_difference" not in frame.columns


def test_hours_have_ratios_alone(tmp_path):
    rows = [{"dataset": "ImageNet", "network": "Plain4Net", "K": 2}]
    frame, *_ = built(catalogue_of("paper", "table10", rows), tmp_path, "table10")
    assert frame.loc[0, ["growing_hours", "paper_growing_hours"]].tolist() == ["0.5000", "11.7"]
    assert list(frame["growing_ratio_difference"]) == ["0.11"]  # 0.50 - 0.39
    assert not [c for c in frame.columns if c.endswith("hours_difference")]


def test_a_row_that_the_paper_does_not_have_has_no_number_of_the_papers(tmp_path):
    rows = [{**RESNET, "K": [3, 7]}, {**RESNET, "dataset": "digits", "K": 3}]
    catalogue = catalogue_of("paper", "table5", rows)
    paper_numbers.check_paper_numbers(catalogue)
    frame, md, tex = built(catalogue, tmp_path, "table5")
    assert list(frame["row"]) == [
        f"{r}/Basic3ResNet/{K}"
        for r, K in zip(("CIFAR10", "CIFAR10", "digits"), (3, 7, 3), strict=True)
    ]
    assert list(frame["paper_found_net"]) == ["42-42-42", "", ""]
    assert list(frame["paper_accuracy"]) == ["94.27", "", ""]
    assert list(frame["accuracy_difference"]) == ["-4.27", "", ""]
    assert "The paper does not have CIFAR10/Basic3ResNet/7, digits/Basic3ResNet/3." in md
    assert "nan" not in frame.to_csv() + md + tex


def test_a_table_of_ones_own_needs_no_numbers_of_the_papers(tmp_path):
    values = ["found_net", "accuracy", "delta"]
    own = {"against": "found net", "title": "A & B"}
    catalogue = catalogue_of("mini", "my_table", [{**RESNET, "K": 3}], **own)
    frame, md, tex = built(catalogue, tmp_path, "my_table")
    assert [frame.loc[0, c] for c in values] == ["2-1-1", "90.00", "1.00"]
    assert {c for c in frame.columns if c.startswith("paper_")} == {"paper_dataset", "paper_K"}
    assert md.startswith("# A &amp; B\n")
    assert "The paper has no such table." in md
    assert r"\label{tab:autogrow-my-table}" in tex
    long = seeds_table(catalogue.tables["my_table"], catalogue, Results(tmp_path, [0], "best"))
    assert list(long["accuracy"]) == ["90.00", "89.00"]
    assert "delta" not in long.columns


@pytest.fixture
def papers(tmp_path, monkeypatch):
    """Take table 5's numbers of the paper from a text."""
    file = tmp_path / "table5.csv"
    others = paper_numbers.paper_table
    monkeypatch.setattr(
        paper_numbers, "paper_table", lambda name: file if name == "table5" else others(name)
    )
    text = (ROOT / "results/paper/table5.csv").read_text()

    def written(old, new):
        assert re.search(old, text, re.MULTILINE)
        file.write_text(re.sub(old, new, text, flags=re.MULTILINE))

    return written


def test_an_empty_cell_is_no_number(tmp_path, papers):
    papers("6-5-3,92.95", ",")
    frame, md, _ = built(catalogue_of("paper", "table5", [{**RESNET, "K": 50}]), tmp_path, "table5")
    assert list(frame["paper_accuracy"] + frame["paper_found_net"]) == [""]
    assert "accuracy_difference" not in frame.columns
    assert "The paper does not have CIFAR10/Basic3ResNet/50." in md


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("92.95", "92.9S", "line 2: accuracy: found '92.9S'; allowed: number"),
        ("92.95", "inf", "line 2: accuracy: found inf"),
        ("6-5-3", "6-5-x", "line 2: found_net: found '6-5-x'; allowed: a depth"),
        ("accuracy", "accurasy", "column 'accurasy': allowed: the columns of table5"),
        ("accuracy", "delta", "column delta: allowed: where table5"),
        (",K,", ",period,", "has no column 'K'"),
        ("Net,20,", "Net,50,", "row CIFAR10/Basic3ResNet/50 is given twice"),
        (r"(,92.95)", r"\1,1", "row 2 has 6 cells"),
        (r"(.|\s)+", "", "is empty"),
    ],
)
def test_what_is_wrong_is_told_before_any_run(papers, old, new, told):
    papers(old, new)
    with pytest.raises(UserError, match=re.escape(told)) as caught:
        paper_numbers.check_paper_numbers(load_catalogue("mini"))
    assert "table5.csv: " in str(caught.value)


def test_the_papers_numbers_are_those_of_every_row_that_it_has():
    catalogue = load_catalogue("paper")
    for name in catalogue.table_names:
        table = catalogue.tables[name]
        paper = paper_numbers.read_paper_numbers(table)
        own = not paper_numbers.paper_table(name).is_file()
        assert set(paper.rows) == (set() if own else {row.name for row in table.rows})
        if not own:
            columns = read_table(ROOT / f"results/paper/{name}.csv").columns
            assert paper.columns == columns


def test_a_table_of_ones_own_is_compared_like_the_others(tmp_path, monkeypatch, call):
    catalogue = catalogue_of("mini", "my_table", [{**RESNET, "K": 3}])
    frame, *_ = built(catalogue, tmp_path, "my_table")
    keys = {"table5": ["K"], "my_table": list(catalogue.tables["my_table"].rows[0].key)}
    monkeypatch.setattr(table_files, "_keys", lambda: keys)
    for side in ("new", "reference"):
        (tmp_path / side).mkdir()
        frame.to_csv(tmp_path / side / "my_table.csv", index=False)
    folders = ["--new", tmp_path / "new", "--reference", tmp_path / "reference"]
    for named in ([], ["--tables", "my_table"]):
        told = call(main, "compare", *folders, *named)
        assert (told.status, told.err) == (0, "")
        assert "1 rows, 2 values: 2 agree" in told.out
