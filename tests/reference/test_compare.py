"""Comparing tables: hand-computed differences, verdicts and exit codes."""

import codecs
import shutil
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.experiments.scales import ROOT

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


def sure(net="7-7-7", accuracy="93.00", **more):
    """Return a row whose seeds all gave the same: the interval of a difference is a point."""
    return seeds(net, accuracy, n=2, std="0.00", **more)


def test_values_inside_the_tolerances(tmp_path, sides):
    told = sides(seeds("7-7-7", "93.20", n=3), seeds("6-6-6", n=3))
    assert (told.status, told.err) == (0, "")
    found_net, accuracy = told.lines
    assert found_net == {
        **{"table": "table5", "row": ROWS[0], "column": "found_net", "verdict": "agrees"},
        **{"new": "21.00", "reference": "18.00", "difference": "3.00"},  # a sixth of 18
        **{"new_std": "0.0000", "reference_std": "0.0000", "new_n": "3", "reference_n": "3"},
        **{"method": "welch", "tolerance": "3.6", "seeds_needed": ""},
        **{"difference_low": "3.00", "difference_high": "3.00"},
    }
    # t(4) sqrt(2 * 0.1**2 / 3) = 2.776445 * 0.081650 = 0.227
    columns = ("difference", "difference_low", "difference_high", "verdict")
    assert [accuracy[c] for c in columns] == ["0.20", "-0.03", "0.43", "agrees"]
    assert told.out.splitlines() == [
        "1 rows, 2 values: 2 agree, 0 differ, 0 undecided; tolerances: 0.5 points, 20 % of a depth",
        "Worst: none",
        "To be decided: none",
        f"All values: {tmp_path / 'compared.csv'}",
    ]


@pytest.mark.parametrize(
    ("new", "reference", "arguments", "found"),
    [
        (sure("5-5-4", "92.40"), sure("6-6-6"), [], "-4.00 differs -0.60 differs"),
        (
            sure("5-5-4", "92.40"),
            sure("6-6-6"),
            ["--accuracy-tolerance", "0.6", "--depth-tolerance", "0.25"],
            "-4.00 agrees -0.60 agrees",
        ),
        # Depths are relative to the reference: 3 of 15 is a fifth, and 3 of 12 a quarter.
        (sure("4-4-4"), sure("5-5-5"), [], "-3.00 agrees 0.00 agrees"),
        (sure("5-5-5"), sure("4-4-4"), [], "3.00 differs 0.00 agrees"),
        # A missing depth leaves no mean.
        (sure("7-7-7; nan"), sure(), [], " differs 0.00 agrees"),
        # One run against one says nothing, unless it is the same.
        (row("a", "9-9-9"), row("a"), [], "6 undecided 0.00 agrees"),
    ],
)
def test_tolerances_of_depths_and_accuracies(sides, new, reference, arguments, found):
    told = sides(new, reference, *arguments)
    assert told.status == ("differs" in found)
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
def test_a_difference_of_exactly_the_tolerance_agrees(sides, new, reference, tolerance, status):
    told = sides(sure(accuracy=new), sure(accuracy=reference), "--accuracy-tolerance", tolerance)
    assert (told.status, verdicts(told)[1]) == (status, ("agrees", "differs")[status])


def test_strict_counts_what_is_undecided(sides):
    assert sides(row(accuracy="93.01"), row()).status == 0
    assert sides(row(accuracy="93.01"), row(), "--strict").status == 1
    assert sides(row(), row(), "--strict").status == 0


def test_the_worst_come_first_and_what_would_decide_the_rest(tmp_path, compare):
    spread = {"n": 3, "std": "0.40"}
    write(
        tmp_path / "new",
        seeds(accuracy="95.00", **spread) | {"row": "far"},
        seeds(accuracy="diverged", n=3, std="") | {"row": "lost"},
        seeds(accuracy="93.10", **spread) | {"row": "near"},
        seeds(accuracy="93.50", **spread) | {"row": "at"},
        row("single", accuracy="93.20"),
    )
    write(
        tmp_path / "reference",
        *(seeds(**spread) | {"row": name} for name in ("far", "lost", "near", "at")),
        row("single"),
    )
    told = compare()
    assert told.status == 1
    counts, worst, deciding, _ = told.out.splitlines()
    assert ": 5 agree, 2 differ (1 diverged in new), 3 undecided; " in counts
    # Half the interval is 2.776445 * 0.4 * sqrt(2 / 3) = 0.907.
    assert worst == (
        "Worst: table5 lost accuracy diverged in new; table5 far accuracy 2.00 (1.09 to 2.91); "
        "table5 at accuracy 0.50 (-0.41 to 1.41); table5 single accuracy 0.20; "
        "table5 near accuracy 0.10 (-0.81 to 1.01)"
    )
    # near: 0.4 is left to the tolerance; t(2n-2) * 0.4 * sqrt(2 / n) is 0.429 with 8 seeds and
    # 0.3997 with 9.
    near = next(v for v in told.lines if (v["row"], v["column"]) == ("near", "accuracy"))
    assert near["seeds_needed"] == "9"
    assert deciding == (
        "To be decided, at the spread seen: 1 with 10 seeds on each side; 1 with more than 100; "
        "1 of one run on each side, whose spread is not known"
    )


def test_rows_missing_on_one_side_are_reported(tmp_path, compare):
    write(tmp_path / "new", row("a"), row("b"))
    write(tmp_path / "reference", row("b"), row("c"))
    told = compare()
    assert told.status == 1
    found = [(line["row"], line["column"], line["verdict"]) for line in told.lines]
    assert found == [
        ("b", "found_net", "agrees"),
        ("b", "accuracy", "agrees"),
        ("c", "found_net", "missing in new"),
        ("c", "accuracy", "missing in new"),
        ("a", "found_net", "missing in reference"),
        ("a", "accuracy", "missing in reference"),
    ]
    assert [told.lines[3][c] for c in ("new", "reference", "method")] == ["", "93.00", ""]
    assert told.out.startswith(
        "3 rows, 6 values: 2 agree, 4 differ (2 missing in new, 2 missing in reference), 0 und"
    )


@pytest.mark.parametrize("nothing", ["", "nan", "NaN", "inf", "-inf"])
def test_a_value_missing_on_one_side_differs_on_both_not_comparable(tmp_path, compare, nothing):
    write(tmp_path / "new", row(accuracy=nothing), row(ROWS[1], accuracy=nothing))
    write(tmp_path / "reference", row(accuracy="93.00"), row(ROWS[1], accuracy=nothing))
    told = compare()
    assert told.status == 1
    assert verdicts(told) == ["agrees", "differs", "agrees", "not comparable"]
    assert told.lines[1]["difference"] == ""
    assert "1 differ, 1 undecided (1 not comparable); " in told.out
    assert "To be decided, at the spread seen: 1 without a number on either side" in told.out
    swapped = compare(new="reference", reference="new")
    assert (swapped.status, verdicts(swapped)) == (1, verdicts(told))


@pytest.mark.parametrize("word", ["diverged", "baseline diverged"])
def test_runs_that_diverged_on_one_side_are_a_difference_and_on_both_agree(tmp_path, compare, word):
    write(tmp_path / "new", row(accuracy=word), row(ROWS[1], accuracy=word))
    write(tmp_path / "reference", row(), row(ROWS[1], accuracy=word))
    told = compare()
    wanted = ["agrees", "diverged in new", "agrees", "both diverged"]
    assert (told.status, verdicts(told)) == (1, wanted)
    line = told.lines[1]
    assert [line[c] for c in ("new", "reference", "difference", "new_n", "method")] == [
        *(word, "93.00", "", "0", "")
    ]
    assert "3 agree (1 both diverged), 1 differ (1 diverged in new), 0 undecided" in told.out
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
    assert (told.status, verdicts(told)) == (1, ["diverged in reference", "undecided"])
    assert [told.lines[1][c] for c in ("difference", "new_n", "reference_n", "method")] == [
        *("0.40", "1", "2", "prediction")
    ]
    assert verdicts(compare(new="all", reference="some")) == ["diverged in new"] * 2
    assert verdicts(compare(new="some", reference="all")) == ["diverged in reference"] * 2
    told = compare(new="all", reference="all")
    assert (told.status, verdicts(told)) == (0, ["both diverged"] * 2)


@pytest.mark.parametrize(
    ("std", "n", "reference_std", "reference_n", "method", "differences"),
    [
        # Each mean has variance 0.3**2 / 3 = 0.03; 4 degrees of freedom, t = 2.776445: the
        # interval is 0.680087 to both sides.
        ("0.30", 3, "0.30", 3, "welch", ("1.31", "1.32", "2.68", "2.69")),
        # A side without variance adds no degrees of freedom: t(3) * 1.2 / sqrt(4) = 1.909468.
        ("1.20", 4, "0.00", 2, "welch", ("0.09", "0.10", "3.90", "3.91")),
        # Without any variance the interval is a point.
        ("1e-99", 2, "2e-99", 2, "welch", ("1.99", None, None, "2.01")),
        ("0.00", 2, "0.00", 3, "welch", ("2.00", None, None, "2.01")),
        # One run: t(2) * 0.3 * sqrt(1 + 1 / 3) = 1.490483.
        ("0.30", 3, "", 1, "prediction", ("0.50", "0.51", "3.49", "3.50")),
        ("", 1, "0.30", 3, "prediction", ("0.50", "0.51", "3.49", "3.50")),
        ("", 1, "", 1, "no spread", (None, "0.01", "9.00", None)),
    ],
)
def test_accuracies_over_seeds(sides, std, n, reference_std, reference_n, method, differences):
    wanted = ("agrees", "undecided", "undecided", "differs")
    for difference, verdict in zip(differences, wanted, strict=True):
        for sign in (1, -1):
            if difference is None:
                continue
            new = seeds(accuracy=f"{50 + sign * float(difference):.2f}", n=n, std=std)
            reference = seeds(accuracy="50.00", n=reference_n, std=reference_std)
            told = sides(new, reference, "--accuracy-tolerance", "2")
            line = told.lines[1]
            assert (line["verdict"], line["method"]) == (verdict, method), difference
            assert told.status == (verdict == "differs")
            assert line["new_std"] == (std and f"{float(std):.4f}")
            assert (line["new_n"], line["reference_n"]) == (str(n), str(reference_n))


def test_what_repeats_the_same_seeds_agrees(sides):
    told = sides(seeds("5-5-5; 9-9-9", n=2, std="3.00"), seeds("5-5-5; 9-9-9", n=2, std="3.00"))
    assert {(v["verdict"], v["method"]) for v in told.lines} == {("agrees", "identical")}


def test_depths_over_seeds(sides):
    # Totals 9, 12, 15 against 18, 18, 18: means 12 and 18, standard deviations 3 and 0;
    # the interval is t(2) * 3 / sqrt(3) = 4.302653 * 1.732051 = 7.45241 around -6.
    for tolerance, verdict in (("0.7474", "agrees"), ("0.7473", "undecided"), ("0", "undecided")):
        new, reference = seeds("3-3-3; 4-4-4; 5-5-5", n=3), seeds("6-6-6", n=3)
        line = sides(new, reference, "--depth-tolerance", tolerance).lines[0]
        columns = ("new", "reference", "difference", "new_std", "reference_std", "verdict")
        assert [line[c] for c in columns] == [
            *("12.00", "18.00", "-6.00", "3.0000", "0.0000", verdict)
        ]
    # Totals 11, 12, 12: mean 35/3, the interval 4.302653 / 3 = 1.43422 around -6.33.
    # It reaches up to -6.3333 + 1.4342 = -4.8991, which is 0.27217 of 18.
    for tolerance, status in (("0.2722", 0), ("0.2721", 1)):
        new, reference = seeds("3-4-4; 4-4-4; 4-4-4", n=3), seeds("6-6-6", n=3)
        assert sides(new, reference, "--depth-tolerance", tolerance).status == status


def test_layers_are_a_depth_and_depth_a_value_of_table9(tmp_path, compare):
    def line(depth, layers):
        return {
            **{"scale": "mini", "row": "CIFAR10/Plain4Net/baseline/", "dataset": "digits"},
            **{"network": "Plain4Net", "depth": f"{depth}; {depth}", "paper_depth": "6-6-6-6"},
            **{"layers": layers, "layers_std": "0.0", "method": "baseline", "K": "", "n": 2},
            **{"accuracy": "90.00", "accuracy_std": "0.10"},
        }

    write(tmp_path / "new", line("5-5-5-5", "22.0"), table="table9")
    write(tmp_path / "reference", line("4-4-4-4", "18.0"), table="table9")
    told = compare()
    assert [(v["column"], v["difference"], v["verdict"]) for v in told.lines] == [
        ("depth", "4.00", "differs"),
        ("layers", "4.0", "differs"),
        ("accuracy", "0.00", "agrees"),
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
    assert set(verdicts(told)) == {"agrees"}
    assert {line["table"] for line in told.lines} == {f"table{n}" for n in range(2, 12)}
    for folder in ("new", "reference"):
        shutil.copytree(PAPER, tmp_path / folder)
    file = tmp_path / "new" / "table9.csv"
    head, *lines = file.read_text().splitlines()
    file.write_text("\n".join([head, *reversed(lines), ""]).replace("93.60", "94.11"))
    told = compare("--tables", 9, 5, "--strict")
    assert told.status == 1
    assert list(dict.fromkeys(line["table"] for line in told.lines)) == ["table9", "table5"]
    assert [(v["row"], v["difference"]) for v in told.lines if v["verdict"] == "undecided"] == [
        ("CIFAR10/Basic3ResNet/baseline/", "0.51")
    ]


def test_our_paper_scale_against_the_paper(tmp_path, compare):
    ours = seeds("6-5-3; 6-5-4", "93.30", n=2, scale="paper")
    write(tmp_path / "results" / "tables", ours)
    told = compare("--tables", "table5", new="results", reference=PAPER)
    assert [v["difference"] for v in told.lines[:2]] == ["0.50", "0.35"]
    assert verdicts(told) == ["undecided"] * 2 + ["missing in new"] * 22
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
