"""Tables from made-up summaries: means, deltas, formats, and what is missing."""

import json
import random
import re
import shutil
from dataclasses import replace

import pandas as pd
import pytest
from diverged import diverge
from made_up_summaries import made_up_summary, write_curve, write_result, write_spec
from markdown_it import MarkdownIt

from analysis.__main__ import main
from analysis.experiments.catalogue import load_catalogue
from analysis.results.summaries import Results
from analysis.results.texts import latex_text, one_line
from analysis.tables import build as tables
from analysis.tables.formats import latex, markdown
from benchmarks.hostile import HOSTILE

SEEDS = [0, 1, 2]
EPOCHS = {"growing": 4, "adaminit": 0, "finetuning": 4, "training": 0}
HOURS = {"seconds_growing": 1800.0, "seconds_finetuning": 3600.0}


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue("mini")


@pytest.fixture(scope="module")
def made(tmp_path_factory, catalogue):
    """Every run has best accuracy 90, 91, 95 over the seeds; from scratch 1 point less."""
    folder = tmp_path_factory.mktemp("results")
    for run in catalogue.runs.values():
        for seed, best in zip(SEEDS, (90.0, 91.0, 95.0), strict=True):
            best -= run.spec.kind == "scratch"
            scores = {"best_accuracy": best, "final_accuracy": best - 10, **HOURS}
            summary = made_up_summary("Basic3ResNet-2-1-1", **scores, epochs=EPOCHS, seed=seed)
            place = folder / "runs" / run.id / f"seed{seed}"
            write_spec(place, run, seed)
            if "never-grown" in run.id:
                write_curve(place, [50.0] * 60)
            write_result(place, summary)
    return folder


@pytest.fixture
def results(tmp_path, made):
    """A copy of its own for each test."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
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


def change(results, run, seed, **values):
    """Give a run's summary other values."""
    folder = results.run_folder(run, seed)
    content = json.loads((folder / "summary.json").read_text())
    write_result(folder, {**content, **values})


@pytest.fixture
def built(catalogue, results):
    """Return a table, in Markdown and in LaTeX as well."""

    def call(name="table5", seeds=SEEDS, accuracy="best"):
        shown = catalogue.tables[name], catalogue, Results(results.folder, seeds, accuracy)
        frame = tables.build_table(*shown)
        given = (shown[0], frame, *shown[1:])
        return frame, markdown(*given), latex(*given)

    return call


def test_mean_and_standard_deviation_over_the_seeds(built):
    row = built()[0].iloc[0]
    assert row["accuracy"] == "92.00"
    assert row["accuracy_std"] == "2.65"  # sqrt(((-2)^2 + (-1)^2 + 3^2) / 2)
    assert row["found_net"] == "2-1-1; 2-1-1; 2-1-1"
    row = built(seeds=[1])[0].iloc[0]
    assert (row["accuracy"], row["accuracy_std"], row["n"]) == ("91.00", "", 1)
    assert set(built(accuracy="final")[0]["accuracy"]) == {"82.00"}


@pytest.mark.parametrize("name", ["table2", "table3", "table6"])
def test_delta_is_the_mean_of_the_seeds_differences(built, name):
    frame, *_ = built(name)
    assert (set(frame["delta"]), set(frame["delta_std"])) == ({"1.00"}, {"0.00"})


def test_hours_come_from_the_recorded_seconds_with_the_hardware(built):
    frame, *_ = built("table10")
    ratios = {"0.36", "0.73", "0.40", "0.78", "0.39", "1.01"}
    assert set(frame["growing_ratio"]) == {"0.50"}
    assert set(frame["paper_growing_ratio"]) == ratios
    assert set(frame["growing_hours"]) == {"0.5000"}
    assert set(frame["finetuning_hours"]) == {"1.0000"}
    assert set(frame["gpus"]) == {"; ".join(["1 x cpu (test_cpu), 1 threads"] * 3)}


def test_processes_are_the_number_of_gpus(catalogue, results, built):
    run = catalogue.tables["table10"].rows[0].runs["main"]
    for seed in SEEDS:
        change(results, run, seed, processes=4, device="TITAN V")
    assert built("table10")[0]["gpus"][0] == "; ".join(["4 x TITAN V, 1 threads"] * 3)


def test_a_table_that_the_paper_has_not_has_ours_alone(catalogue, results, built, lose):
    frame, md, tex = built("table12")
    assert [r.runs["main"] for r in catalogue.tables["table12"].rows] == [
        r.runs["main"] for r in catalogue.tables["table6"].rows
    ]
    assert (set(frame["growing_ratio"]), set(frame["growing_ratio_std"])) == ({"0.50"}, {"0.00"})
    assert {c for c in frame.columns if c.startswith("paper_")} == {"paper_dataset"}
    assert "no table of the paper" in md
    assert "& growing / fine-tuning \\\\" in tex


def test_adaminits_epochs_are_counted_by_run(catalogue, results, built):
    table = catalogue.tables["table13"]
    grown = {id for id, run in catalogue.runs.items() if run.spec.kind != "scratch"}
    wanted = {r for r in grown if catalogue.runs[r].spec.initializer == "AdamInit"}
    assert set(table.runs) == wanted
    run = table.rows[0].runs["main"]
    for seed, epochs in zip(SEEDS, ([1, 2, 3, 10], [2], []), strict=True):
        used = {"after_epoch": 1, "old_train_accuracy": 90.0, "train_accuracy": 89.6}
        change(results, run, seed, adaminit=[{**used, "epochs": n} for n in epochs])
    frame, _, tex = built("table13")
    row = frame.iloc[0]
    assert (row["adaminit_uses"], row["adaminit_median"]) == ("1.7", "2.2")  # of 2.5 and 2
    assert (row["adaminit_below_3"], frame["adaminit_median"][1]) == ("75.0", "")
    assert "nan" not in frame.to_csv() + tex
    long = tables.seeds_table(table, catalogue, results)
    assert list(long["adaminit_below_3"][:3]) == ["50.0", "100.0", ""]


def test_long_form_keeps_every_seed(catalogue, results):
    frame = tables.seeds_table(catalogue.tables["table6"], catalogue, results)
    assert len(frame) == 20 * 4 * 3
    assert set(frame["best_accuracy"]) == {"90.0000", "91.0000", "95.0000", "89.0000", "94.0000"}


def test_markdown_and_latex_say_scale_data_and_seeds(built):
    _, md, text = built()
    assert "Scale mini" in md
    assert "seeds 0, 1, 2" in md
    assert "each side at 1/2 size, 20 % of its training set, 3,500 test images" in md
    assert r"at 1/2 size, 20 \% of its training set, 3,500 test images" in text
    assert r"$92.00 \pm 2.65$" in text
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert rule in text
    columns = text.split(r"\toprule")[1].split(r"\\")[0].count("&")
    body = text.split("\\midrule\n")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert len(body) == 12
    assert {line.count("&") for line in body} == {columns}


MARKUP = r"""<script>x</script>  <!-- !  a | b  &lt;  [a](javascript:b)  ![a](b)  <b@c.de>  #
http://a.b  www.a.b  **a**  _a_  a__b__  ~~a~~  $a^2$  # a  - a  \\[1em]  * a  [a]  `a` ``  [a]: b
\input{a}  \end{tabular}  100 %"""
TEXTS = [*re.split("  |\n", MARKUP), "a\n\nb", "\x1b[2J", " ", "a", *HOSTILE]
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
ONCE = re.compile(r"\\text\w+\{\}|\\[&%$#_{}]|\{[][*]\}|[^\\&%$#_{}~^<>|`*[\]]")


@pytest.mark.parametrize("seed", range(5))
def test_texts_of_a_user_are_shown_as_they_are(catalogue, results, seed):
    drawn = random.Random(seed)
    for _ in range(40):
        text = "".join(drawn.sample(TEXTS, drawn.randint(1, 4))).strip() or "a"
        settings = catalogue.settings.model_copy(update={"description": text})
        table = catalogue.tables["table5"]
        rows = [replace(row, values={**row.values, "dataset": text}) for row in table.rows[:2]]
        table = replace(table, title=text, rows=rows)
        shown = replace(catalogue, scale="smoke", settings=settings), results
        given = table, tables.build_table(table, *shown), *shown
        told = PARSER.parse(markdown(*given))
        inline = [token for token in told if token.type == "inline"]
        kinds = {child.type for token in inline for child in token.children}
        assert kinds <= {"text", "code_inline", "strong_open", "strong_close"}, text
        words = ["".join(child.content for child in token.children) for token in inline]
        line = one_line(text)
        assert words.count(line) == len(rows) + bool(line)  # a cell each, and the stamp
        assert words[0] == f"Table 5: {line}".strip()
        assert [token.type for token in told].count("tr_open") == len(rows) + 1
        escaped, tex = latex_text(text), latex(*given)
        assert "".join(ONCE.findall(escaped)) == escaped
        assert f"\n{escaped} & Basic3ResNet &" in tex
        assert f"\\caption{{{escaped}. " in tex


def test_unknown_table_is_told(results, capsys):
    assert main(["table", "table1", "--scale", "mini", "--folder", str(results.folder)]) == 2
    assert "allowed: table2" in capsys.readouterr().err


@pytest.fixture
def sharing(catalogue):
    """Return the rows of a table that show the run of its first row."""

    def call(table, role):
        first, *_ = rows = catalogue.tables[table].rows
        return [row for row in rows if row.runs.get(role) == first.runs[role]]

    return call


@pytest.fixture
def lose(results, catalogue):
    """Have the runs of table5's first row, or of another one, diverge for some seeds."""

    def call(seeds, role="main", table="table5", epoch=6):
        run = catalogue.tables[table].rows[0].runs[role]
        for seed in seeds:
            diverge(results.run_folder(run, seed), epoch)

    return call


def test_a_table_without_divergence_says_nothing_of_it(catalogue, results, built):
    frame, *texts = built()
    assert not [c for c in frame.columns if "diverged" in c]
    assert not [t for t in texts if "diverged" in t]
    assert "diverged_after" not in tables.seeds_table(
        catalogue.tables["table5"], catalogue, results
    )


@pytest.mark.parametrize("accuracy", ["best", "final"])
def test_a_mean_is_over_the_seeds_that_did_not_diverge(built, lose, accuracy, sharing):
    lose([2])
    frame, md, tex = built(accuracy=accuracy)
    first, second = frame.iloc[0], frame.iloc[5]  # all K but 1 have one counterpart
    mean = {"best": "90.50", "final": "80.50"}[accuracy]  # of 90 and 91
    assert (first["accuracy"], first["accuracy_std"]) == (mean, "0.71")
    assert (first["diverged"], first["accuracy_diverged"], first["n"]) == (1, 1, 3)
    assert (second["diverged"], second["accuracy_diverged"]) == (0, 0)
    # It diverged in fine-tuning: the net was found.
    assert first["found_net"] == "2-1-1; 2-1-1; 2-1-1"
    assert f"| {mean} (1 of 3 diverged) | 0.71 " in md
    assert "accuracy_diverged" not in md
    assert rf"${mean} \pm 0.71$ (1 of 3 diverged)" in tex
    columns = {"best": 1, "final": 2}[accuracy]  # the best epoch's beside the last one's
    columns *= len(sharing("table5", "main"))
    assert md.count("of 3 diverged") == tex.count("of 3 diverged") == columns


def test_a_cell_without_any_seed_reads_diverged(built, lose):
    lose(SEEDS)
    frame, md, tex = built()
    first = frame.iloc[0]
    assert [first[c] for c in ("accuracy", "accuracy_std")] == ["diverged", ""]
    assert (first["diverged"], first["accuracy_diverged"]) == (3, 3)
    assert re.search(r"\| diverged +\| +\| 92.95 +\| 3 +\| 3 +\|", md)
    assert "& diverged \\\\" in tex
    assert "nan" not in frame.to_csv().lower()


def test_a_run_that_diverged_while_growing_has_found_no_net(built, lose):
    lose([1], epoch=3)
    row = built()[0].iloc[0]
    assert row["found_net"] == "2-1-1; diverged; 2-1-1"


def test_a_difference_says_which_side_diverged(built, lose):
    lose(SEEDS, role="scratch", table="table3")
    frame, md, _ = built("table3")
    row = frame.iloc[0]
    assert (row["delta"], row["accuracy"]) == ("baseline diverged", "92.00")
    assert (row["diverged"], row["delta_diverged"], row["accuracy_diverged"]) == (3, 3, 0)
    assert "| baseline diverged |" in md
    lose([0], table="table3")
    row = built("table3")[0].iloc[0]
    assert (row["delta"], row["accuracy"], row["diverged"]) == ("diverged", "93.00", 4)
    # The found net at equal compute is another run than the paper's baseline.
    assert (row["delta_equal_compute"], row["delta_equal_compute_diverged"]) == ("1.00", 1)
    assert (row["equal_compute_accuracy"], row["equal_compute_accuracy_diverged"]) == ("91.00", 0)


def test_hours_of_a_run_that_diverged_are_in_no_mean(catalogue, results, built, lose):
    table = catalogue.tables["table10"]
    change(results, table.rows[0].runs["main"], 0, seconds_growing=1.0)
    lose([0], table="table10")
    row = built("table10")[0].iloc[0]
    assert (row["growing_hours"], row["growing_hours_diverged"]) == ("0.5000", 1)
    assert row["gpus"].count("test_cpu") == 3


def test_the_long_form_says_when_a_run_diverged(catalogue, results, lose):
    lose([1])
    frame = tables.seeds_table(catalogue.tables["table5"], catalogue, results)
    assert list(frame["diverged_after"][:3]) == ["", 6, ""]
    assert list(frame["best_accuracy"][:3]) == ["90.0000", "", "95.0000"]


def test_tables_with_divergence_can_be_compared(results, lose, tmp_path, rows, sharing):
    def write(folder):
        for name in ("table3", "table5"):
            arguments = [name, "--scale", "mini", "--folder", str(results.folder)]
            assert main(["table", *arguments, "--seeds", "0", "1", "2"]) == 0
        (results.folder / "tables").rename(folder)

    write(tmp_path / "before")
    lose([1])
    lose(SEEDS, role="scratch", table="table3")
    write(tmp_path / "after")

    def compared(new, reference):
        folders = ["--new", str(tmp_path / new), "--reference", str(tmp_path / reference)]
        status = main(["compare", *folders, "--out", str(tmp_path / "compare.csv")])
        found = [line["verdict"] for line in rows(tmp_path / "compare.csv")]
        return status, {verdict: found.count(verdict) for verdict in set(found) - {"agrees"}}

    both = len(sharing("table3", "scratch"))
    one = both + len(sharing("table5", "main"))
    assert compared("after", "after") == (0, {"both diverged": both})
    assert compared("after", "before") == (1, {"diverged in new": one})
    assert compared("before", "after") == (1, {"diverged in reference": one})


def test_a_run_that_lost_its_training_is_marked(catalogue, results, built):
    table = catalogue.tables["table7"]
    for run in table.runs:
        for seed in SEEDS:
            change(results, run, seed, final_train_accuracy=95.0)
    frame, md, _ = built("table7")
    assert "lost_training" not in frame
    lost = table.rows[2]
    change(results, lost.runs["main"], 1, final_train_accuracy=20.0)
    change(results, table.rows[0].runs["main"], 1, final_train_accuracy=66.0)
    frame, md, tex = built("table7")
    names = [row.name for row in table.rows if row.runs["main"] == lost.runs["main"]]
    assert list(frame["lost_training"]) == [int(row.name in names) for row in table.rows]
    for text in (md, tex):
        assert "more than 30 points below the median" in text
    assert f"in the rows {', '.join(names)}." in md


def test_the_best_test_epoch_is_beside_the_last_one(catalogue, results):
    table = catalogue.tables["table5"]
    for run in table.runs:
        for seed in SEEDS:
            change(results, run, seed, best_test_accuracy=97.5)
    last = Results(results.folder, SEEDS, "final")
    frame = tables.build_table(table, catalogue, last)
    assert list(frame["accuracy"]) == ["82.00"] * len(frame)
    assert list(frame["best_accuracy"]) == ["97.50"] * len(frame)
    assert "best_accuracy" not in tables.build_table(table, catalogue, results)
