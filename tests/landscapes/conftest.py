"""A run with snapshots, and the two commands called in this process."""

import shutil
from types import SimpleNamespace

import pytest


def _call(capsys, main, *arguments):
    capsys.readouterr()
    try:
        status = main([str(a) for a in arguments])
    except SystemExit as error:
        status = error.code
    told = capsys.readouterr()
    return SimpleNamespace(status=status, out=told.out, err=told.err)


@pytest.fixture(scope="session")
def trained(tmp_path_factory, tiny):
    """Folder of a finished growing run with a snapshot of every epoch; not to be changed."""
    from autogrow.cli import main

    folder = tmp_path_factory.mktemp("runs") / "grown"
    assert main([*tiny.grow, "--snapshots", "1", "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def run_copy(trained, tmp_path):
    """A copy of the run for a test to damage."""
    return shutil.copytree(trained, tmp_path / "run")


@pytest.fixture
def surfaces(capsys):
    """Call ``analysis.surfaces``; return exit status, stdout and stderr."""
    from analysis.surfaces import main

    return lambda *arguments: _call(capsys, main, "--device", "cpu", *arguments)


@pytest.fixture
def trajectories(capsys):
    """Call ``analysis.trajectories``; return exit status, stdout and stderr."""
    from analysis.trajectories import main

    return lambda *arguments: _call(capsys, main, "--device", "cpu", *arguments)


@pytest.fixture
def one_line():
    """Return the one line in which a user's mistake was told."""

    def check(told):
        assert told.status == 2, told
        assert told.err.count("\n") == 1
        assert "Traceback" not in told.err
        return told.err

    return check
