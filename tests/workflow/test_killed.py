"""After Snakemake was killed, `make reproduce` continues, and nothing is lost."""

import json
import re
import subprocess
import sys

import pytest
from clones import clone
from run_results import results

from analysis.jobs import unlock

OUT = "results/out/smoke"
EPOCH_1 = re.compile(r"epoch 1/\d+ (growing|training)")


def test_a_lock_was_left_and_taken_away(smoke):
    assert "removed the lock of a Snakemake that was killed" in smoke.told
    assert not unlock.is_locked(smoke.folder)


def test_no_finished_run_was_trained_again(smoke):
    for then in smoke.killed:
        assert then.items() <= smoke.finished.items()
    assert len(smoke.killed[-1]) > 8


def test_no_run_was_trained_twice_even_in_part(smoke):
    """What was left behind went on training, and was waited for."""
    assert len(smoke.logs) == len(smoke.finished) > 50
    for told in smoke.logs:
        assert len(EPOCH_1.findall(told)) == 1, told
        assert "continuing after" not in told


def test_everything_is_whole(smoke):
    folder = smoke.folder / OUT
    assert list(folder.rglob("*.tmp")) == list(folder.rglob(".*.tmp")) == []
    assert list(folder.rglob("checkpoint-*")) == list(folder.rglob("runs/**/lock")) == []
    for summary in folder.rglob("summary.json"):
        assert json.loads(summary.read_text())["status"] in ("complete", "diverged")


@pytest.fixture
def locked(tmp_path):
    folder = clone(tmp_path / "clone")
    (folder / unlock.LOCKS).mkdir(parents=True)
    (folder / unlock.LOCKS / "0.input.lock").write_text("Snakefile\n")
    return folder


def run_unlock(folder):
    command = [sys.executable, "-m", "analysis", "unlock"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_the_lock_of_a_living_snakemake_stays(locked):
    """A Snakemake in this folder keeps its lock; one in another folder does not matter."""
    script = locked.parent / "snakemake"
    script.write_text("import time\ntime.sleep(3600)\n")
    for folder, status in ((locked, 2), (locked.parent, 0)):
        alive = subprocess.Popen([sys.executable, script], cwd=folder)
        try:
            done = run_unlock(locked)
        finally:
            alive.kill()
            alive.wait()
        assert done.returncode == status
        if folder == locked:
            assert done.stderr.count("\n") == 1
            assert f"process {alive.pid}" in done.stderr
            assert unlock.is_locked(locked)
    assert not unlock.is_locked(locked)
    assert run_unlock(locked).stdout == ""


RUN = "results/out/smoke/runs/Basic3ResNet/digits-fraction0.1/periodic-K1-GauInit/seed0"


def test_an_interrupted_run_is_started_again_and_continues(fresh):
    """SIGTERM to a job alone: exit status 75, and Snakemake's next try resumes."""
    scale = fresh.folder / "config/scales/smoke.yaml"
    scale.write_text(scale.read_text().replace("finetune_epochs: 2", "finetune_epochs: 150"))
    run = fresh.folder / RUN
    status, told = fresh.interrupt(run, "--config", "scale=smoke", "--", f"{RUN}/summary.json")
    assert status == 0, told
    assert "Trying to restart job" in told
    log = (run / "log.txt").read_text()
    assert log.count("continuing after epoch") == 1
    assert len(EPOCH_1.findall(log)) == 1


def test_a_summary_of_other_settings_that_snakemake_restored_is_no_result(tiny, cli, tmp_path):
    """An update that failed: Snakemake puts the old outputs beside the new checkpoints."""
    out = tmp_path / "run"
    assert cli(*tiny.train, "--out", out).status == 0
    names = ("summary.json", "metrics.csv", "weights.safetensors")
    old = {name: (out / name).read_bytes() for name in names}
    again = [*tiny.train, "--seed", "1", "--replace", "--out", out]
    assert cli(*tiny.train, "--seed", "1", "--out", tmp_path / "whole").status == 0
    assert cli(*again).status == 0
    (out / "summary.json").unlink()
    for name, content in old.items():
        (out / name).write_bytes(content)
    assert cli(*again).status == 0
    assert results(out) == results(tmp_path / "whole")
