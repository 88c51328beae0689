"""kill -9 at any moment: the next start goes on, and ends with the same bits."""

import json
import random
import signal

import pytest
from run_results import metrics, results
from safetensors import safe_open
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
]
KILLS = 4
"""In each case; a run may end before its last."""


def progress(file):
    """What a checkpoint records."""
    return json.loads(load(file.read_bytes()[:-64])["state"].numpy().tobytes())


def recorded_epochs(out):
    """Epochs, AdamInit's too, that the newest checkpoint knows of."""
    files = checkpoint.files(out)
    return len(progress(files[-1])["epochs"]) if files else 0


def snapshots(out):
    """Their content to the bit; the order in which safetensors writes metadata is random."""
    found = {}
    for file in (out / "snapshots").glob("*"):
        with safe_open(file, "np") as content:
            tensors = {name: content.get_tensor(name).tobytes() for name in content.keys()}  # noqa: SIM118
            found[file.name] = content.metadata(), tensors
    return found


def assert_same(out, whole):
    assert results(out) == results(whole)
    assert snapshots(out) == snapshots(whole)
    assert {f.name for f in out.iterdir()} == {f.name for f in whole.iterdir()}


@pytest.mark.parametrize("case", CASES)
def test_killed_at_any_call(forks, cases, undisturbed, tmp_path, case):
    """At some of its calls of functions; every other time with checkpoints inside epochs too."""
    whole, calls = undisturbed(case)
    out = tmp_path / "run"
    command = [*cases[case], "--out", out]
    for number, part in enumerate(random.Random(case).sample(range(2, 60), KILLS)):
        often = ["--checkpoint-minutes", "0.0005"] if number % 2 else []
        status = forks([*command, *often], call=calls * part // 100)
        if status == 0:
            break
        assert status == -signal.SIGKILL, forks.told
        if (out / "metrics.csv").exists() and not (out / "summary.json").exists():
            assert len(metrics(out)) - recorded_epochs(out) <= 1, "more than an epoch lost"
    assert forks(command) == 0, forks.told
    assert_same(out, whole)


POINTS = [
    ("autogrow.training.trainer", "train_epoch", "before", 1),
    ("autogrow.training.trainer", "train_epoch", "after", 3),
    ("autogrow.training.trainer", "evaluate", "before", 4),
    ("autogrow.training.trainer", "stack_one", "before", 1),  # a check has decided to grow
    ("autogrow.training.trainer", "stack_one", "after", 2),  # grown, and nothing trained since
    ("autogrow.networks.initializers", "_all_frozen_but", "before", 2),
    ("autogrow.training.optimizer", "SGD.step", "after", 33),
    ("torch.optim.adam", "Adam.step", "after", 17),
    ("autogrow.training.checkpoint", "write_tensors", "before", 3),
    ("autogrow.files.tensors", "hashlib.file_digest", "before", 3),
    ("os", "fsync", "before", 8),  # written, perhaps not on the disk
    ("pathlib", "Path.replace", "before", 9),  # on the disk, under its temporary name
    ("pathlib", "Path.replace", "after", 9),  # there, and too many are kept
    ("autogrow.runs.folder", "write_metrics", "after", 3),  # recorded, not yet in a checkpoint
    ("autogrow.runs.folder", "write_weights", "before", 1),  # trained to the end
    ("autogrow.runs.folder", "write_weights", "after", 1),  # no summary yet
    ("autogrow.runs.run", "remove_remains", "before", 1),  # finished, with checkpoints left
]


@pytest.mark.parametrize(
    ("case", "point"),
    [("autogrow AdamInit", point) for point in POINTS]
    + [("morph AdamInit", point) for point in POINTS[3:8]],
    ids=str,
)
def test_killed_at_a_certain_point(forks, cases, undisturbed, tmp_path, case, point):
    whole, _ = undisturbed(case)
    command = [*cases[case], "--out", tmp_path / "run"]
    assert forks(command, at=[*point, signal.SIGKILL]) == -signal.SIGKILL, forks.told
    assert forks(command) == 0, forks.told
    assert_same(tmp_path / "run", whole)


def test_killed_before_there_was_a_checkpoint_it_says_that_it_starts_over(
    forks, cases, undisturbed, tmp_path
):
    whole, _ = undisturbed("scratch")
    command = [*cases["scratch"], "--out", tmp_path / "run"]
    at = ["autogrow.training.trainer", "Trainer._record", "after", 2, signal.SIGKILL]
    assert forks([*command, "--checkpoint-epochs", "9"], at=at) == -signal.SIGKILL
    assert forks(command) == 0, forks.told
    log = (tmp_path / "run" / "log.txt").read_text()
    assert log.count("no checkpoint is there; starting over") == 1
    assert_same(tmp_path / "run", whole)


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_was_half_written_is_swept_away(forks, cases, undisturbed, tmp_path, when):
    """Our temporary files, and safetensors' own: killed before or after it was renamed to ours."""
    whole, _ = undisturbed("holdout")
    out = tmp_path / "run"
    command = [*cases["holdout"], "--out", out]
    at = ["autogrow.files.tensors", "safetensors.torch.save_file", when, 5, signal.SIGKILL]
    assert forks(command, at=at) == -signal.SIGKILL
    for folder in (out, out / "snapshots"):
        (folder / ".tmpr8ZOk9").write_bytes(b"half")
        (folder / ".metrics.csv.1.tmp").write_bytes(b"half")
    assert forks(command) == 0, forks.told
    assert_same(out, whole)


@pytest.mark.parametrize("case", CASES)
def test_with_a_checkpoint_after_each_step_every_start_goes_one_step_further(
    forks, cases, tmp_path, undisturbed, case
):
    """The state between two steps is whole wherever these are."""
    whole, _ = undisturbed(case)
    out = tmp_path / "run"
    command = [*cases[case], "--out", out, "--checkpoint-minutes", "1e-9"]
    for _ in range(3):
        at = ["autogrow.training.epoch", "cross_entropy", "before", 30, signal.SIGKILL]
        if forks(command, at=at) == 0:
            break
    assert forks(command) == 0, forks.told
    assert_same(out, whole)
