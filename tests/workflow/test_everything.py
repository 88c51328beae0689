"""Every target through the real Snakemake at the scale `smoke`."""

import json
import re
import shutil

import pandas as pd
import pytest

from analysis.experiments.catalogue import load_catalogue
from autogrow.growth.counterfactual import outcome
from autogrow.runs.folder import read_spec

SMOKE = ("--config", "scale=smoke", "--")
OUT = "results/out/smoke"
BEYOND = ["null_depth", "selection_audit", "frontier", "beyond"]
TABLES = [*(f"table{n}" for n in range(2, 14)), *BEYOND]
FIGURES = [f"figure{n}" for n in range(2, 11)]


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_written_in_every_form(smoke, table):
    folder = smoke.folder / OUT / "tables"
    ours = pd.read_csv(folder / f"{table}.csv", dtype=str, keep_default_na=False)
    paper = smoke.folder / f"results/paper/{table}.csv"
    assert paper.exists() == (table not in ("table12", "table13", *BEYOND))
    rows = load_catalogue("smoke").tables[table].rows
    assert len(ours) == (len(pd.read_csv(paper, dtype=str)) if paper.exists() else len(rows))
    assert ours["stamp"].str.contains("NO SCIENTIFIC MEANING").all()
    assert ours["dataset"].str.contains("digits").all()
    text = (folder / f"{table}.md").read_text()
    assert "**SMOKE TEST, NO SCIENTIFIC MEANING**" in text
    assert re.search(r"digits, [\d.]+ % of its training set", text)
    assert "NO SCIENTIFIC MEANING" in (folder / f"{table}.tex").read_text()
    long_form = pd.read_csv(folder / f"{table}_seeds.csv")
    assert set(long_form["row"]) == set(ours["row"])


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_is_written_in_every_form(smoke, figure):
    folder = smoke.folder / OUT / "figures"
    contours = [f"{figure}_contour.csv"] if figure in ("figure5", "figure6") else []
    for name in [f"{figure}.csv", *contours]:
        frame = pd.read_csv(folder / name, keep_default_na=False)
        assert frame["description"].str.contains("NO SCIENTIFIC MEANING").all()
        assert frame.loc[frame["run"] != "", "dataset"].str.contains("digits").all()
    assert (folder / f"{figure}.pdf").read_bytes().startswith(b"%PDF")
    assert (folder / f"{figure}.png").read_bytes().startswith(b"\x89PNG")
    assert len(list(folder.glob(f"{figure}[._]*"))) == 3 + len(contours)


def test_the_centre_of_a_surface_is_the_network_and_a_trajectory_ends_at_it(smoke):
    surfaces = pd.read_csv(smoke.folder / OUT / "figures/figure7.csv")
    assert list(surfaces.groupby("panel").size()) == [25] * 6
    centres = surfaces[(surfaces["x"] == 0) & (surfaces["y"] == 0)]
    assert list(centres["panel"]) == [*"abcdef"]
    points = pd.read_csv(smoke.folder / OUT / "figures/figure6.csv")
    last = points.groupby("panel").tail(1)
    assert (last[["x", "y"]] == 0).all().all()
    for panel in last.itertuples():
        folder = smoke.folder / OUT / "runs" / panel.run / "seed0"
        assert panel.depth == json.loads((folder / "summary.json").read_text())["depth"]
        growths = pd.read_csv(folder / "growth.csv")["event"].eq("grow").sum()
        assert points.loc[points["panel"] == panel.panel, "grown"].sum() == growths


def test_an_interrupted_surface_computes_only_the_missing_block(workflow):
    """With a seed of its own, because other tests look at the surfaces of seed 0."""
    run = "Plain3Net/digits-fraction0.1/periodic-K1-GauInit"
    surface = f"{OUT}/landscapes/{run}/seed9/surface"
    folder = workflow.folder / surface
    target = ("--config", "scale=smoke", "--", f"{surface}/surface.csv")
    with workflow.changed("config/scales/smoke.yaml", "row_blocks: 1", "row_blocks: 2"):
        workflow.snakemake(*target)
        before = (folder / "surface.csv").read_text()
        assert before.count("\n") == 26
        kept = folder / "blocks/1-of-2.csv"
        time = kept.stat().st_mtime_ns
        (folder / "blocks/2-of-2.csv").unlink()
        (folder / "surface.csv").unlink()
        assert workflow.planned(*target) == {"surface_block": 1, "surface": 1}
        workflow.snakemake(*target)
    assert kept.stat().st_mtime_ns == time
    assert (folder / "surface.csv").read_text() == before


def test_another_grid_is_computed_without_training(smoke):
    wanted = {"surface": 4, "figure_data": 1, "figure": 1, "figure7": 1}
    with smoke.changed("config/scales/smoke.yaml", "surface_points: 5", "surface_points: 7"):
        assert smoke.planned(*SMOKE, "figure7") == wanted


def test_a_baseline_has_the_depth_that_its_autogrow_run_found(smoke):
    runs = smoke.folder / OUT / "runs"
    for baseline in runs.rglob("scratch-as-deep-as-periodic-*/seed0/summary.json"):
        source = baseline.parents[1].name.removeprefix("scratch-as-deep-as-")
        source = source.removesuffix("-equal-compute")
        found = json.loads((baseline.parents[2] / source / "seed0/summary.json").read_text())
        assert json.loads(baseline.read_text())["network"] == found["network"]


def test_a_run_at_equal_compute_computes_what_its_autogrow_run_did(smoke):
    runs = smoke.folder / OUT / "runs"
    for file in runs.rglob("scratch-*-equal-compute/seed0/summary.json"):
        equal = json.loads(file.read_text())
        source = file.parents[1].name.removesuffix("-equal-compute")
        source = source.removeprefix("scratch-as-deep-as-")
        grown = json.loads((file.parents[2] / source / "seed0/summary.json").read_text())
        one = equal["flops_training"] / equal["epochs"]["training"]
        assert equal["epochs"]["training"] == max(1, round(grown["flops_training"] / one))


def test_a_null_is_replayed_from_the_seed_networks_curve(smoke):
    table = pd.read_csv(smoke.folder / OUT / "tables/null_depth.csv", dtype=str)
    rows = load_catalogue("smoke").tables["null_depth"].rows
    row, cells = rows[0], table.iloc[0]
    never = smoke.folder / OUT / "runs" / row.runs["never_grown"] / "seed0"
    grown = smoke.folder / OUT / "runs" / row.runs["main"] / "seed0"
    spec = read_spec(grown)
    accuracies = list(pd.read_csv(never / "metrics.csv")["val_accuracy"])
    assert cells["null_depth"] == outcome(spec.growth_policy, (1, 1, 1), accuracies).text


def test_the_report_shows_every_run_and_says_that_nothing_is_meant(smoke):
    page = (smoke.folder / OUT / "report.html").read_text()
    assert "SMOKE TEST, NO SCIENTIFIC MEANING" in page
    assert "these runs support 0 and contradict 0" in page
    assert all(f'<h3 class="identity">{run}</h3>' in page for run in load_catalogue("smoke").runs)
    assert page.count("data:image/png;base64,") == len(FIGURES)


def test_snakemakes_own_report_has_tables_and_figures(smoke):
    smoke.snakemake("--report", "snakemake.html", *SMOKE, "all")
    page = (smoke.folder / "snakemake.html").read_text()
    assert all(text in page for text in ("Tables", "Figures", "Claims", "table5", "figure6"))


def test_claims_are_judged_but_neither_supported_nor_contradicted(smoke):
    verdicts = pd.read_csv(smoke.folder / OUT / "claims/claims.csv")["verdict"]
    assert set(verdicts) == {"not testable at this scale"}
    log = (smoke.folder / OUT / "logs/claims.log").read_text()
    assert len(log.splitlines()) < 10
    assert (smoke.folder / OUT / "claims/claims.md").read_text().startswith("# The paper's claims")


def test_after_everything_there_is_nothing_to_do(smoke):
    assert smoke.planned(*SMOKE, "all") == {}


def test_a_table_and_figures_need_only_their_runs_and_landscapes_of_one_seed(workflow):
    """Two seeds: table9 has eight runs, figure5 two with trajectories, figure7 four surfaces.

    Figure 7's runs are Table 9's, as K = 3, 30 and 50 have one counterpart.
    """
    targets = ("table9", "figure5", "figure7")
    jobs = workflow.planned("--config", "scale=smoke", "seeds=[7,8]", "--", *targets)
    assert {target: jobs.pop(target) for target in targets} == dict.fromkeys(targets, 1)
    assert jobs == {
        "train": 2 * 8 + 2,
        **{"table": 1, "figure_data": 1, "contoured_figure_data": 1, "figure": 2},
        **{"contour": 2, "surface": 4},
    }


def test_landscapes_are_cut_as_the_scale_says(workflow):
    planned = workflow.planned("--config", "scale=paper", "--", "figure6", "figure7")
    assert (planned["contour_block"], planned["surface_block"]) == (4 * 17, 6 * 17)


CHANGED = ("--config", "device=cpu", "cluster={jobs: {Plain4Net: {hours: 7}}}")


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ((), {("5760", "4", "64"), ("1440", "1", "4"), ("2880", "1", "4")}),
        (CHANGED, {("5760", "0", "64"), *[(str(h * 60), "0", "4") for h in (7, 24, 48)]}),
    ],
)
def test_the_slurm_profile_is_the_papers_scale_and_one_key_is_changed_alone(
    workflow, options, asked
):
    text = workflow.snakemake("-n", "--profile", "slurm", *options, "--", "table7", "table9")
    found = re.findall(r"runtime=(\d+),.* gpu=(\d), .*cpus_per_task=(\d+)", text)
    assert {*found} == asked
    several = "exec torchrun --standalone --nproc-per-node=4 -m autogrow run"
    assert text.count(several) == (0 if options else 21)  # the runs of table7
    for table in ("table7", "table9"):
        assert f"results/out/paper/tables/{table}.csv" in text


def test_another_protocol_has_its_own_folder(workflow):
    text = workflow.snakemake("-n", "--config", "scale=smoke", "protocol=holdout", "--", "table4")
    assert "results/out/smoke-holdout/tables/table4.csv" in text
    assert "protocol: holdout" in text


def test_other_conventions_have_their_own_folder_and_one_key_is_changed_alone(workflow):
    given = ("scale=smoke", "conventions=released", "choices={max_depth: none}")
    text = workflow.snakemake("-n", "-p", "--config", *given, "--", "table3", "figure2")
    assert "results/out/smoke-released/tables/table3.csv" in text
    assert "results/out/smoke/" not in text
    for told in ("finetuning: short", "subset: random", "max_depth: none", "--accuracy overall"):
        assert told in text


def test_the_plan_tells_what_is_done(smoke):
    text = smoke.snakemake("--config", "scale=smoke", "throughput=1e9", "--", "plan")
    [line] = [t for t in text.splitlines() if t.startswith("all, each run once")]
    runs = len(load_catalogue("smoke").runs)
    assert line.split()[-2] == f"{runs}/{runs}"


def test_tables_compare_with_themselves_and_with_changed_ones(smoke, tmp_path):
    reference = tmp_path / "reference"
    shutil.copytree(smoke.folder / OUT / "tables", reference)
    config = ("--config", "scale=smoke", f"reference={reference}", "--", "compare")
    smoke.snakemake(*config)
    compared = pd.read_csv(smoke.folder / OUT / "compare.csv")
    assert set(compared["verdict"]) == {"agrees"}
    table = pd.read_csv(reference / "table5.csv", dtype=str, keep_default_na=False)
    table.loc[3, "accuracy"] = "99.99"
    table.to_csv(reference / "table5.csv", index=False)
    smoke.snakemake(*config)
    compared = pd.read_csv(smoke.folder / OUT / "compare.csv")
    assert (compared["verdict"] == "undecided").sum() == 1  # one run against another
    (smoke.folder / OUT / "compare.csv").unlink()
