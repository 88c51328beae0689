"""A copy of the workflow in a temporary folder, and Snakemake run there for real."""

import re
import subprocess
import sys

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


@pytest.fixture(scope="session")
def workflow(tmp_path_factory):
    return Workflow(clone(tmp_path_factory.mktemp("clone")))


@pytest.fixture(scope="session")
def smoke(workflow):
    """The workflow after everything was run at the scale `smoke`."""
    workflow.snakemake("--config", "scale=smoke", "--", "all")
    return workflow
