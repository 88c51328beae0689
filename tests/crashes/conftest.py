"""Runs that are killed, and those that nobody disturbed, to compare with."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


class Forks:
    """Runs the command in forked processes and ends them as asked."""

    def __init__(self, folder):
        self.errors = folder / "stderr.txt"
        self.process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("forks.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, arguments, *, call=None, at=None, memory=None):
        """Return exit status, or minus the signal that ended it."""
        request = {
            "arguments": [str(a) for a in arguments],
            "errors": str(self.errors),
            "call": call,
            "at": at,
            "memory": memory,
        }
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    @property
    def told(self):
        return self.errors.read_text()

    @property
    def calls(self):
        """Calls of functions in the last run that was given a call to be killed at."""
        return int(Path(f"{self.errors}.calls").read_text())


@pytest.fixture(scope="session")
def forks(tmp_path_factory):
    made = Forks(tmp_path_factory.mktemp("forks"))
    yield made
    made.process.stdin.close()
    made.process.wait()


@pytest.fixture(scope="session")
def cases(tiny):
    """A command line of each kind, AdamInit in each place; a few hundred steps each."""
    more = ["--data-fraction", "0.3", "--batch-size", "32"]
    adam = ["--initializer", "AdamInit", "--adaminit-slack", "0"]
    return {
        "scratch": [*tiny.train, *more],
        "morph": [*tiny.morph, *more],
        "autogrow": [*tiny.grow, *more],
        "morph AdamInit": [*tiny.morph, *more, *adam],
        "autogrow AdamInit": [*tiny.grow, *more, *adam],
        "convergent": [*tiny.grow, *more, "--policy", "convergent", "--K", "2", "--tau", "20"],
        "holdout": [*tiny.grow, *more, "--protocol", "holdout", "--snapshots", "2"],
    }


@pytest.fixture(scope="session")
def undisturbed(forks, cases, tmp_path_factory):
    """Folder of a run of each case that nobody disturbed, and its number of calls."""
    made = {}

    def get(case):
        if case not in made:
            out = tmp_path_factory.mktemp("undisturbed") / "run"
            assert forks([*cases[case], "--out", out], call=10**12) == 0, forks.told
            made[case] = out, forks.calls
        return made[case]

    return get
