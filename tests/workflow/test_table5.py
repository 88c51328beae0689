"""Table 5 through the real Snakemake at the scale `smoke`."""

import os
import shutil

import pandas as pd
import pytest

SMOKE = ("--config", "scale=smoke", "--")
OUT = "results/out/smoke"


@pytest.fixture
def table5(smoke):
    return smoke


def test_every_row_of_the_paper_is_a_run_with_the_papers_numbers_beside_ours(table5):
    ours = pd.read_csv(table5.folder / OUT / "tables/table5.csv")
    paper = pd.read_csv(table5.folder / "results/paper/table5.csv")
    assert list(ours["paper_dataset"]) == list(paper["dataset"])
    assert list(ours["paper_K"]) == list(paper["K"])
    assert list(ours["paper_found_net"]) == list(paper["found_net"])
    assert list(ours["paper_accuracy"]) == list(paper["accuracy"])
    assert ours["dataset"].str.contains("digits").all()
    assert ours["accuracy"].between(0, 100).all()
    runs = pd.read_csv(table5.folder / OUT / "tables/table5_seeds.csv")
    assert runs["run"].nunique() == len(paper)


def test_smoke_outputs_are_stamped_as_meaningless(table5):
    ours = pd.read_csv(table5.folder / OUT / "tables/table5.csv")
    assert ours["stamp"].str.contains("NO SCIENTIFIC MEANING").all()
    text = (table5.folder / OUT / "tables/table5.md").read_text()
    assert "**SMOKE TEST, NO SCIENTIFIC MEANING**" in text
    assert "digits, 10 % of its training set" in text


def test_after_it_is_done_there_is_nothing_to_do(table5):
    assert table5.planned(*SMOKE, "table5") == {}


def test_deleting_one_summary_reruns_that_run_and_the_table_only(table5):
    runs = sorted((table5.folder / OUT / "runs").rglob("summary.json"))
    before = {run: run.stat().st_mtime_ns for run in runs}
    table = (table5.folder / OUT / "tables/table5.csv").read_text()
    [deleted] = (table5.folder / OUT / "runs").glob(
        "Basic3ResNet/digits-fraction0.1/periodic-K5-GauInit/seed0/summary.json"
    )
    deleted.unlink()
    assert table5.planned(*SMOKE, "table5") == {"train": 1, "table": 1, "table5": 1}
    table5.snakemake(*SMOKE, "table5")
    after = {run: run.stat().st_mtime_ns for run in runs}
    assert [run for run in runs if before[run] != after[run]] == [deleted]
    assert (table5.folder / OUT / "tables/table5.csv").read_text() == table


def test_touching_source_files_never_retrains(table5):
    for file in ("analysis/tables/build.py", "autogrow/runs/run.py", "workflow/rules/train.smk"):
        os.utime(table5.folder / file)
    assert "train" not in table5.planned(*SMOKE, "table5")
    table5.snakemake(*SMOKE, "table5")


@pytest.mark.parametrize(
    ("old", "new", "table", "runs"),
    [
        ("data_fraction: 0.15", "data_fraction: 0.2", "table5", 6),  # a data set's six runs
        ("\nepochs: 2", "\nepochs: 3", "table9", 4),  # the baselines
        ("finetune_epochs: 2", "finetune_epochs: 3", "table5", 12),
        ("K: {50: 6", "K: {50: 7", "table5", 2),
    ],
)
def test_a_changed_setting_retrains_the_runs_it_concerns(table5, old, new, table, runs):
    file = table5.folder / "config/scales/smoke.yaml"
    kept = file.read_text()
    assert old in kept
    try:
        file.write_text(kept.replace(old, new))
        assert table5.planned(*SMOKE, table)["train"] == runs
    finally:
        file.write_text(kept)


def test_another_choice_retrains_what_it_concerns(table5):
    choice = ("--config", "scale=smoke", "choices={uniform_noise: unit}", "--", "table8")
    assert table5.planned(*choice)["train"] == 2  # UniInit on two data sets
    assert "train" not in table5.planned("--config", "scale=smoke", "device=auto", "--", "table8")


def test_a_bad_configuration_is_told_in_words(table5):
    for setting, wanted in (
        ("scale=huge", "'smoke', 'mini' or 'paper'"),
        ("seeds=[0,0]", "each seed once"),
        ("sede=3", "unknown key 'sede'"),
    ):
        done = table5.snakemake("-n", "--config", setting, check=False)
        assert done.returncode != 0
        assert wanted in done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr


def test_results_do_not_depend_on_the_folder(table5, tmp_path):
    [first, *_] = sorted((table5.folder / OUT / "runs/Basic3ResNet").rglob("metrics.csv"))
    shutil.copy(first.with_name("spec.yaml"), tmp_path / "spec.yaml")
    from autogrow.cli.main import main

    out = tmp_path / "again"
    assert main(["run", str(tmp_path / "spec.yaml"), "--out", str(out), "--threads", "1",
                 "--device", "cpu", "--quiet"]) == 0  # fmt: skip
    mine, theirs = (pd.read_csv(f).drop(columns="seconds") for f in (out / "metrics.csv", first))
    pd.testing.assert_frame_equal(mine, theirs, check_exact=True)
