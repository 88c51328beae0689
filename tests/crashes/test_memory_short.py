"""A machine whose memory runs out, wherever it does: one line, and the checkpoints are whole."""

import signal

import pytest
from run_results import results

from autogrow.training import checkpoint

WIDE = ["--network", "Basic3ResNet", "--width", "64", "--batch-size", "256"]


@pytest.fixture(scope="module")
def whole(forks, cases, tmp_path_factory):
    """The command, and a run of it with all the memory it wants."""
    command = [*cases["autogrow"], *WIDE]
    out = tmp_path_factory.mktemp("whole") / "run"
    assert forks([*command, "--out", out]) == 0, forks.told
    return command, out


def test_memory_that_runs_out_at_any_point(forks, whole, tmp_path):
    """From hardly any to enough: each run that fails goes on in the next, with a little more.

    torch's libraries crash now and then when a small allocation fails: nothing can be said
    there, but nothing is lost either.
    """
    command, undisturbed = whole
    out, told, crashed, with_checkpoint = tmp_path / "run", 0, 0, 0
    for more in [*range(64, 400, 16), *range(400, 4000, 100)]:
        status = forks([*command, "--out", out], memory=more)
        if status == 0:
            break
        if status == -signal.SIGSEGV:
            crashed += 1
        else:
            assert status == 2, forks.told
            assert forks.told.count("\n") == 1, forks.told
            assert "out of memory" in forks.told
            assert "Traceback" not in forks.told
            told += 1
        if checkpoint.files(out):
            with_checkpoint += 1
            checkpoint.load_latest(out, pytest.fail)
    assert status == 0, "there was never enough"
    assert with_checkpoint > 0
    assert told > 2 * crashed
    assert results(out) == results(undisturbed)
