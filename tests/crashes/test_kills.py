"""kill -9 at any moment: the next start goes on, and ends with the same bits."""

import json
import random
import signal

import pytest
from run_results import metrics
from safetensors.torch import load

from autogrow.training import checkpoint

CASES = [
    "scratch",
    "morph",
    "autogrow",
    "morph AdamInit",
    "autogrow AdamInit",
    "convergent",
    "holdout",
    "controlled",
]
KILLS = 4
"""In each case; a run may end before its last."""


def recorded_epochs(out):
    """Epochs, AdamInit's too, that the newest checkpoint knows of."""
    for file in checkpoint.files(out)[-1:]:
        state = load(file.read_bytes()[:-64])["state"]
        return len(json.loads(state.numpy().tobytes())["epochs"])
    return 0


@pytest.mark.parametrize("case", CASES)
def test_killed_at_any_call(run_of, undisturbed, case):
    """At some of its calls of functions; every other time with checkpoints inside epochs too."""
    _, calls = undisturbed(case)
    run = run_of(case)
    for number, part in enumerate(random.Random(case).sample(range(2, 60), KILLS)):
        often = ["--checkpoint-minutes", "0.0005"] if number % 2 else []
        status = run(*often, call=calls * part // 100)
        if status == 0:
            break
        assert status == -signal.SIGKILL, run.forks.told
        if (run.out / "metrics.csv").exists() and not (run.out / "summary.json").exists():
            lost = len(metrics(run.out)) - recorded_epochs(run.out)
            assert lost <= 1, "more than an epoch lost"
    run.finishes()


POINTS = [
    ("autogrow.training.trainer", "train_epoch", "before", 1),
    ("autogrow.training.trainer", "train_epoch", "after", 3),
    ("autogrow.training.trainer", "evaluate", "before", 4),
    ("autogrow.training.building", "stack_one", "before", 1),  # a check has decided to grow
    ("autogrow.training.building", "stack_one", "after", 2),  # grown, and nothing trained since
    ("autogrow.networks.adam_init", "_all_frozen_but", "before", 2),
    ("autogrow.training.optimizer", "SGD.step", "after", 33),
    ("torch.optim.adam", "Adam.step", "after", 17),
    ("autogrow.training.checkpoint", "write_tensors", "before", 3),
    ("autogrow.files.tensors", "hashlib.file_digest", "before", 3),
    ("os", "fsync", "before", 8),  # written, perhaps not on the disk
    ("pathlib", "Path.replace", "before", 9),  # on the disk, under its temporary name
    ("pathlib", "Path.replace", "after", 9),  # there, and too many are kept
    ("autogrow.training.trainer", "write_metrics", "after", 3),  # not yet in a checkpoint
    ("autogrow.runs.run", "write_weights", "before", 1),  # trained to the end
    ("autogrow.runs.run", "write_weights", "after", 1),  # no summary yet
    ("autogrow.runs.run", "remove_remains", "before", 1),  # finished, with checkpoints left
]


@pytest.mark.parametrize(
    ("case", "point"),
    [("autogrow AdamInit", point) for point in POINTS]
    + [("morph AdamInit", point) for point in POINTS[3:8]],
    ids=str,
)
def test_killed_at_a_certain_point(run_of, case, point):
    run_of(case).killed(point).finishes()


def test_killed_before_there_was_a_checkpoint_it_says_that_it_starts_over(run_of):
    run = run_of("scratch")
    at = ("autogrow.training.trainer", "Trainer._record", "after", 2)
    run.killed(at, "--checkpoint-epochs", "9").finishes()
    log = (run.out / "log.txt").read_text()
    assert log.count("no checkpoint is there; starting over") == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_was_half_written_is_swept_away(run_of, when):
    """Our temporary files, and safetensors' own: killed before or after it was renamed to ours."""
    run = run_of("holdout").killed(
        ("autogrow.files.tensors", "safetensors.torch.save_file", when, 5)
    )
    for folder in (run.out, run.out / "snapshots"):
        (folder / ".tmpr8ZOk9").write_bytes(b"half")
        (folder / ".metrics.csv.1.tmp").write_bytes(b"half")
    run.finishes()


@pytest.mark.parametrize("case", CASES)
def test_with_a_checkpoint_after_each_step_every_start_goes_one_step_further(run_of, case):
    """The state between two steps is whole wherever these are."""
    run = run_of(case)
    at = ["autogrow.training.epoch", "cross_entropy", "before", 30, signal.SIGKILL]
    for _ in range(3):
        if run("--checkpoint-minutes", "1e-9", at=at) == 0:
            break
    run.finishes()
