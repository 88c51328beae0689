"""A run with snapshots, and the two commands called in this process."""

import shutil

import pytest
from damage import told_in_one_line

from analysis.__main__ import main
from autogrow.cli.main import main as autogrow


@pytest.fixture(scope="session")
def trained(tmp_path_factory, tiny):
    """Folder of a finished growing run with a snapshot of every epoch; not to be changed."""
    folder = tmp_path_factory.mktemp("runs") / "grown"
    assert autogrow([*tiny.grow, "--snapshots", "1", "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def run_copy(trained, tmp_path):
    """A copy of the run for a test to damage."""
    return shutil.copytree(trained, tmp_path / "run")


@pytest.fixture
def surfaces(call):
    """Call ``python -m analysis surface``; return exit status, stdout and stderr."""
    return lambda *arguments: call(main, "surface", "--device", "cpu", *arguments)


@pytest.fixture
def trajectories(call):
    """Call ``python -m analysis trajectory``; return exit status, stdout and stderr."""
    return lambda *arguments: call(main, "trajectory", "--device", "cpu", *arguments)


@pytest.fixture(params=["surfaces", "trajectories"])
def either(request):
    """Each of the two commands in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def one_line():
    """Return the one line in which a user's mistake was told."""
    return told_in_one_line
