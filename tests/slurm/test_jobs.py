"""Tables and figures through `sbatch` on a real Slurm, and what the jobs asked for."""

import json
import re
import signal
from pathlib import Path

import pandas as pd
import pytest
from real_slurm import wait_for

ROOT = Path(__file__).resolve().parents[2]
OUT = "results/out/smoke"


def sizes(gpus=1, networks=("Basic3ResNet", "Plain3Net", "Basic4ResNet", "Plain4Net")):
    """Jobs of one CPU for each GPU."""
    size = {"gpus": gpus, "cpus": gpus, "mem_gb": 2, "hours": 1}
    return f"cluster={ {'gpu_type': 'fake', 'jobs': dict.fromkeys(networks, size)} }"


def test_tables_and_a_figure_are_made_by_jobs_of_one_cpu(slurm, fresh_clone):
    before = {*slurm.jobs("all")}
    options = ("--jobs", "3", "--config", "scale=smoke", "device=cpu", sizes(), "--")
    fresh_clone.snakemake(*options, "table4", "figure2")
    frame = pd.read_csv(fresh_clone.folder / OUT / "tables/table4.csv")
    assert len(frame) == 4
    assert frame["accuracy"].between(0, 100).all()
    assert (fresh_clone.folder / OUT / "figures/figure2.png").stat().st_size > 1000
    runs = list((fresh_clone.folder / OUT / "runs").rglob("summary.json"))
    jobs = [job for job in slurm.every_job() if job["JobId"] not in before]
    assert len(jobs) == len(runs) == 8  # one run is table4's and figure2's
    for job in jobs:
        assert job["JobState"] == "COMPLETED"
        assert job["Comment"].startswith("rule_train_")
        assert (job["CPUs/Task"], job["NumNodes"], job["TimeLimit"]) == ("1", "1", "01:00:00")
        assert "gpu" not in job["TRES"] + job.get("TresPerJob", "")
        assert job["MinMemoryNode"] == "2000M"
    assert fresh_clone.snakemake("-n", *options, "table4", "figure2").count("Nothing to be done")


def test_gpus_are_asked_for_one_or_several(slurm, fresh_clone):
    """The GPUs are no GPUs: `device=auto` asks for them and then makes do without."""
    before = {*slurm.jobs("all")}
    run = "digits-fraction0.1/periodic-K1-GauInit/seed0"
    one, two = (f"{network}/{run}" for network in ("Plain3Net", "Plain4Net"))
    surface = f"{OUT}/landscapes/{one}/surface/surface.csv"
    config = ("--config", "scale=smoke", "device=auto")
    fresh_clone.snakemake(*config, sizes(networks=("Plain3Net", "landscape")), "--", surface)
    fresh_clone.snakemake(*config, sizes(gpus=2), "--", f"{OUT}/runs/{two}/summary.json")
    jobs = [job for job in slurm.every_job() if job["JobId"] not in before]
    assert [job["JobState"] for job in jobs] == ["COMPLETED"] * 3
    gpus = {job["Comment"].split("_wildcards_")[0]: job["TresPerJob"] for job in jobs}
    assert gpus["rule_surface"] == "gres:gpu:fake:1"
    asked = sorted(job["TresPerJob"] for job in jobs)
    assert asked == ["gres:gpu:fake:1", "gres:gpu:fake:1", "gres:gpu:fake:2"]
    assert (fresh_clone.folder / surface).exists()
    for run, processes in ((one, 1), (two, 2)):
        summary = json.loads((fresh_clone.folder / OUT / f"runs/{run}/summary.json").read_text())
        assert summary["processes"] == processes


def sbatch_lines(text):
    """What Snakemake called, without what differs from call to call."""
    for line in re.findall(r"sbatch call: (sbatch .*?) --wrap=", text):
        line = re.sub(r"--job-name \S+", "--job-name RUN", line)
        yield " ".join(re.sub(r"/\S*?/clone\b", "CLONE", line).split())


@pytest.mark.parametrize(
    ("run", "asked"),
    [
        (
            "Basic3ResNet/CIFAR10/periodic-K3-GauInit",
            {"TresPerJob": "gres:gpu:1", "CPUs/Task": "4", "TimeLimit": "1-00:00:00"},
        ),
        (
            "Basic4ResNet/ImageNet/periodic-K2-GauInit",
            {"TresPerJob": "gres:gpu:4", "CPUs/Task": "64", "TimeLimit": "4-00:00:00"},
        ),
    ],
)
def test_the_papers_runs_ask_for_what_the_documentation_says(slurm, fresh_clone, run, asked):
    slurm.command("scontrol update nodename=localhost state=drain reason=test")
    snakemake = fresh_clone.start("--verbose", f"results/out/paper/runs/{run}/seed0/summary.json")
    [number] = wait_for(slurm.jobs, "a job in the queue")
    job = slurm.job(number)
    assert job["JobState"] == "PENDING"
    assert {key: job[key] for key in asked} == asked
    assert job["NumNodes"] in ("1", "1-1")
    snakemake.send_signal(signal.SIGINT)
    told = fresh_clone.finish(snakemake, status=1)
    assert slurm.jobs() == {}, "Ctrl-C cancels the jobs"
    [line] = sbatch_lines(told)
    assert line in " ".join((ROOT / "docs/cluster.md").read_text().split())
