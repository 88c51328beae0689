"""Runs that are killed, and those that nobody disturbed, to compare with."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from run_results import results
from safetensors import safe_open


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
        request = {"arguments": [str(a) for a in arguments], "errors": str(self.errors)}
        request |= {"call": call, "at": at, "memory": memory}
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
    """A command line of each kind, AdamInit in each place; about fifty steps each."""
    more = ["--batch-size", "32"]
    fewer = [*more, "--data-fraction", "0.1"]
    adam = ["--initializer", "AdamInit", "--adaminit-slack", "0"]
    return {
        "scratch": [*tiny.train, *more],
        "morph": [*tiny.morph, *fewer, "--snapshots", "1"],
        "autogrow": [*tiny.grow, *fewer],
        "morph AdamInit": [*tiny.morph, *fewer, *adam],
        "autogrow AdamInit": [*tiny.grow, *fewer, *adam],
        "convergent": [*tiny.converge, *fewer, "--tau", "20"],
        "holdout": [*tiny.grow, *fewer, "--protocol", "holdout", "--snapshots", "2"],
        "controlled": [*tiny.control, *fewer],
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


def snapshots(out):
    """Their content to the bit; the order in which safetensors writes metadata is random."""
    found = {}
    for file in (out / "snapshots").glob("*"):
        with safe_open(file, "np") as content:
            tensors = {name: content.get_tensor(name).tobytes() for name in content.keys()}  # noqa: SIM118
            found[file.name] = content.metadata(), tensors
    return found


class Run:
    """A run of a case, to be ended at will and then finished."""

    def __init__(self, forks, arguments, out, whole):
        self.forks = forks
        self.out = out
        self.command = [*arguments, "--out", out]
        self.whole = whole

    def __call__(self, *more, **how):
        return self.forks([*self.command, *more], **how)

    def killed(self, at, *more):
        """Kill it at a point."""
        assert self(*more, at=[*at, signal.SIGKILL]) == -signal.SIGKILL, self.forks.told
        return self

    def ends_in_one_line(self, *words):
        """Let it end with an error that is told in one line."""
        assert self() == 2, self.forks.told
        assert self.forks.told.count("\n") == 1, self.forks.told
        assert self.forks.told.startswith("autogrow: error: ")
        assert all(str(word) in self.forks.told for word in words), self.forks.told

    def finishes(self):
        """Finish it; the folder is then that of an undisturbed run, to the bit."""
        assert self() == 0, self.forks.told
        whole, _ = self.whole()
        assert results(self.out) == results(whole)
        assert snapshots(self.out) == snapshots(whole)
        assert {f.name for f in self.out.iterdir()} == {f.name for f in whole.iterdir()}


@pytest.fixture
def run_of(forks, cases, undisturbed, tmp_path):
    """Prepare a run of a case in a folder; nothing is carried out yet."""

    def prepare(case, out=tmp_path / "run"):
        return Run(forks, cases[case], out, lambda: undisturbed(case))

    return prepare
