"""A machine whose memory runs out: the checkpoints stay whole, and the run says why it ended."""

import signal

import pytest
from run_results import results

from autogrow.errors import InterruptedRunError
from autogrow.process.memory import reported_when_short
from autogrow.training import checkpoint
from autogrow.training.optimizer import SGD

MESSAGES = [
    MemoryError(),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes"),
    RuntimeError("could not create a primitive"),
]


@pytest.mark.parametrize("error", MESSAGES, ids=lambda error: str(error)[:9] or "MemoryError")
def test_an_allocation_that_fails_is_told_in_one_line(
    cli, mistake, tiny, tmp_path, monkeypatch, error
):
    """As Python and torch's libraries say it; the same command continues."""
    step, steps = SGD.step, iter(range(7))

    def short(optimizer):
        if next(steps, None) is None:
            raise error
        step(optimizer)

    with monkeypatch.context() as patch:
        patch.setattr(SGD, "step", short)
        line = mistake(*tiny.train, "--out", tmp_path / "run")
    assert line.startswith(f"autogrow: error: {tmp_path / 'run'}: out of memory")
    assert "its last checkpoint is kept" in line
    assert checkpoint.load_latest(tmp_path / "run", pytest.fail) is not None
    for name in ("run", "whole"):
        assert cli(*tiny.train, "--out", tmp_path / name).status == 0
    assert results(tmp_path / "run") == results(tmp_path / "whole")


def test_a_worker_may_be_lost_while_its_run_does_something_else(tmp_path):
    lost = RuntimeError("DataLoader worker (pid 7) is killed by signal: Bus error.")
    with pytest.raises(InterruptedRunError, match="--workers"), reported_when_short(tmp_path):
        raise lost


def test_memory_that_really_runs_out(forks, cases, tmp_path):
    """A run with checkpoints, started again with hardly any memory, more and more.

    Where a small allocation fails torch's libraries may crash instead of raising, and how much a
    run needs depends on the machine: it ends complete, in one line or in a crash, and whichever
    it is, the checkpoints are whole and the next start continues.
    """
    wide = ["--network", "Basic3ResNet-1-2-1", "--width", "32", "--batch-size", "128"]
    command = [*cases["scratch"], *wide, "--out", tmp_path / "run"]
    assert forks([*command[:-1], tmp_path / "whole"]) == 0, forks.told
    at = ["autogrow.training.optimizer", "SGD.step", "after", 5, signal.SIGKILL]
    assert forks(command, at=at) == -signal.SIGKILL
    for more in (16, 64, 128, 256):
        status = forks(command, memory=more)
        if status == 0:
            break
        if status == 2:
            assert forks.told.count("\n") == 1, forks.told
            assert "out of memory" in forks.told.lower()
        else:
            assert -status in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS)
        checkpoint.load_latest(tmp_path / "run", pytest.fail)
    assert forks(command) == 0, forks.told
    assert results(tmp_path / "run") == results(tmp_path / "whole")
