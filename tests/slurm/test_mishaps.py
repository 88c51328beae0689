"""What happens to jobs on a cluster: every run ends complete, continuing from its checkpoint."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from real_slurm import wait_for

from autogrow.training import checkpoint

ROOT = Path(__file__).resolve().parents[2]
FIGURE = "results/out/smoke/figures/figure2.csv"
RUN = "results/out/smoke/runs/Basic3ResNet/digits-fraction0.1/periodic-K1-GauInit"
EPOCHS = 150
OPTIONS = ("--config", "scale=smoke", "device=cpu")
OPTIONS += ("cluster={jobs: {Basic3ResNet: {cpus: 1, mem_gb: 2, hours: 1}}}",)


@pytest.fixture
def long_runs(fresh_clone, run_of):
    """A clone whose run of Figure 2 is long enough to be interrupted; the run's seeds."""
    fresh_clone.change(
        "config/scales/smoke.yaml", "finetune_epochs: 2", f"finetune_epochs: {EPOCHS}"
    )
    fresh_clone.seeds = lambda *seeds: [
        run_of(fresh_clone.folder / RUN / f"seed{seed}") for seed in seeds
    ]
    return fresh_clone


def state(slurm, job):
    return slurm.job(job)["JobState"]


def test_jobs_cancelled_out_of_time_or_waiting_for_a_node(slurm, long_runs):
    snakemake = long_runs.start(*OPTIONS, "seeds=[0,1,2]", "--", FIGURE)
    cancelled, out_of_time, untouched = long_runs.seeds(0, 1, 2)

    _, late_job = out_of_time.in_the_middle()
    slurm.command(f"scontrol update jobid={late_job} timelimit=1")  # minute, since its start

    process, cancelled_job = cancelled.in_the_middle()
    slurm.command("scontrol update nodename=localhost state=drain reason=test")
    slurm.command(f"scancel {cancelled_job}")
    [waiting] = wait_for(lambda: slurm.jobs("pending"), "the cancelled job's successor")
    assert "DRAIN" in slurm.command("sinfo -h -o %T").upper()
    # Its process was told to stop, and may have written its checkpoint and ended by now.
    assert cancelled.writer in (process, None), "nobody goes on while the node is drained"
    assert state(slurm, cancelled_job) == "CANCELLED"
    slurm.command("scontrol update nodename=localhost state=resume")
    wait_for(lambda: state(slurm, waiting) != "PENDING", "the node to be used again")

    long_runs.finish(snakemake)
    assert state(slurm, late_job) == "TIMEOUT"
    for run, continued in ((cancelled, 1), (out_of_time, 1), (untouched, 0)):
        assert run.done
        assert run.told.count("continuing after epoch") == continued, run.told
    assert (long_runs.folder / FIGURE).exists()


def test_snakemake_killed_and_started_again_while_its_jobs_go_on(slurm, long_runs):
    snakemake = long_runs.start(*OPTIONS, "seeds=[0,1]", "--", FIGURE)
    cancelled, left_alone = long_runs.seeds(0, 1)
    orphans = [run.in_the_middle() for run in (cancelled, left_alone)]
    snakemake.kill()
    snakemake.wait()
    jobs = [job for _, job in orphans]
    assert [state(slurm, job) for job in jobs] == ["RUNNING"] * 2

    told = long_runs.snakemake(*OPTIONS, "seeds=[0,1]", "--", FIGURE, status=1)
    assert "--unlock" in told
    long_runs.snakemake("--unlock", *OPTIONS, "seeds=[0,1]")
    again = long_runs.start(*OPTIONS, "seeds=[0,1]", "--", FIGURE)
    for run, (process, _) in zip((cancelled, left_alone), orphans, strict=True):
        wait_for(lambda run=run: "waiting for it" in run.told, "a second job")
        assert f"process {process} on " in run.told
        assert run.writer == process, "two jobs must never write into one folder"
    slurm.command(f"scancel {jobs[0]}")
    os.kill(orphans[1][0], signal.SIGCONT)
    long_runs.finish(again)

    assert "continuing after epoch" in cancelled.told
    assert "this run is complete; nothing to do" in left_alone.told
    assert "continuing after epoch" not in left_alone.told
    assert cancelled.done
    assert left_alone.done
    assert (long_runs.folder / FIGURE).exists()


def test_the_signal_before_the_time_limit_stops_a_run_with_a_checkpoint(slurm, tmp_path, tiny):
    """A job of one's own, as docs/cluster.md has it: SIGUSR1, exit status 75, the same again."""
    out = tmp_path / "run"
    run = [sys.executable, "-m", "autogrow", *tiny.train, "--epochs", "100000", "--out", out]
    script = tmp_path / "job.sh"
    script.write_text(f"#!/bin/sh\ncd {ROOT}\nexec {shlex.join(map(str, run))}\n")
    options = f"--parsable --time=2 --signal=B:USR1@60 --output={tmp_path}/told.txt"
    job = slurm.command(f"sbatch {options} {script}")
    wait_for(lambda: state(slurm, job) == "FAILED", "Slurm's signal, and the end of the run")
    assert slurm.job(job)["ExitCode"] == "75:0"
    assert (tmp_path / "told.txt").read_text().startswith("autogrow: interrupted: SIGUSR1: ")
    [*_, newest] = checkpoint.files(out)
    epoch = int(newest.name.split("-")[1])
    assert epoch > 0
    again = subprocess.Popen(run, cwd=ROOT)
    wait_for(lambda: f"continuing after epoch {epoch}" in (out / "log.txt").read_text(), "it")
    again.terminate()
    assert again.wait(timeout=60) == 75
