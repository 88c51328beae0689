"""A run that is asked to stop finishes its step, writes a checkpoint, and goes on later."""

import signal
import threading
from contextlib import contextmanager

import pytest

from autogrow.cli.main import main
from autogrow.training import checkpoint, trainer

STEP = ("autogrow.training.optimizer", "SGD.step", "after", 11)


def interrupted(run, at, sent, *more):
    """Run until the point; return the names of the checkpoints."""
    status = run(*more, at=[*at, sent])
    told = run.forks.told
    assert status == (130 if sent == signal.SIGINT else 75), told
    assert told.count("\n") == 1
    assert "the same command continues" in told
    assert sent == signal.SIGINT or sent.name in told
    assert not (run.out / "lock").exists()
    return [file.name for file in checkpoint.files(run.out)]


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP, signal.SIGINT])
def test_it_stops_after_the_step_with_a_checkpoint_again_and_again(run_of, sent):
    run = run_of("scratch")
    for steps in (11, 22, 33):
        names = interrupted(run, STEP, sent)
        assert names[-1].endswith(f"-{steps:010}.safetensors")  # not one step more
    run.finishes()


@pytest.mark.parametrize(
    ("case", "at"),
    [
        ("autogrow AdamInit", ("torch.optim.adam", "Adam.step", "after", 5)),
        ("morph AdamInit", ("torch.optim.adam", "Adam.step", "after", 20)),
        ("holdout", ("autogrow.training.trainer", "evaluate", "before", 6)),
        ("autogrow", ("autogrow.training.building", "stack_one", "after", 1)),
        ("convergent", ("autogrow.training.checkpoint", "write_tensors", "before", 4)),
        ("controlled", ("autogrow.training.growing_trainer", "compare", "after", 2)),
        ("controlled", ("autogrow.training.growing_trainer", "take_over", "before", 1)),
    ],
)
def test_wherever_it_is_asked(run_of, case, at):
    run = run_of(case)
    assert interrupted(run, at, signal.SIGTERM)
    run.finishes()


def test_before_it_trains_it_leaves_nothing(run_of):
    run = run_of("scratch")
    assert run(at=["autogrow.data", "load", "before", 1, signal.SIGTERM]) == 75
    assert run.forks.told == "autogrow: interrupted: SIGTERM\n"
    assert not run.out.exists()


def test_ctrl_c_says_the_command_without_what_would_start_over(run_of, tmp_path):
    run = run_of("scratch", tmp_path / "my run")
    interrupted(run, STEP, signal.SIGINT, "--restart")
    assert "--restart" not in run.forks.told
    assert f"--out '{run.out}'" in run.forks.told


@contextmanager
def handled(number, handler):
    """A handler that this process has from its parent: a shell's background job ignores Ctrl-C."""
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def test_a_second_ctrl_c_ends_at_once(cli, tiny, tmp_path, monkeypatch):
    """Also while the first one's step lasts: here a step that never ends."""
    sent = []

    def endless(*_, **__):
        while True:
            sent.append(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(trainer, "train_epoch", endless)
    with handled(signal.SIGINT, signal.default_int_handler):
        assert cli(*tiny.train, "--out", tmp_path / "run").status == 130
    assert len(sent) == 2


def test_a_process_that_ignores_a_signal_goes_on_ignoring_it(cli, tiny, tmp_path, monkeypatch):
    """As under nohup."""
    train_epoch = trainer.train_epoch

    def hung_up(*arguments, **options):
        signal.raise_signal(signal.SIGHUP)
        return train_epoch(*arguments, **options)

    monkeypatch.setattr(trainer, "train_epoch", hung_up)
    with handled(signal.SIGHUP, signal.SIG_IGN):
        assert cli(*tiny.train, "--out", tmp_path / "run").status == 0


def test_in_another_thread_a_run_leaves_signals_alone(tiny, tmp_path):
    """Python allows handlers in the main thread only; a run from a notebook's thread works."""
    before, done = signal.getsignal(signal.SIGTERM), []
    command = [*tiny.train, "--out", str(tmp_path / "run")]
    thread = threading.Thread(target=lambda: done.append(main(command)))
    thread.start()
    thread.join()
    assert done == [0]
    assert signal.getsignal(signal.SIGTERM) is before
