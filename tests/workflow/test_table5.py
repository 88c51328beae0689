"""Table 5 through the real Snakemake at the scale `smoke`."""

import os
import shutil

import pandas as pd
import pytest

from analysis.experiments.catalogue import load_catalogue
from autogrow.cli.main import main

SMOKE = ("--config", "scale=smoke", "--")
OUT = "results/out/smoke"


def test_every_row_of_the_paper_is_a_run_with_the_papers_numbers_beside_ours(smoke):
    ours = pd.read_csv(smoke.folder / OUT / "tables/table5.csv")
    paper = pd.read_csv(smoke.folder / "results/paper/table5.csv")
    assert list(ours["paper_dataset"]) == list(paper["dataset"])
    assert list(ours["paper_K"]) == list(paper["K"])
    assert list(ours["paper_found_net"]) == list(paper["found_net"])
    assert list(ours["paper_accuracy"]) == list(paper["accuracy"])
    assert ours["dataset"].str.contains("digits").all()
    assert ours["accuracy"].between(0, 100).all()
    runs = pd.read_csv(smoke.folder / OUT / "tables/table5_seeds.csv", keep_default_na=False)
    assert set(runs["role"]) == {"main", "never_grown"}
    runs = runs[runs["role"] == "main"]
    rows = load_catalogue("smoke").tables["table5"].rows
    assert list(runs["run"]) == [row.runs["main"] for row in rows]
    assert runs["run"].nunique() == 1  # every K has one counterpart, and so have both data sets


def test_deleting_one_summary_reruns_that_run_and_the_table_only(smoke):
    runs = sorted((smoke.folder / OUT / "runs").rglob("summary.json"))
    before = {run: run.stat().st_mtime_ns for run in runs}
    table = (smoke.folder / OUT / "tables/table5.csv").read_text()
    [deleted] = (smoke.folder / OUT / "runs").glob(
        "Basic3ResNet/digits-fraction0.1/periodic-K1-GauInit/seed0/summary.json"
    )
    deleted.unlink()
    assert smoke.planned(*SMOKE, "table5") == {"train": 1, "table": 1, "table5": 1}
    smoke.snakemake(*SMOKE, "table5")
    after = {run: run.stat().st_mtime_ns for run in runs}
    assert [run for run in runs if before[run] != after[run]] == [deleted]
    assert (smoke.folder / OUT / "tables/table5.csv").read_text() == table


def test_touching_source_files_never_retrains(smoke):
    for file in ("analysis/tables/build.py", "autogrow/runs/run.py", "workflow/rules/train.smk"):
        os.utime(smoke.folder / file)
    assert "rule train:" not in smoke.snakemake(*SMOKE, "table5")


@pytest.mark.parametrize(
    ("old", "new", "table", "runs"),
    [
        ("CIFAR100: {data: digits", "CIFAR100: {downscale: 2, data: digits", "table5", 2),
        ("\nepochs: 2", "\nepochs: 3", "table9", 4),  # the baselines
        ("finetune_epochs: 2", "finetune_epochs: 3", "table5", 1),
        ("K: {50: 1", "K: {50: 2", "table5", 1),
    ],
)
def test_a_changed_setting_retrains_the_runs_it_concerns(smoke, old, new, table, runs):
    with smoke.changed("config/scales/smoke.yaml", old, new):
        assert smoke.planned(*SMOKE, table)["train"] == runs


def test_another_choice_retrains_what_it_concerns(smoke):
    choice = ("--config", "scale=smoke", "choices={uniform_noise: unit}", "--", "table8")
    assert smoke.planned(*choice)["train"] == 1  # UniInit
    assert "train" not in smoke.planned("--config", "scale=smoke", "device=auto", "--", "table8")


def test_a_bad_configuration_is_told_in_words(smoke):
    told = smoke.snakemake("-n", "--config", "seeds=[0,0]", status=1)
    assert "each seed once" in told
    assert "Traceback" not in told


def test_results_do_not_depend_on_the_folder(smoke, tmp_path):
    [first, *_] = sorted((smoke.folder / OUT / "runs/Basic3ResNet").rglob("metrics.csv"))
    shutil.copy(first.with_name("spec.yaml"), tmp_path / "spec.yaml")
    out = tmp_path / "again"
    options = ["--out", str(out), "--threads", "1", "--device", "cpu", "--quiet"]
    assert main(["run", str(tmp_path / "spec.yaml"), *options]) == 0
    mine, theirs = (pd.read_csv(f).drop(columns="seconds") for f in (out / "metrics.csv", first))
    pd.testing.assert_frame_equal(mine, theirs, check_exact=True)
