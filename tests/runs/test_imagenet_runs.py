"""Runs on ImageNet's layout from the command line to their records."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from unittest.mock import Mock

import pytest
from interrupting import interrupted_after
from run_results import results, summary

from autogrow.cli.main import main
from autogrow.files.yaml import read_yaml
from autogrow.training.optimizer import SGD

pytestmark = pytest.mark.usefixtures("isolated_places")

# Seconds: 20 images a class would be too many, and narrower nets crash oneDNN at 224 pixels.
TINY = ["--width", "16", "--batch-size", "20", "--device", "cpu", "--threads", "1", "--quiet"]
GROW = ["grow", "--network", "Basic4ResNet", "--K", "1", "--J", "1", "--tau", "90"]
GROW += ["--finetune-epochs", "1", "--data-fraction", "0.34", *TINY]
TRAIN = ["train", "--network", "Basic4ResNet-1-1-1-1", "--epochs", "2", *TINY]


def run(command, folder, out, *more, workers=0):
    where = ["--data", "ImageNet", "--data-root", folder.parent, "--out", out]
    return main([*map(str, [*command, *where, "--workers", workers, *more])])


@pytest.fixture(scope="module")
def grown(imagenet_folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("grown")
    assert run(GROW, imagenet_folder, out, workers=2) == 0
    return out


def test_growing_on_imagenet_from_end_to_end(grown, imagenet_folder):
    found, spec = summary(grown), read_yaml(grown / "spec.yaml")
    assert found["status"] == "complete"
    assert found["epochs"]["growing"] >= 2
    assert found["depth"] != "1-1-1-1"
    assert (spec["stem"], spec["weight_decay"]) == ("imagenet", 1e-4)
    assert spec["milestones"] == [1 / 3, 2 / 3]
    assert (spec["crop_padding"], spec["flip"], spec["skip_damaged"]) == (0, True, False)
    data = found["data"]
    assert (data["training_images"], data["test_images"], data["damaged_images"]) == (20, 40, 0)
    assert (data["classes"], data["image_size"], data["image_channels"]) == (20, 224, 3)
    assert 0 <= found["final_accuracy"] <= found["final_top5"] <= 100
    assert found["final_top5"] > 0
    log = (grown / "log.txt").read_text()
    assert "found 60 training and 40 validation images of 20 classes" in log
    assert str(imagenet_folder) in log


def test_an_interrupted_run_continues_to_the_same_bits(grown, imagenet_folder, tmp_path):
    with interrupted_after(2, but=["adaminit"]):
        assert run(GROW, imagenet_folder, tmp_path, workers=1) == 130
    assert not (tmp_path / "summary.json").exists()
    assert run(GROW, imagenet_folder, tmp_path, workers=0) == 0
    assert "continuing after epoch 1" in (tmp_path / "log.txt").read_text()
    assert results(tmp_path) == results(grown)


def test_a_damaged_image_ends_the_run_in_one_line(imagenet_copy, tmp_path, cut_short, mistake):
    file = sorted((imagenet_copy / "train").rglob("*.JPEG"))[10]
    cut_short(file)
    where = ["--data", "ImageNet", "--data-root", imagenet_copy.parent, "--out", tmp_path / "run"]
    line = mistake(*TRAIN, *where, "--workers", 1)
    assert line.startswith(f"autogrow: error: {file}: damaged (OSError: ")


@contextmanager
def stopped_in_step(number):
    """Send SIGTERM to this process after a step of the optimizer."""
    optimize, steps = SGD.step, iter(range(1, 100))

    def step(optimizer):
        optimize(optimizer)
        if next(steps) == number:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SGD, "step", step)
        yield


@contextmanager
def interrupted_before_the_summary():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autogrow.runs.run.summarize", Mock(side_effect=KeyboardInterrupt))
        yield


@pytest.mark.parametrize(
    ("interruption", "where", "status", "repeats"),
    [
        *((stopped_in_step, [step], 75, 1) for step in (2, 3, 4, 6)),  # three steps an epoch
        (stopped_in_step, [5], 75, 2),
        *((interrupted_after, [epoch], 130, 1) for epoch in (1, 2)),  # between two checkpoints
        (interrupted_before_the_summary, [], 130, 1),
    ],
)
def test_damaged_images_are_counted_once_wherever_a_run_is_interrupted(
    imagenet_copy, tmp_path, cut_short, interruption, where, status, repeats
):
    train, val = (sorted((imagenet_copy / part).rglob("*.JPEG")) for part in ("train", "val"))
    damaged = (train[0], train[3], train[40], train[50], val[9])
    for file in damaged:
        cut_short(file)
    options = ["--skip-damaged", "--repeats", repeats]
    with interruption(*where):
        assert run(TRAIN, imagenet_copy, tmp_path, *options) == status
    assert run(TRAIN, imagenet_copy, tmp_path, *options) == 0
    data = summary(tmp_path)["data"]
    assert (data["training_images"], data["test_images"], data["damaged_images"]) == (60, 40, 5)
    if interruption is interrupted_before_the_summary:
        log = (tmp_path / "log.txt").read_text()
        for file in damaged:
            assert log.count(f"{file}: damaged (OSError: image file is truncated") == 1


def test_two_processes_see_every_image_once(imagenet_copy, tmp_path, cut_short):
    train, val = (sorted((imagenet_copy / part).rglob("*.JPEG")) for part in ("train", "val"))
    for file in (train[3], val[9]):
        cut_short(file)
    where = ["--data", "ImageNet", "--data-root", imagenet_copy.parent, "--workers", 1]
    out = tmp_path / "run"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*torchrun, "-m", "autogrow", *map(str, [*TRAIN, *where, "--skip-damaged", "--out", out])],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr
    found = summary(out)
    assert (found["processes"], found["data"]["damaged_images"]) == (2, 2)
    # Of 39 images: a multiple of one thirty-ninth, rounded as it is recorded.
    assert found["final_accuracy"] in {round(100 * n / 39, 4) for n in range(40)}


SMALL_STEPS = [*TRAIN, "--batch-size", "6"]


@pytest.fixture(scope="module")
def whole(imagenet_folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    assert run(SMALL_STEPS, imagenet_folder, out) == 0
    return out


@pytest.mark.parametrize("workers", [0, 2])
def test_a_whole_job_asked_to_stop_loses_nothing(whole, imagenet_folder, tmp_path, workers):
    """A scheduler sends SIGTERM to every process of a job, those that decode images too."""
    where = ["--data", "ImageNet", "--data-root", imagenet_folder.parent, "--workers", workers]
    command = [*SMALL_STEPS, *where, "--checkpoint-minutes", "0.001", "--out", tmp_path / "run"]
    process = subprocess.Popen(
        [sys.executable, "-m", "autogrow", *map(str, command)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    deadline = time.monotonic() + 600
    while not list((tmp_path / "run").glob("checkpoint-000000-*")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGTERM)
    told = process.communicate()[1]
    assert process.returncode == 75, told
    assert "SIGTERM" in told
    assert "Traceback" not in told
    assert run(SMALL_STEPS, imagenet_folder, tmp_path / "run", workers=workers) == 0
    log = (tmp_path / "run" / "log.txt").read_text()
    assert "continuing after epoch 0 and" in log
    assert results(tmp_path / "run") == results(whole)
