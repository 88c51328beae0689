"""Every target through the real Snakemake at the scale `smoke`."""

import json

import pandas as pd
import pytest

SMOKE = ("--config", "scale=smoke", "--")
OUT = "results/out/smoke"
TABLES = [f"table{n}" for n in range(2, 12)]


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_written_in_every_form(smoke, table):
    folder = smoke.folder / OUT / "tables"
    ours = pd.read_csv(folder / f"{table}.csv", dtype=str, keep_default_na=False)
    paper = pd.read_csv(smoke.folder / f"results/paper/{table}.csv", dtype=str)
    assert len(ours) == len(paper)
    assert ours["stamp"].str.contains("NO SCIENTIFIC MEANING").all()
    assert ours["dataset"].str.contains("digits|MNIST5000").all()
    assert "NO SCIENTIFIC MEANING" in (folder / f"{table}.md").read_text()
    assert "NO SCIENTIFIC MEANING" in (folder / f"{table}.tex").read_text()
    long_form = pd.read_csv(folder / f"{table}_seeds.csv")
    assert set(long_form["row"]) == set(ours["row"])


@pytest.mark.parametrize("figure", ["figure3", "figure4"])
def test_figures_have_their_runs(smoke, figure):
    frame = pd.read_csv(smoke.folder / OUT / f"figures/{figure}.csv")
    assert frame["stamp"].notna().all()
    assert (frame["parameters"] > 0).all()
    assert (frame["flops"] > 0).all()


def test_a_baseline_has_the_depth_that_its_autogrow_run_found(smoke):
    runs = smoke.folder / OUT / "runs"
    for baseline in runs.rglob("scratch-as-deep-as-periodic-*/seed0/summary.json"):
        source = baseline.parents[1].name.removeprefix("scratch-as-deep-as-")
        found = json.loads((baseline.parents[2] / source / "seed0/summary.json").read_text())
        assert json.loads(baseline.read_text())["network"] == found["network"]


def test_after_everything_there_is_nothing_to_do(smoke):
    assert smoke.planned(*SMOKE, "all") == {}


def test_one_table_needs_only_its_own_runs(workflow):
    planned = workflow.planned("--config", "scale=smoke", "seeds=[7]", "--", "table9")
    assert planned == {"train": 6, "table": 1, "table9": 1}


def test_seeds_multiply_everything(workflow):
    one = workflow.planned("--config", "scale=paper", "seeds=[0]", "--", "tables")
    five = workflow.planned("--config", "scale=paper", "seeds=[0,1,2,3,4]", "--", "tables")
    assert five["train"] == 5 * one["train"]
    assert five["table"] == one["table"] == 10


def test_another_protocol_has_its_own_folder(workflow):
    done = workflow.snakemake("-n", "--config", "scale=smoke", "protocol=holdout", "--", "table4")
    assert "results/out/smoke-holdout/tables/table4.csv" in done.stdout + done.stderr
    assert "--protocol holdout" in done.stdout + done.stderr


def test_the_plan_tells_what_is_done(smoke):
    done = smoke.snakemake("--config", "scale=smoke", "throughput=1e9", "--", "plan")
    [line] = [t for t in done.stdout.splitlines() if t.startswith("all, each run once")]
    *_, done_of_all, _left = line.split()
    done_runs, all_runs = done_of_all.split("/")
    assert done_runs == all_runs
    assert int(all_runs) > 140


def test_tables_compare_with_themselves_and_with_changed_ones(smoke, tmp_path):
    import shutil

    reference = tmp_path / "reference"
    shutil.copytree(smoke.folder / OUT / "tables", reference)
    config = ("--config", "scale=smoke", f"reference={reference}", "--", "compare")
    smoke.snakemake(*config)
    compared = pd.read_csv(smoke.folder / OUT / "compare.csv")
    assert set(compared["verdict"]) == {"within"}
    table = pd.read_csv(reference / "table5.csv", dtype=str, keep_default_na=False)
    table.loc[3, "accuracy"] = "99.99"
    table.to_csv(reference / "table5.csv", index=False)
    smoke.snakemake(*config)
    compared = pd.read_csv(smoke.folder / OUT / "compare.csv")
    assert (compared["verdict"] == "outside").sum() == 1
    (smoke.folder / OUT / "compare.csv").unlink()
