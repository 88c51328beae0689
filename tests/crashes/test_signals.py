"""A run that is asked to stop finishes its step, writes a checkpoint, and goes on later."""

import os
import signal
import subprocess
import sys

import pytest
from run_results import results

from autogrow.training import checkpoint

STEP = ("autogrow.training.optimizer", "SGD.step", "after", 13)


def interrupted(forks, command, at, sent):
    """Run until the point; return the names of the checkpoints."""
    status = forks(command, at=[*at, sent])
    assert status == (130 if sent == signal.SIGINT else 75), forks.told
    assert forks.told.count("\n") == 1
    assert "the same command continues" in forks.told
    assert "Traceback" not in forks.told
    return [file.name for file in checkpoint.files(command[-1])]


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP, signal.SIGINT])
def test_it_stops_after_the_step_with_a_checkpoint(forks, cases, undisturbed, tmp_path, sent):
    whole, _ = undisturbed("scratch")
    command = [*cases["scratch"], "--out", tmp_path / "run"]
    names = interrupted(forks, command, STEP, sent)
    assert names[-1].endswith("-0000000013.safetensors")  # not one step more
    assert sent == signal.SIGINT or sent.name in forks.told
    assert not (tmp_path / "run" / "lock").exists()
    assert forks(command) == 0, forks.told
    assert results(tmp_path / "run") == results(whole)


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
def test_wherever_it_is_asked(forks, cases, undisturbed, tmp_path, case, at):
    whole, _ = undisturbed(case)
    command = [*cases[case], "--out", tmp_path / "run"]
    assert interrupted(forks, command, at, signal.SIGTERM)
    assert forks(command) == 0, forks.told
    assert results(tmp_path / "run") == results(whole)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_asked_again_and_again_it_gets_to_the_end(forks, cases, undisturbed, tmp_path, sent):
    whole, _ = undisturbed("scratch")
    command = [*cases["scratch"], "--out", tmp_path / "run"]
    for _ in range(4):
        interrupted(forks, command, ("autogrow.training.optimizer", "SGD.step", "after", 7), sent)
    assert forks(command) == 0, forks.told
    assert results(tmp_path / "run") == results(whole)


def test_before_it_trains_it_leaves_nothing(forks, cases, tmp_path):
    command = [*cases["scratch"], "--out", tmp_path / "run"]
    status = forks(command, at=["autogrow.data", "load", "before", 1, signal.SIGTERM])
    assert status == 75
    assert forks.told == "autogrow: interrupted: SIGTERM\n"
    assert not (tmp_path / "run").exists()


def test_ctrl_c_says_the_command_without_what_would_start_over(forks, cases, tmp_path):
    out = tmp_path / "my run"
    forks([*cases["scratch"], "--restart", "--out", out], at=[*STEP, signal.SIGINT])
    assert "--restart" not in forks.told
    assert f"--out '{out}'" in forks.told


def test_a_second_ctrl_c_ends_at_once(cases, tmp_path):
    """Also while the first one's step lasts: here a step that never ends."""
    script = (
        "import signal, sys, time, autogrow.training.trainer\n"
        "from autogrow.cli.main import main\n"
        "def endless(*_, **__):\n"
        "    handler = signal.getsignal(signal.SIGINT)\n"
        "    def heard(*arguments):\n"
        "        print('heard', flush=True)\n"
        "        handler(*arguments)\n"
        "    signal.signal(signal.SIGINT, heard)\n"
        "    while True:\n"
        "        print('training', flush=True)\n"
        "        time.sleep(0.1)\n"
        "autogrow.training.trainer.train_epoch = endless\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, *cases["scratch"], "--out", str(tmp_path / "run")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # Not ignored, as in a shell's background job these tests may run in.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    with process:
        assert process.stdout.readline() == "training\n"
        process.send_signal(signal.SIGINT)
        assert "heard\n" in iter(process.stdout.readline, "")
        assert process.stdout.readline() == "training\n"  # the step goes on
        process.send_signal(signal.SIGINT)
        assert "heard\n" in iter(process.stdout.readline, "")
        assert process.wait(timeout=600) == 130


def test_a_process_that_ignores_a_signal_goes_on_ignoring_it(forks, cases, tmp_path):
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        done = subprocess.run(
            [sys.executable, "-c",
             "import os, signal, sys, autogrow.training.trainer\n"
             "from autogrow.cli.main import main\n"
             "train = autogrow.training.trainer.train_epoch\n"
             "def hung_up(*a, **o):\n"
             "    os.kill(os.getpid(), signal.SIGHUP)\n"
             "    return train(*a, **o)\n"
             "autogrow.training.trainer.train_epoch = hung_up\n"
             "sys.exit(main(sys.argv[1:]))", *cases["scratch"], "--out", str(tmp_path / "run")],
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGHUP, before)
    assert done.returncode == 0
    assert (tmp_path / "run" / "summary.json").exists()


def test_in_another_thread_a_run_leaves_signals_alone(tmp_path):
    """Python allows handlers in the main thread only; a run from a notebook's thread works."""
    import threading

    import autogrow
    from autogrow.config.execution import Execution

    spec = autogrow.ScratchSpec(
        network="Basic3ResNet-1-1-1", data="digits", data_fraction=0.1, width=4, epochs=1
    )
    before = signal.getsignal(signal.SIGTERM)
    done = []
    execution = Execution(device="cpu", threads=1, quiet=True)
    thread = threading.Thread(
        target=lambda: done.append(autogrow.run(spec, tmp_path / "run", execution=execution))
    )
    thread.start()
    thread.join()
    assert done[0]["status"] == "complete"
    assert signal.getsignal(signal.SIGTERM) is before
    assert os.path.exists(tmp_path / "run" / "summary.json")  # noqa: PTH110
