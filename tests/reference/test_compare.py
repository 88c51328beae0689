"""Comparing tables: hand-computed differences, verdicts and exit codes."""

import codecs
import shutil
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.experiments.settings import ROOT

PAPER = ROOT / "results" / "paper"
BELOW_3 = "a number of seeds below 3, as accuracy is"
ROWS = ("CIFAR10/Basic3ResNet/50", "CIFAR10/Basic3ResNet/3")


def row(name=ROWS[0], net="7-7-7", accuracy="93.00", *, n=1, std="", scale="mini", **more):
    """Return a row of table 5 as analysis.tables.build writes it."""
    return {
        **{"scale": scale, "row": name, "n": n, "dataset": "digits", "paper_dataset": "CIFAR10"},
        **{"network": "Basic3ResNet", "K": "8", "paper_K": "50"},
        **{"found_net": net, "paper_found_net": "6-5-3"},
        **{"accuracy": accuracy, "accuracy_std": std, "paper_accuracy": "92.95"},
        **{"accuracy_difference": "0.05"},
        **more,
    }


def seeds(net="7-7-7", accuracy="93.00", *, n, std="0.10", **more):
    """Return a row of several seeds; a single net was found by all of them."""
    nets = net if ";" in net else "; ".join([net] * n)
    return row(net=nets, accuracy=accuracy, n=n, std=std, **more)


def write(folder, *lines, table="table5", drop=()):
    folder.mkdir(parents=True, exist_ok=True)
    columns = [c for c in lines[0] if c not in drop]
    text = [",".join(columns), *(",".join(str(line[c]) for c in columns) for line in lines)]
    (folder / f"{table}.csv").write_text("\n".join(text) + "\n")
    return folder


@pytest.fixture
def compare(tmp_path, call, rows):
    """Compare two folders of tmp_path; return status, output and the lines of compare.csv."""

    def compared(*arguments, new="new", reference="reference"):
        out = tmp_path / "compared.csv"
        out.unlink(missing_ok=True)
        folders = ["--new", tmp_path / new, "--reference", tmp_path / reference]
        told = call(main, "compare", *folders, "--out", out, *arguments)
        told.lines = rows(out) if out.exists() else None
        return told

    return compared


@pytest.fixture
def sides(tmp_path, compare):
    """Write a row on each side and compare them."""

    def compared(new, reference, *arguments):
        write(tmp_path / "new", new)
        write(tmp_path / "reference", reference)
        return compare(*arguments)

    return compared


@pytest.fixture
def refused(compare):
    """Compare what cannot be compared; return the one line that says so."""

    def call(*arguments, **folders):
        told = compare(*arguments, **folders)
        assert (told.status, told.out, told.lines) == (2, "", None)
        assert told.err.index("\n") == len(told.err) - 1
        return told.err

    return call


def verdicts(told):
    return [line["verdict"] for line in told.lines]


def test_values_within_the_tolerances(sides):
    told = sides(row(net="7-7-7", accuracy="93.40"), row(net="6-6-6", accuracy="93.00"))
    assert (told.status, told.err) == (0, "")
    found_net, accuracy = told.lines
    assert found_net == {
        **{"table": "table5", "row": ROWS[0], "column": "found_net", "verdict": "within"},
        **{"new": "21", "reference": "18", "difference": "3"},  # a sixth of 18
        **{"new_std": "", "reference_std": "", "new_n": "1", "reference_n": "1"},
        "method": "tolerance",
    }
    assert [accuracy[c] for c in ("new", "reference", "difference")] == ["93.40", "93.00", "0.40"]
    printed = told.out.splitlines()
    assert len(printed) == 4  # a heading, a line for each value, the summary
    assert printed[1].split() == ["table5", ROWS[0], "found_net", "21", "18", "3", "within"]
    assert printed[3].startswith("1 rows, 2 values: 2 within, 0 outside")


@pytest.mark.parametrize(
    ("new", "reference", "arguments", "found"),
    [
        (row(net="5-5-4", accuracy="92.40"), row(net="6-6-6"), [], "-4 outside -0.60 outside"),
        (
            row(net="5-5-4", accuracy="92.40"),
            row(net="6-6-6"),
            ["--accuracy-tolerance", "0.6", "--depth-tolerance", "0.25"],
            "-4 within -0.60 within",
        ),
        # Depths are relative to the reference: 3 of 15 is a fifth, and 3 of 12 a quarter.
        (row(net="4-4-4"), row(net="5-5-5"), [], "-3 within 0.00 within"),
        (row(net="5-5-5"), row(net="4-4-4"), [], "3 outside 0.00 within"),
        # A missing depth leaves no mean.
        (seeds("7-7-7; nan", n=2), seeds(n=2), [], " outside 0.00 within"),
    ],
)
def test_tolerances_of_depths_and_accuracies(sides, new, reference, arguments, found):
    told = sides(new, reference, *arguments)
    assert told.status == ("outside" in found)
    assert " ".join(f"{v['difference']} {v['verdict']}" for v in told.lines) == found


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
def test_a_difference_of_exactly_the_tolerance_is_within(sides, new, reference, tolerance, status):
    told = sides(row(accuracy=new), row(accuracy=reference), "--accuracy-tolerance", tolerance)
    assert told.status == status


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
    def three(accuracy, std, diverged, net="7-7-7"):
        return seeds(net, accuracy, n=3, std=std, accuracy_diverged=diverged)

    write(tmp_path / "all", three("diverged", "", 3, net="diverged; Diverged; diverged"))
    write(tmp_path / "some", three("93.00", "0.10", 1, net="7-7-7; diverged; 8-8-8"))
    write(tmp_path / "most", three("93.40", "", 2))
    write(tmp_path / "none", seeds(n=3))

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


@pytest.mark.parametrize(
    ("accuracy", "std", "n", "reference_std", "reference_n", "method", "status"),
    [
        # Each mean has variance 0.3**2 / 3 = 0.03; 4 degrees of freedom, t = 2.776445: the
        # interval is 0.680 to both sides, and within is up to 1.180 from 93.00.
        ("94.18", "0.30", 3, "0.30", 3, "welch", 0),
        ("94.19", "0.30", 3, "0.30", 3, "welch", 1),
        ("91.82", "0.30", 3, "0.30", 3, "welch", 0),
        ("91.81", "0.30", 3, "0.30", 3, "welch", 1),
        # A side without variance adds no degrees of freedom: t(3) * 1.2 / sqrt(4) = 1.909.
        ("95.40", "1.20", 4, "0.00", 2, "welch", 0),
        ("95.41", "1.20", 4, "0.00", 2, "welch", 1),
        # Without any variance the interval is a point.
        ("93.50", "1e-99", 2, "1e-99", 2, "welch", 0),
        ("93.51", "1e-99", 2, "1e-99", 2, "welch", 1),
        ("93.50", "0.00", 2, "0.00", 2, "welch", 0),
        ("93.51", "0.00", 2, "0.00", 2, "welch", 1),
        # One seed has no variance, and the tolerance decides alone.
        ("93.60", "0.30", 3, "", 1, "tolerance", 1),
        ("93.60", "", 1, "0.30", 3, "tolerance", 1),
    ],
)
def test_accuracies_over_seeds(sides, accuracy, std, n, reference_std, reference_n, method, status):
    told = sides(seeds(accuracy=accuracy, n=n, std=std), seeds(n=reference_n, std=reference_std))
    assert told.status == status
    depth, line = told.lines
    assert depth["verdict"] == "within"
    assert (line["method"], depth["method"]) == (method, method)
    assert line["new_std"] == (std and f"{float(std):.4f}")
    assert (line["new_n"], line["reference_n"]) == (str(n), str(reference_n))


def test_depths_over_seeds(sides):
    # Totals 9, 12, 15 against 18, 18, 18: means 12 and 18, standard deviations 3 and 0;
    # the interval is t(2) * 3 / sqrt(3) = 4.302653 * 1.732051 = 7.45 around -6.
    told = sides(seeds("3-3-3; 4-4-4; 5-5-5", n=3), seeds("6-6-6", n=3), "--depth-tolerance", 0)
    assert told.status == 0
    columns = ("new", "reference", "difference", "new_std", "reference_std")
    assert [told.lines[0][c] for c in columns] == [*("12.00", "18.00", "-6.00", "3.0000", "0.0000")]
    # Totals 11, 12, 12: mean 35/3, the interval 4.302653 / 3 = 1.43 around -6.33.
    # It reaches up to -6.3333 + 1.4342 = -4.8991, which is 0.27217 of 18.
    for tolerance, status in (("0.2722", 0), ("0.2721", 1)):
        new, reference = seeds("3-4-4; 4-4-4; 4-4-4", n=3), seeds("6-6-6", n=3)
        assert sides(new, reference, "--depth-tolerance", tolerance).status == status


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
    drop = [c for c in row() if c.startswith("accuracy")]
    for folder, hours, gpus in (("new", "1.0000", "cpu"), ("reference", "9.0000", "GPU")):
        line = row(growing_hours=hours, finetuning_hours=hours, gpus=gpus)
        write(tmp_path / folder, line, table="table10", drop=drop)
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
    ours = seeds("6-5-3; 6-5-4", "93.30", n=2, scale="paper")
    write(tmp_path / "results" / "tables", ours)
    told = compare("--tables", "table5", new="results", reference=PAPER)
    assert [v["difference"] for v in told.lines[:2]] == ["0.50", "0.35"]
    assert verdicts(told) == ["within"] * 2 + ["missing in new"] * 22
    assert told.status == 1


def test_other_settings_and_tables_left_out_are_noted(tmp_path, sides, compare):
    sides(row(dataset="MNIST"), row())
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
    assert "empty: holds no table as table5.csv" in refused(reference="empty")
    write(tmp_path / "reference", row())
    shutil.copy(PAPER / "table6.csv", tmp_path / "reference")
    assert f"{tmp_path / 'new' / 'table6.csv'}: no such table; the folder has table5" in refused()
    assert "new/table6.csv: no such table" in refused("--tables", 6)
    assert "reference/table7.csv: no such table" in refused("--tables", 7, new="reference")
    (tmp_path / "reference" / "table5.csv").unlink()
    assert "no table in common" in refused()
    for name in ("new", "reference"):
        write(tmp_path / name, row(), table="table77")
    assert "table77.csv: not a table of config/experiments.yaml" in refused("--tables", 77)


@pytest.mark.parametrize(
    ("lines", "drop", "told"),
    [
        ([row(scale="paper")], [], "new/table5.csv: is of scale paper"),
        ([row(), row(ROWS[1], scale="smoke")], [], "found mini and smoke; allowed: one scale"),
        ([row()], ["accuracy"], "new/table5.csv: has no column 'accuracy'"),
        ([row(layers="3.0")], [], "reference/table5.csv: has no column 'layers'"),
        ([row(speed="3.0")], [], "new/table5.csv: unknown column 'speed'"),
        ([row()], ["row"], "new/table5.csv: has no column 'row'"),
        ([row()], ["n"], "new/table5.csv: has no column 'n'"),
        ([row()], ["scale", "row", "n"], "unknown column 'paper_dataset'"),
        ([row()], ["scale", "row", "n", "dataset"], "has no column 'dataset'; allowed: dataset"),
        ([row(), row()], [], f"new/table5.csv: row {ROWS[0]} is given twice"),
        ([row(accuracy="good")], [], "accuracy: found 'good'; allowed: a number"),
        ([row(accuracy="1_0")], [], "accuracy: found '1_0'"),
        ([row(net="7-x-7")], [], "found_net: found '7-x-7'; allowed: a depth like"),
        ([row(net="7-7-7; 7-7-7")], [], "found 2 depths; allowed: 1, as n"),
        ([row(n="two")], [], "n: found 'two'"),
        ([row(n=0)], [], "n: found '0'"),
        ([seeds(n=2, std="")], [], "accuracy_std: found ''; allowed: a number"),
        ([seeds(n=2, std="-1")], [], "accuracy_std: found '-1'"),
        *(
            ([seeds(n=3, accuracy_diverged=count)], [], f"found {count!r}; allowed: {BELOW_3}")
            for count in ("", "-1", "1.0", "3", "many")
        ),
    ],
)
def test_tables_that_cannot_be_compared(tmp_path, refused, lines, drop, told):
    write(tmp_path / "new", *lines, drop=drop)
    write(tmp_path / "reference", row())
    assert told in refused()


def test_a_table_that_a_spreadsheet_saved(tmp_path, sides, compare):
    """With a mark of UTF-8 and line breaks of its own."""
    lines = sides(row(), row()).lines
    table = tmp_path / "new" / "table5.csv"
    table.write_bytes(codecs.BOM_UTF8 + table.read_bytes().replace(b"\n", b"\r\n"))
    compared = compare()
    assert (compared.status, compared.lines) == (0, lines), compared.err


@pytest.mark.parametrize(
    "arguments",
    [
        *("--tables five", "--tables", "--accuracy-tolerance -1", "--accuracy-tolerance nan"),
        *("--depth-tolerance 20%", "--out /nowhere/at/all.csv"),
    ],
)
def test_wrong_arguments(tmp_path, refused, arguments):
    for name in ("new", "reference"):
        write(tmp_path / name, row())
    assert Path(arguments.split()[-1]).name in refused(*arguments.split())
