"""`make reproduce`: one line for the workflow, Snakemake's output in a file, its exit status."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest
from terminals import under_a_terminal

from analysis.experiments.scales import ROOT
from analysis.jobs.reproduce import Workflow

# Stands for Snakemake: tells its steps, then ends as it is told to, or waits for a signal.
SNAKEMAKE = """#!{python}
import signal, sys, time
def stop(number, frame):
    print("Will exit after finishing currently running jobs", flush=True)
    sys.exit(9)
signal.signal(signal.SIGTERM, stop)
print("total          12", flush=True)
print("1 of 12 steps (8%) done", flush=True)
print(*sys.argv[1:], flush=True)
{end}
"""
# The command, with that Snakemake beside its Python.
SCRIPT = (
    "import sys; from analysis import __main__; from analysis.jobs import reproduce; "
    "reproduce.PAUSE = 0.05; sys.executable = sys.argv[1]; "
    "sys.exit(__main__.main(['reproduce', '--scale', 'smoke']))"
)


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Return the command line that runs a Snakemake which ends in a certain way."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def make(end):
        program = tmp_path / "snakemake"
        program.write_text(SNAKEMAKE.format(python=sys.executable, end=end))
        program.chmod(0o755)
        return [sys.executable, "-c", SCRIPT, tmp_path / "python"]

    return make


def log_of(folder):
    [log] = folder.glob("results/out/smoke/logs/snakemake-*.log")
    return log


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("sys.exit(0)", 0),
        ("sys.exit('broken job')", 1),
        ("import os; os.kill(os.getpid(), signal.SIGKILL)", 128 + signal.SIGKILL),
    ],
)
def test_elsewhere_than_on_a_terminal(command, tmp_path, end, status):
    out = tmp_path / "results/out/smoke"
    (out / "logs").mkdir(parents=True)
    (out / "compare.csv").touch()
    (out / "logs/compare.log").write_text("counts\nworst\nto be decided\nnote: more\n")
    (out / "claims").mkdir()
    (out / "claims/claims.md").touch()
    verdicts = [f"line {number}" for number in range(1, 20)]
    (out / "logs/claims.log").write_text("\n".join(verdicts))
    done = subprocess.run(command(end), cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == status
    log = log_of(tmp_path)
    assert "--cores all --config scale=smoke" in log.read_text()
    told = done.stderr.splitlines()
    if not status:
        compared = "Against the reference (results/out/smoke/compare.csv):"
        shown = [compared, "counts", "worst", "to be decided"]
        shown += ["Claims (results/out/smoke/claims/claims.md):", *verdicts[:9]]
        assert told[-14:] == shown
        told = told[:-14]
    assert str(log.relative_to(tmp_path)) in told[-1]
    assert re.search(r"^\[0:\d\d\] 1 of 12 jobs done \(8 %\)$", done.stderr, re.MULTILINE)
    assert ("broken job" in done.stderr) == ("broken job" in end)
    assert ("results/out/smoke/tables" in done.stderr) == (not status)
    assert "\x1b" not in done.stderr


def test_sigterm_is_handed_on(command, tmp_path):
    process = subprocess.Popen(
        command("time.sleep(60)"), cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    assert "Snakemake's output" in process.stderr.readline()
    while b"--cores" not in log_of(tmp_path).read_bytes():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    told = process.communicate()[1]
    assert process.returncode == 9, told
    assert "Will exit after finishing" in told


def test_ctrl_c_on_a_terminal_reaches_snakemake(command, tmp_path):
    line = command("time.sleep(60)")
    told = under_a_terminal(line, cwd=tmp_path, interrupt_at="1 of 12 jobs")
    assert "KeyboardInterrupt" in log_of(tmp_path).read_text()  # Snakemake's, not ours
    assert told.status == 128 + signal.SIGINT
    assert "Snakemake failed" in told.states[-1]


def test_the_lines_of_a_workflow(tmp_path):
    log = tmp_path / "log"
    run = tmp_path / "runs/net/seed0"
    run.mkdir(parents=True)
    (run / "lock").write_text(json.dumps({"host": "elsewhere", "pid": os.getpid()}))
    log.write_text("")
    workflow = Workflow(log, tmp_path / "runs")
    assert "looking for what is to be done, 1 run at work" in workflow.lines()[0]
    with log.open("a") as file:
        file.write("total   40\n3 of 40 steps (8%) done\n10 of 40 st")
        file.flush()
        assert "3 of 40 jobs done (7 %)" in workflow.lines()[0]
        file.write("eps (25%) done\n")
        file.flush()
        first, second = workflow.lines()
        assert "10 of 40 jobs done (25 %), 1 run at work, about 0:00 left" in first
        assert second == "  net/seed0: starting"
