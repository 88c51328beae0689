"""A copy of the workflow in a temporary folder, and Snakemake run there for real."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import psutil
import pytest
from clones import clone


class Workflow:
    def __init__(self, folder):
        self.folder = folder

    def snakemake(self, *arguments, status=0):
        """Run Snakemake; return what it prints."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        text = done.stdout + done.stderr
        assert done.returncode == status, text
        return text

    @contextmanager
    def changed(self, file, old, new):
        """Replace a part of a file for as long as the context lasts."""
        path = self.folder / file
        kept = path.read_text()
        assert old in kept
        path.write_text(kept.replace(old, new))
        try:
            yield
        finally:
            path.write_text(kept)

    def interrupt(self, run, *arguments):
        """Run Snakemake and send SIGTERM to the run's own process after its first checkpoint.

        Return Snakemake's exit status and what it prints.
        """
        command = [sys.executable, "-m", "snakemake", "--cores", "1", *arguments]
        snakemake = subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        deadline = time.monotonic() + 600
        while not list(run.glob("checkpoint-*")):
            assert time.monotonic() < deadline
            assert snakemake.poll() is None, snakemake.communicate()[0]
            time.sleep(0.05)
        os.kill(json.loads((run / "lock").read_text())["pid"], signal.SIGTERM)
        text = snakemake.communicate()[0]
        return snakemake.returncode, text

    def planned(self, *arguments):
        """Jobs by rule that a dry run would do."""
        text = self.snakemake("-n", *arguments)
        stats = re.search(r"Job stats:\njob .*\n[- ]+\n((?:.+\n)+)", text)
        if stats is None:
            assert "Nothing to be done" in text, text
            return {}
        jobs = dict(line.split() for line in stats[1].strip().splitlines())
        return {rule: int(count) for rule, count in jobs.items() if rule != "total"}

    def make(self, *arguments):
        """Start make, with the packages that these tests use; return the process."""
        command = ["make", "-o", f"{sys.prefix}/.installed", f"VENV={sys.prefix}", *arguments]
        return subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def kill_when(self, ready, make):
        """Kill the Snakemake that make starts, once ``ready()`` is true, and nothing else."""
        while make.poll() is None:
            if ready():
                begun = []
                for process in psutil.Process(make.pid).children(recursive=True):
                    with suppress(psutil.Error):  # it has just ended
                        if any(word.endswith("/snakemake") for word in process.cmdline()):
                            begun.append((process.create_time(), process.pid))
                os.kill(min(begun)[1], signal.SIGKILL)  # the first; others are its jobs
                return
            time.sleep(0.02)
        raise AssertionError(f"make ended first: {make.communicate()[0][-2000:]}")

    def found(self, pattern):
        """Return the files of all runs that have such a name."""
        return list(self.folder.glob(f"results/out/*/runs/**/{pattern}"))


@pytest.fixture
def fresh(tmp_path):
    """A copy of the workflow for one test, in which nothing was run."""
    return Workflow(clone(tmp_path / "clone"))


@pytest.fixture(scope="session")
def workflow(tmp_path_factory):
    """A copy whose path holds what Snakemake takes for a wildcard, and a blank."""
    return Workflow(clone(tmp_path_factory.mktemp("clone") / "my {run}"))


@pytest.fixture(scope="session")
def smoke(workflow):
    """The workflow after everything was run at the scale `smoke`.

    Its Snakemake was killed twice, while the first runs were trained and later, and started
    again: what the other tests look at must be there all the same.
    """
    workflow.killed = []
    for ready in (lambda: workflow.found("lock"), lambda: len(workflow.found("summary.json")) > 8):
        make = workflow.make("reproduce", "SCALE=smoke")
        workflow.kill_when(ready, make)
        make.wait()
        workflow.killed.append({f: f.read_bytes() for f in workflow.found("summary.json")})
        # Not read to its end: the jobs that are left behind hold the pipe open.
        make.stdout.close()
    last = workflow.make("reproduce", "SCALE=smoke")
    workflow.told = last.communicate()[0]
    assert last.returncode == 0, workflow.told
    # As they are now: tests may train a run again.
    workflow.finished = {f: f.read_bytes() for f in workflow.found("summary.json")}
    workflow.logs = [f.read_text() for f in workflow.found("log.txt")]
    return workflow
