"""A run with snapshots, and the two commands called in this process."""

import shutil

import pytest


@pytest.fixture(scope="session")
def trained(tmp_path_factory, tiny):
    """Folder of a finished growing run with a snapshot of every epoch; not to be changed."""
    from autogrow.cli.main import main

    folder = tmp_path_factory.mktemp("runs") / "grown"
    assert main([*tiny.grow, "--snapshots", "1", "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def run_copy(trained, tmp_path):
    """A copy of the run for a test to damage."""
    return shutil.copytree(trained, tmp_path / "run")


@pytest.fixture
def surfaces(call):
    """Call ``python -m analysis surface``; return exit status, stdout and stderr."""
    from analysis.__main__ import main

    return lambda *arguments: call(main, "surface", "--device", "cpu", *arguments)


@pytest.fixture
def trajectories(call):
    """Call ``python -m analysis trajectory``; return exit status, stdout and stderr."""
    from analysis.__main__ import main

    return lambda *arguments: call(main, "trajectory", "--device", "cpu", *arguments)


@pytest.fixture(params=["surfaces", "trajectories"])
def either(request):
    """Each of the two commands in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def one_line():
    """Return the one line in which a user's mistake was told."""

    def check(told):
        assert told.status == 2, told
        assert told.err.count("\n") == 1
        assert "Traceback" not in told.err
        return told.err

    return check
