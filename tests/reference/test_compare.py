"""Comparing tables: hand-computed differences, verdicts and exit codes."""

import codecs
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from analysis.__main__ import main
from analysis.experiments.settings import ROOT

PAPER = ROOT / "results" / "paper"
KEYS = {"table5": ("dataset", "network", "K"), "table10": ("dataset", "network", "K")}
ROWS = ("CIFAR10/Basic3ResNet/50", "CIFAR10/Basic3ResNet/3")


def row(name=ROWS[0], net="7-7-7", accuracy="93.00", *, n=1, std="", scale="mini", **more):
    """Return a row of table 5 as analysis.tables.build writes it."""
    return {
        "scale": scale,
        "row": name,
        "dataset": "digits",
        "paper_dataset": "CIFAR10",
        "network": "Basic3ResNet",
        "K": "8",
        "paper_K": "50",
        "found_net": net,
        "paper_found_net": "6-5-3",
        "accuracy": accuracy,
        "accuracy_std": std,
        "paper_accuracy": "92.95",
        "accuracy_difference": "0.05",
        "n": n,
        **more,
    }


def write(folder, *lines, table="table5", drop=()):
    folder.mkdir(parents=True, exist_ok=True)
    columns = [c for c in lines[0] if c not in drop]
    text = [",".join(columns), *(",".join(str(line[c]) for c in columns) for line in lines)]
    (folder / f"{table}.csv").write_text("\n".join(text) + "\n")
    return folder


@pytest.fixture
def compare(tmp_path, capsys, rows):
    """Compare two folders of tmp_path; return status, output and the lines of compare.csv."""

    def call(*arguments, new="new", reference="reference"):
        out = tmp_path / "compared.csv"
        out.unlink(missing_ok=True)
        folders = ["--new", str(tmp_path / new), "--reference", str(tmp_path / reference)]
        try:
            status = main(["compare", *folders, "--out", str(out), *map(str, arguments)])
        except SystemExit as error:
            status = error.code
        told = capsys.readouterr()
        lines = rows(out) if out.exists() else None
        return SimpleNamespace(status=status, out=told.out, err=told.err, lines=lines)

    return call


@pytest.fixture
def refused(compare):
    """Compare what cannot be compared; return the one line that says so."""

    def call(*arguments, **folders):
        told = compare(*arguments, **folders)
        assert (told.status, told.out, told.lines) == (2, "", None)
        assert told.err.count("\n") == 1
        assert told.err.endswith("\n")
        return told.err

    return call


def verdicts(told):
    return [line["verdict"] for line in told.lines]


def test_values_within_the_tolerances(tmp_path, compare):
    write(tmp_path / "new", row(net="7-7-7", accuracy="93.40"))
    write(tmp_path / "reference", row(net="6-6-6", accuracy="93.00"))
    told = compare()
    assert (told.status, told.err) == (0, "")
    found_net, accuracy = told.lines
    assert found_net == {
        "table": "table5",
        "row": ROWS[0],
        "column": "found_net",
        "new": "21",
        "reference": "18",
        "difference": "3",  # a sixth of 18
        "verdict": "within",
        "new_std": "",
        "new_n": "1",
        "reference_std": "",
        "reference_n": "1",
        "method": "tolerance",
    }
    assert [accuracy[c] for c in ("new", "reference", "difference")] == ["93.40", "93.00", "0.40"]
    printed = told.out.splitlines()
    assert len(printed) == 4  # a heading, a line for each value, the summary
    assert printed[1].split() == ["table5", ROWS[0], "found_net", "21", "18", "3", "within"]
    assert printed[3].startswith("1 rows, 2 values: 2 within, 0 outside")


def test_values_outside_the_tolerances(tmp_path, compare):
    write(tmp_path / "new", row(net="5-5-4", accuracy="92.40"))
    write(tmp_path / "reference", row(net="6-6-6", accuracy="93.00"))
    told = compare()
    assert told.status == 1
    assert [line["difference"] for line in told.lines] == ["-4", "-0.60"]
    assert verdicts(told) == ["outside", "outside"]
    assert compare("--accuracy-tolerance", "0.6", "--depth-tolerance", "0.25").status == 0


@pytest.mark.parametrize(
    ("new", "reference", "tolerance", "status"),
    [
        # 93.07 - 92.77 is 0.29999999999999716, 92.77 + 0.3 is not 93.07 in binary
        ("93.07", "92.77", "0.3", 0),
        ("92.77", "93.07", "0.3", 0),
        ("93.08", "92.77", "0.3", 1),
        ("0.80", "0.70", "0.1", 0),  # 0.10000000000000009
        ("0.81", "0.70", "0.1", 1),
        ("93.07", "93.07", "0", 0),
        ("93.0700001", "93.07", "0", 1),
    ],
)
def test_a_difference_of_exactly_the_tolerance_is_within(
    tmp_path, compare, new, reference, tolerance, status
):
    write(tmp_path / "new", row(accuracy=new))
    write(tmp_path / "reference", row(accuracy=reference))
    assert compare("--accuracy-tolerance", tolerance).status == status


def test_depths_are_relative_to_the_reference(tmp_path, compare):
    write(tmp_path / "new", row(net="4-4-4"))  # 12
    write(tmp_path / "reference", row(net="5-5-5"))  # 15: a fifth is 3
    assert compare().status == 0
    # The other way round 3 is a quarter.
    assert compare(new="reference", reference="new").status == 1


def test_rows_are_joined_by_their_key_not_their_order(tmp_path, compare):
    lines = [row(ROWS[0], "2-2-2", "80.00"), row(ROWS[1], "9-9-9", "90.00")]
    write(tmp_path / "new", *lines[::-1])
    write(tmp_path / "reference", *lines)
    told = compare()
    assert told.status == 0
    assert [line["row"] for line in told.lines] == [ROWS[0], ROWS[0], ROWS[1], ROWS[1]]


def test_rows_missing_on_one_side_are_reported(tmp_path, compare):
    write(tmp_path / "new", row("a"), row("b"))
    write(tmp_path / "reference", row("b"), row("c"))
    told = compare()
    assert told.status == 1
    found = [(line["row"], line["column"], line["verdict"]) for line in told.lines]
    assert found == [
        ("b", "found_net", "within"),
        ("b", "accuracy", "within"),
        ("c", "found_net", "missing in new"),
        ("c", "accuracy", "missing in new"),
        ("a", "found_net", "missing in reference"),
        ("a", "accuracy", "missing in reference"),
    ]
    assert [told.lines[3][c] for c in ("new", "reference", "method")] == ["", "93.00", ""]
    assert "3 rows, 6 values: 2 within, 0 outside, 2 missing in new, 2 missing in" in told.out


@pytest.mark.parametrize("nothing", ["", "nan", "NaN", "inf", "-inf"])
def test_a_value_missing_on_one_side_is_outside_on_both_not_comparable(tmp_path, compare, nothing):
    write(tmp_path / "new", row(accuracy=nothing), row(ROWS[1], accuracy=nothing))
    write(tmp_path / "reference", row(accuracy="93.00"), row(ROWS[1], accuracy=nothing))
    told = compare()
    assert told.status == 1
    assert verdicts(told) == ["within", "outside", "within", "not comparable"]
    assert told.lines[1]["difference"] == ""
    assert "1 outside, 1 not comparable" in told.out
    swapped = compare(new="reference", reference="new")
    assert (swapped.status, verdicts(swapped)) == (1, verdicts(told))


def test_a_missing_depth_leaves_no_mean(tmp_path, compare):
    write(tmp_path / "new", row(net="7-7-7; nan", n=2, std="0.10"))
    write(tmp_path / "reference", row(net="7-7-7; 7-7-7", n=2, std="0.10"))
    told = compare()
    assert (told.status, verdicts(told)) == (1, ["outside", "within"])


@pytest.mark.parametrize("word", ["diverged", "baseline diverged"])
def test_runs_that_diverged_on_one_side_are_a_difference_and_on_both_agree(tmp_path, compare, word):
    write(tmp_path / "new", row(accuracy=word), row(ROWS[1], accuracy=word))
    write(tmp_path / "reference", row(), row(ROWS[1], accuracy=word))
    told = compare()
    wanted = ["within", "diverged in new", "within", "both diverged"]
    assert (told.status, verdicts(told)) == (1, wanted)
    line = told.lines[1]
    assert [line[c] for c in ("new", "reference", "difference", "new_n", "method")] == [
        *(word, "93.00", "", "0", "")
    ]
    assert "2 within, 0 outside, 1 both diverged, 1 diverged in new" in told.out
    swapped = compare(new="reference", reference="new")
    assert (swapped.status, verdicts(swapped)[1]) == (1, "diverged in reference")
    assert compare(reference="new").status == 0


def test_some_seeds_that_diverged(tmp_path, compare):
    def three(accuracy, std, diverged, net="7-7-7; 7-7-7; 7-7-7"):
        return row(accuracy=accuracy, std=std, accuracy_diverged=diverged, net=net, n=3)

    write(tmp_path / "all", three("diverged", "", 3, net="diverged; Diverged; diverged"))
    write(tmp_path / "some", three("93.00", "0.10", 1, net="7-7-7; diverged; 8-8-8"))
    write(tmp_path / "most", three("93.40", "", 2))
    write(tmp_path / "none", row(n=3, net="7-7-7; 7-7-7; 7-7-7", std="0.10"))

    # The mean over the others is the same, and yet it is no agreement.
    told = compare(new="some", reference="none")
    assert (told.status, verdicts(told)) == (1, ["diverged in new", "diverged in new"])
    assert [line["new"] for line in told.lines] == [
        *("22.50 (1 of 3 diverged)", "93.00 (1 of 3 diverged)")
    ]
    assert [(line["new_n"], line["difference"]) for line in told.lines] == [
        *(("2", "1.50"), ("2", "0.00"))
    ]
    told = compare(new="most", reference="some")
    assert (told.status, verdicts(told)) == (1, ["diverged in reference", "within"])
    assert [told.lines[1][c] for c in ("difference", "new_n", "reference_n", "method")] == [
        *("0.40", "1", "2", "tolerance")
    ]
    assert verdicts(compare(new="all", reference="some")) == ["diverged in new"] * 2
    assert verdicts(compare(new="some", reference="all")) == ["diverged in reference"] * 2
    told = compare(new="all", reference="all")
    assert (told.status, verdicts(told)) == (0, ["both diverged"] * 2)


@pytest.mark.parametrize("count", ["", "-1", "1.0", "3", "many"])
def test_a_number_of_diverged_seeds_that_is_none(tmp_path, refused, count):
    write(tmp_path / "new", row(n=3, std="0.10", net="7; 7; 7", accuracy_diverged=count))
    write(tmp_path / "reference", row())
    line = refused()
    assert f"accuracy_diverged: found {count!r}" in line
    assert "below 3" in line


@pytest.mark.parametrize(
    ("accuracy", "std", "n", "reference_std", "reference_n", "status"),
    [
        # Each mean has variance 0.3**2 / 3 = 0.03; 4 degrees of freedom, t = 2.776445: the
        # interval is 0.680 to both sides, and within is up to 1.180 from 93.00.
        ("94.18", "0.30", 3, "0.30", 3, 0),
        ("94.19", "0.30", 3, "0.30", 3, 1),
        ("91.82", "0.30", 3, "0.30", 3, 0),
        ("91.81", "0.30", 3, "0.30", 3, 1),
        # A side without variance adds no degrees of freedom: t(3) * 1.2 / sqrt(4) = 1.909.
        ("95.40", "1.20", 4, "0.00", 2, 0),
        ("95.41", "1.20", 4, "0.00", 2, 1),
        ("93.50", "1e-99", 2, "1e-99", 2, 0),
        ("93.51", "1e-99", 2, "1e-99", 2, 1),
    ],
)
def test_seeds_on_both_sides_welch(
    tmp_path, compare, accuracy, std, n, reference_std, reference_n, status
):
    def several(accuracy, std, n):
        return row(net="; ".join(["7-7-7"] * n), accuracy=accuracy, n=n, std=std)

    write(tmp_path / "new", several(accuracy, std, n))
    write(tmp_path / "reference", several("93.00", reference_std, reference_n))
    told = compare()
    assert told.status == status
    line = told.lines[1]
    assert (line["method"], line["new_std"]) == ("welch", f"{float(std):.4f}")
    assert (line["new_n"], line["reference_n"]) == (str(n), str(reference_n))


@pytest.mark.parametrize(("new_n", "reference_n"), [(3, 1), (1, 3)])
def test_seeds_on_one_side_the_tolerance_alone(tmp_path, compare, new_n, reference_n):
    for name, n, accuracy in (("new", new_n, "93.60"), ("reference", reference_n, "93.00")):
        std = "0.30" if n > 1 else ""
        write(tmp_path / name, row(net="; ".join(["7-7-7"] * n), accuracy=accuracy, n=n, std=std))
    told = compare()
    assert (told.status, verdicts(told)) == (1, ["within", "outside"])
    assert {line["method"] for line in told.lines} == {"tolerance"}


def test_depths_over_seeds(tmp_path, compare):
    # Totals 9, 12, 15 against 18, 18, 18: means 12 and 18, standard deviations 3 and 0;
    # the interval is t(2) * 3 / sqrt(3) = 4.302653 * 1.732051 = 7.45 around -6.
    write(tmp_path / "new", row(net="3-3-3; 4-4-4; 5-5-5", n=3, std="0.10"))
    write(tmp_path / "reference", row(net="6-6-6; 6-6-6; 6-6-6", n=3, std="0.10"))
    told = compare("--depth-tolerance", "0")
    line = told.lines[0]
    assert told.status == 0
    assert [line[c] for c in ("new", "reference", "difference", "new_std", "reference_std")] == [
        *("12.00", "18.00", "-6.00", "3.0000", "0.0000")
    ]
    # Totals 11, 12, 12: mean 35/3, the interval 4.302653 / 3 = 1.43 around -6.33.
    write(tmp_path / "new", row(net="3-4-4; 4-4-4; 4-4-4", n=3, std="0.10"))
    # It reaches up to -6.3333 + 1.4342 = -4.8991, which is 0.27217 of 18.
    assert compare("--depth-tolerance", "0.2722").status == 0
    assert compare("--depth-tolerance", "0.2721").status == 1


def test_seeds_without_any_variance_are_a_point(tmp_path, compare):
    write(tmp_path / "reference", row(net="5-5-5; 5-5-5", n=2, std="0.00", accuracy="92.77"))
    write(tmp_path / "new", row(net="6-6-6; 6-6-6", n=2, std="0.00", accuracy="93.07"))
    told = compare("--accuracy-tolerance", "0.3")  # 18 is 15 and a fifth
    assert (told.status, {line["method"] for line in told.lines}) == (0, {"welch"})
    assert compare("--accuracy-tolerance", "0.29").status == 1
    assert compare("--depth-tolerance", "0.19").status == 1


def test_layers_are_a_depth_and_depth_a_value_of_table9(tmp_path, compare):
    def line(depth, layers):
        return {
            **{"scale": "mini", "row": "CIFAR10/Plain4Net/baseline/", "dataset": "digits"},
            **{"network": "Plain4Net", "depth": depth, "paper_depth": "6-6-6-6"},
            **{"layers": layers, "method": "baseline", "K": "", "accuracy": "90.00", "n": 1},
        }

    write(tmp_path / "new", line("5-5-5-5", "22.0"), table="table9")
    write(tmp_path / "reference", line("4-4-4-4", "18.0"), table="table9")
    told = compare()
    assert [(v["column"], v["difference"], v["verdict"]) for v in told.lines] == [
        ("depth", "4", "outside"),
        ("layers", "4.0", "outside"),
        ("accuracy", "0.00", "within"),
    ]


def test_hours_and_gpus_are_not_compared(tmp_path, compare):
    def line(hours, gpus):
        return row(scale="mini", growing_hours=hours, finetuning_hours=hours, gpus=gpus)

    drop = [c for c in row() if c.startswith("accuracy")]
    write(tmp_path / "new", line("1.0000", "cpu"), table="table10", drop=drop)
    write(tmp_path / "reference", line("9.0000", "GPU"), table="table10", drop=drop)
    told = compare()
    assert (told.status, [v["column"] for v in told.lines]) == (0, ["found_net"])


def test_the_paper_against_itself(compare, tmp_path):
    told = compare(new=PAPER, reference=PAPER)
    assert told.status == 0
    assert set(verdicts(told)) == {"within"}
    assert {line["table"] for line in told.lines} == {f"table{n}" for n in range(2, 12)}
    for folder in ("new", "reference"):
        shutil.copytree(PAPER, tmp_path / folder)
    file = tmp_path / "new" / "table9.csv"
    head, *lines = file.read_text().splitlines()
    file.write_text("\n".join([head, *reversed(lines), ""]).replace("93.60", "94.11"))
    told = compare("--tables", 9, 5)
    assert told.status == 1
    assert list(dict.fromkeys(line["table"] for line in told.lines)) == ["table9", "table5"]
    assert [(v["row"], v["difference"]) for v in told.lines if v["verdict"] != "within"] == [
        ("CIFAR10/Basic3ResNet/baseline/", "0.51")
    ]


def test_our_paper_scale_against_the_paper(tmp_path, compare):
    ours = row(ROWS[0], "6-5-3; 6-5-4", "93.30", n=2, std="0.10", scale="paper")
    write(tmp_path / "results" / "tables", ours)
    told = compare("--tables", "table5", new="results", reference=PAPER)
    assert told.status == 1  # 11 rows are missing
    assert [(v["difference"], v["verdict"], v["method"]) for v in told.lines[:2]] == [
        ("0.50", "within", "tolerance"),
        ("0.35", "within", "tolerance"),
    ]
    assert verdicts(told)[2:] == ["missing in new"] * 22


def test_compare_csv_is_written_into_the_new_folder(tmp_path, compare):
    for name in ("new", "reference"):
        write(tmp_path / name / "tables", row())
    folders = ["--new", str(tmp_path / "new"), "--reference", str(tmp_path / "reference")]
    assert main(["compare", *folders]) == 0
    assert (tmp_path / "new" / "compare.csv").is_file()


def test_other_settings_and_tables_left_out_are_noted(tmp_path, compare):
    write(tmp_path / "new", row(dataset="MNIST"))
    write(tmp_path / "reference", row())
    shutil.copy(PAPER / "table6.csv", tmp_path / "new")
    told = compare()
    assert told.status == 0
    assert f"note: table5: {ROWS[0]}: dataset is 'MNIST' in new, 'digits' in the ref" in told.out
    assert "note: not in the reference, not compared: table6" in told.out


def test_missing_folders_and_tables(tmp_path, refused):
    write(tmp_path / "new", row())
    assert f"{tmp_path / 'reference'}: no such folder" in refused()
    assert "nowhere: no such folder" in refused(new="nowhere", reference=PAPER)
    (tmp_path / "empty").mkdir()
    assert "empty: holds no tableN.csv" in refused(reference="empty")
    write(tmp_path / "reference", row())
    shutil.copy(PAPER / "table6.csv", tmp_path / "reference")
    assert f"{tmp_path / 'new' / 'table6.csv'}: no such table; the folder has table5" in refused()
    assert "new/table6.csv: no such table" in refused("--tables", 6)
    assert "reference/table7.csv: no such table" in refused("--tables", 7, new="reference")
    (tmp_path / "reference" / "table5.csv").unlink()
    assert "no table in common" in refused()


def test_other_scales(tmp_path, refused):
    write(tmp_path / "new", row())
    write(tmp_path / "reference", row(scale="paper"))
    assert "new/table5.csv: is of scale mini" in refused()
    assert "is of scale mini" in refused("--tables", 5, reference=PAPER)
    write(tmp_path / "new", row(), row(ROWS[1], scale="smoke"))
    assert "found mini and smoke; allowed: one scale" in refused()


@pytest.mark.parametrize(
    ("lines", "drop", "told"),
    [
        ([row()], ["accuracy"], "new/table5.csv: has no column 'accuracy'"),
        ([row(layers="3.0")], [], "reference/table5.csv: has no column 'layers'"),
        ([row(speed="3.0")], [], "new/table5.csv: unknown column 'speed'"),
        ([row()], ["row"], "new/table5.csv: has no column 'row'"),
        ([row()], ["n"], "new/table5.csv: has no column 'n'"),
        ([row()], ["scale", "row", "n"], "unknown column 'paper_dataset'"),
        ([row(), row()], [], f"new/table5.csv: row {ROWS[0]} is given twice"),
        ([row(accuracy="good")], [], "accuracy: found 'good'; allowed: a number"),
        ([row(accuracy="1_0")], [], "accuracy: found '1_0'"),
        ([row(net="7-x-7")], [], "found_net: found '7-x-7'; allowed: a depth like"),
        ([row(net="7-7-7; 7-7-7")], [], "found 2 depths; allowed: 1, as n"),
        ([row(n="two")], [], "n: found 'two'"),
        ([row(n=0)], [], "n: found '0'"),
        ([row(net="1-1-1; 1-1-1", n=2)], [], "accuracy_std: found ''; allowed: a number"),
        ([row(net="1-1-1; 1-1-1", n=2, std="-1")], [], "accuracy_std: found '-1'"),
    ],
)
def test_tables_that_cannot_be_compared(tmp_path, refused, lines, drop, told):
    write(tmp_path / "new", *lines, drop=drop)
    write(tmp_path / "reference", row())
    assert told in refused()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"scale,row,n,found_net,accuracy\nmini,a,1,7-7-7,90", "is cut off"),
        (b"scale,row,n,found_net,accuracy\n", "has no rows"),
        (b"scale,row,n,found_net,accuracy\nmini,a,1\n", "row 2 has 3 cells; allowed: 5"),
        (b"scale,row,n,found_net,found_net\nmini,a,1,7-7-7,7-7-7\n", "is given twice"),
        (b'scale,row\n"mini,a\n', "is not CSV"),
        (b"scale,row\n\xff,a\n", "is not CSV"),
        (b"K,found_net,accuracy\n3,7-7-7,90\n", "has no column 'dataset'; allowed: dataset"),
    ],
)
def test_unreadable_files(tmp_path, refused, content, told):
    for name in ("new", "reference"):
        write(tmp_path / name, row())
    (tmp_path / "new" / "table5.csv").write_bytes(content)
    line = refused()
    assert "new/table5.csv: " in line
    assert told in line


def test_a_table_that_a_spreadsheet_saved(tmp_path, compare):
    """With a mark of UTF-8 and line breaks of its own."""
    for name in ("new", "reference"):
        write(tmp_path / name, row())
    table = tmp_path / "new" / "table5.csv"
    table.write_bytes(codecs.BOM_UTF8 + table.read_bytes().replace(b"\n", b"\r\n"))
    compared = compare()
    assert compared.status == 0, compared.err
    assert compared.lines == compare(new="reference").lines


def test_a_table_that_the_paper_has_not(tmp_path, refused):
    for name in ("new", "reference"):
        write(tmp_path / name, row(), table="table77")
    assert "table77.csv: not a table of config/experiments.yaml" in refused()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--tables", "five"],
        ["--tables"],
        ["--accuracy-tolerance", "-1"],
        ["--accuracy-tolerance", "nan"],
        ["--depth-tolerance", "20%"],
        ["--what"],
        ["--out", "/nowhere/at/all.csv"],
    ],
)
def test_wrong_arguments(tmp_path, refused, arguments):
    for name in ("new", "reference"):
        write(tmp_path / name, row())
    assert Path(arguments[-1]).name in refused(*arguments)
