"""Helpers that several test files share."""

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from damage import told_in_one_line
from hypothesis import settings

pytest_plugins = ["data_sets"]

# Before torch is imported: small nets use one thread best, and threads that wait for each
# other on a busy machine made this suite take minutes instead of one.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Programs that tests start would inherit from nohup, or from a shell's background, that they
# ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A shared machine has slow moments; a test that waits for one says nothing about the code.
settings.register_profile("autogrow", deadline=None)
settings.load_profile("autogrow")

# A growing run of a second: 287 images, a narrow net, a stop as soon as there may be one.
TINY = ["--data", "digits", "--data-fraction", "0.2", "--width", "4", "--batch-size", "64"]
TINY += ["--threads", "1", "--device", "cpu", "--quiet"]
GROW = ["grow", "--network", "Basic3ResNet", *TINY, "--K", "1", "--J", "2", "--tau", "10"]
GROW += ["--finetune-epochs", "4"]
CONVERGE = ["grow", "--network", "Basic3ResNet", *TINY, "--policy", "convergent", "--K", "2"]
CONVERGE += ["--tau", "10", "--finetune-epochs", "4"]
CONTROL = [*CONVERGE, "--policy", "controlled", "--policy-options", "alpha=0.9"]
TRAIN = ["train", "--network", "Basic3ResNet-1-2-1", *TINY, "--epochs", "4"]
MORPH = ["morph", "--from", "Basic3ResNet-1-1-1", "--to", "Basic3ResNet-2-1-3", *TINY]
MORPH += ["--epochs", "4"]


@pytest.fixture(scope="session")
def tiny():
    """Command lines of about a second for each kind of run, without ``--out``."""
    return SimpleNamespace(
        grow=GROW, converge=CONVERGE, control=CONTROL, train=TRAIN, morph=MORPH, options=TINY
    )


@pytest.fixture(scope="session")
def rows():
    """Read a CSV as a list of dictionaries."""

    def read(path):
        with Path(path).open(newline="") as file:
            return list(csv.DictReader(file))

    return read


@pytest.fixture(scope="session")
def command():
    """Run ``python -m autogrow`` in a process of its own."""

    def call(*arguments, **options):
        return subprocess.run(
            [sys.executable, "-m", "autogrow", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=600,  # a busy machine is slow; only what hangs fails
            **options,
        )

    return call


@pytest.fixture
def call(capsys):
    """Run a command's ``main`` in this process; return exit status, stdout and stderr."""

    def call(main, *arguments):
        capsys.readouterr()
        try:
            status = main([str(a) for a in arguments])
        except SystemExit as error:
            status = error.code
        told = capsys.readouterr()
        return SimpleNamespace(status=status, out=told.out, err=told.err)

    return call


@pytest.fixture
def cli(call):
    """Run the command line in this process; return exit status, stdout and stderr."""
    from autogrow.cli.main import main

    return lambda *arguments: call(main, *arguments)


@pytest.fixture
def mistake(cli):
    """Run a command line that is a user's mistake; return the one line it is told in."""

    def call(*arguments):
        told = cli(*arguments)
        assert told.out == ""
        return told_in_one_line(told)

    return call
