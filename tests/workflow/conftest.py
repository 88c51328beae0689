"""A copy of the workflow in a temporary folder, and Snakemake run there for real."""

import random
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest
from clones import clone


class Workflow:
    def __init__(self, folder):
        self.folder = folder

    def snakemake(self, *arguments, check=True):
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    def planned(self, *arguments):
        """Jobs by rule that a dry run would do."""
        done = self.snakemake("-n", *arguments)
        text = done.stdout + done.stderr
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

    def kill_after(self, seconds, make):
        """Kill the Snakemake that make starts, a while after it has begun, and nothing else."""
        while make.poll() is None:
            for child in psutil.Process(make.pid).children(recursive=True):
                with suppress(psutil.Error):  # it has just ended
                    if any(word.endswith("/snakemake") for word in child.cmdline()):
                        time.sleep(seconds)
                        child.send_signal(signal.SIGKILL)
                        return
            time.sleep(0.05)
        raise AssertionError(f"no Snakemake: {make.communicate()[0][-2000:]}")


KILLS = 5


@pytest.fixture
def fresh(tmp_path):
    """A copy of the workflow for one test, in which nothing was run."""
    return Workflow(clone(tmp_path / "clone"))


@pytest.fixture(scope="session")
def workflow(tmp_path_factory):
    return Workflow(clone(tmp_path_factory.mktemp("clone")))


@pytest.fixture(scope="session")
def smoke(workflow):
    """The workflow after everything was run at the scale `smoke`.

    Its Snakemake was killed at random moments and started again: what the other tests look
    at must be there all the same.
    """
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    moments = random.Random(seed)
    workflow.killed = []
    for _ in range(KILLS):
        make = workflow.make("reproduce", "SCALE=smoke")
        workflow.kill_after(moments.uniform(1, 25), make)
        make.wait()
        workflow.killed.append(
            {f: f.read_bytes() for f in workflow.folder.glob("results/out/**/summary.json")}
        )
        # Not read to its end: the jobs that are left behind hold the pipe open.
        make.stdout.close()
    last = workflow.make("reproduce", "SCALE=smoke")
    workflow.told = last.communicate()[0]
    assert last.returncode == 0, workflow.told
    return workflow
