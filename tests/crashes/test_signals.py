"""A run that is asked to stop finishes its step, writes a checkpoint, and goes on later."""

import signal
import subprocess
import sys
import threading

import pytest

import autogrow
from autogrow.config.execution import Execution
from autogrow.training import checkpoint

STEP = ("autogrow.training.optimizer", "SGD.step", "after", 13)


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
    for steps in (13, 26, 39):
        names = interrupted(run, STEP, sent)
        assert names[-1].endswith(f"-{steps:010}.safetensors")  # not one step more
    run.finishes()


@pytest.mark.parametrize(
    ("case", "at"),
    [
        ("autogrow AdamInit", ("torch.optim.adam", "Adam.step", "after", 5)),
        ("morph AdamInit", ("torch.optim.adam", "Adam.step", "after", 20)),
        ("holdout", ("autogrow.training.trainer", "evaluate", "before", 6)),
        ("autogrow", ("autogrow.training.trainer", "stack_one", "after", 1)),
        ("convergent", ("autogrow.training.checkpoint", "write_tensors", "before", 4)),
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


def started(lines, command, handler, sent):
    """Start the command with another ``train_epoch``, and a signal's handler of its parent's."""
    script = [
        "import os, signal, sys, time, autogrow.training.trainer as trainer",
        "from autogrow.cli.main import main",
        "original = trainer.train_epoch",
        *lines,
        "trainer.train_epoch = changed",
        "sys.exit(main(sys.argv[1:]))",
    ]
    return subprocess.Popen(
        [sys.executable, "-c", "\n".join(script), *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=lambda: signal.signal(sent, handler),
    )


def test_a_second_ctrl_c_ends_at_once(run_of):
    """Also while the first one's step lasts: here a step that never ends."""
    endless = [
        "def changed(*_, **__):",
        "    handler = signal.getsignal(signal.SIGINT)",
        "    def heard(*arguments):",
        "        print('heard', flush=True)",
        "        handler(*arguments)",
        "    signal.signal(signal.SIGINT, heard)",
        "    while True:",
        "        print('training', flush=True)",
        "        time.sleep(0.1)",
    ]
    # Not ignored, as it is in a shell's background job that these tests may run in.
    command = run_of("scratch").command
    with started(endless, command, signal.default_int_handler, signal.SIGINT) as process:
        assert process.stdout.readline() == "training\n"
        process.send_signal(signal.SIGINT)
        assert "heard\n" in iter(process.stdout.readline, "")
        assert process.stdout.readline() == "training\n"  # the step goes on
        process.send_signal(signal.SIGINT)
        assert "heard\n" in iter(process.stdout.readline, "")
        assert process.wait(timeout=600) == 130


def test_a_process_that_ignores_a_signal_goes_on_ignoring_it(run_of):
    """As under nohup."""
    hung_up = [
        "def changed(*arguments, **options):",
        "    os.kill(os.getpid(), signal.SIGHUP)",
        "    return original(*arguments, **options)",
    ]
    run = run_of("scratch")
    with started(hung_up, run.command, signal.SIG_IGN, signal.SIGHUP) as process:
        assert process.wait(timeout=600) == 0
    assert (run.out / "summary.json").exists()


def test_in_another_thread_a_run_leaves_signals_alone(tmp_path):
    """Python allows handlers in the main thread only; a run from a notebook's thread works."""
    spec = autogrow.ScratchSpec(
        network="Basic3ResNet-1-1-1", data="digits", data_fraction=0.1, width=4, epochs=1
    )
    execution = Execution(device="cpu", threads=1, quiet=True)
    before, done = signal.getsignal(signal.SIGTERM), []

    def work():
        done.append(autogrow.run(spec, tmp_path / "run", execution=execution))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done[0]["status"] == "complete"
    assert signal.getsignal(signal.SIGTERM) is before
