"""Runs of several processes: the same decisions, the same weights."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
import yaml
from carry_out import carry_out
from run_results import metrics, summary
from safetensors.torch import load_file
from small_networks import digit_images, sgd, small_network

from autogrow.data import load
from autogrow.process.distributed import World
from autogrow.training.epoch import evaluate, train_epoch
from autogrow.training.micro_batch import MicroBatch

# 240 training images: a batch of 48 is shared equally by 2 and by 3, and so is the last.
GROW = {
    "kind": "autogrow",
    "network": "Basic3ResNet",
    "data": "npz:images.npz",
    "protocol": "paper",
    "width": 4,
    "batch_size": 48,
    "learning_rate": 0.02,
    "K": 1,
    "J": 3,
    "tau": 30.0,
    "finetune_epochs": 3,
    "snapshots": 2,
}
LOST = "process 0 of 2: another process of this run has ended"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with 240 training and 101 test images of the digits."""
    made = tmp_path_factory.mktemp("distributed")
    digits = load("digits")
    np.savez(
        made / "images.npz",
        x_train=digits.train.images[:240],
        y_train=digits.train.labels[:240],
        x_test=digits.test.images[:101],
        y_test=digits.test.labels[:101],
    )
    return made


def spec_file(folder, name, changed):
    spec = folder / f"{name}.yaml"
    spec.write_text(yaml.safe_dump({**GROW, **changed}))
    return spec


def started(folder, name, processes, *, no_bn_noise=False, at=None, **changed):
    """Carry out a run and keep each process's weights; return exit statuses and stderr."""
    spec = spec_file(folder, name, {**changed, "data": f"npz:{folder / 'images.npz'}"})
    out = folder / name
    return carry_out(spec, out, f"{out}-weights", processes, no_bn_noise=no_bn_noise, at=at)


def finished(folder, name, processes, **more):
    statuses, told = started(folder, name, processes, **more)
    assert statuses == [0] * processes, told
    return folder / name


def growth(out):
    return (out / "growth.csv").read_text()


def weights(out, rank):
    return load_file(f"{out}-weights-{rank}")


def equal(some, others):
    return some.keys() == others.keys() and all(torch.equal(t, others[k]) for k, t in some.items())


@pytest.fixture(scope="module")
def alone(folder):
    return finished(folder, "alone", 1, no_bn_noise=True)


@pytest.fixture(scope="module")
def whole(folder):
    """A run of two processes that nothing disturbs."""
    return finished(folder, "whole", 2)


def test_without_bn_noise_it_is_the_run_of_one_process(folder, alone):
    out = finished(folder, "together", 3, no_bn_noise=True)
    assert growth(out) == growth(alone)
    assert growth(out).count("grow") >= 3
    one = weights(alone, 0)
    for rank in range(3):
        there = weights(out, rank)
        assert equal(there, weights(out, 0))
        torch.testing.assert_close(there, one, rtol=0, atol=1e-5)
    for ours, theirs in zip(metrics(out), metrics(alone), strict=True):
        assert ours["val_accuracy"] == theirs["val_accuracy"]
        assert float(ours["train_loss"]) == pytest.approx(float(theirs["train_loss"]), abs=1e-5)
    assert summary(out)["processes"] == 3
    snapshots = [sorted(f.name for f in (o / "snapshots").iterdir()) for o in (out, alone)]
    assert snapshots[0] == snapshots[1]


def test_with_bn_all_processes_still_agree_to_the_bit(folder, whole):
    for out in (whole, finished(folder, "adam", 2, initializer="AdamInit", batch_size=50)):
        assert equal(weights(out, 0), weights(out, 1))
        assert equal(weights(out, 0), load_file(out / "weights.safetensors"))


# 240 images in batches of 48: an epoch has five steps.
STEP = ("autogrow.training.optimizer", "SGD.step", 2 * 5 + 1, signal.SIGTERM, 1)


@pytest.mark.parametrize(
    ("name", "at", "told", "steps"),
    [
        (
            "lost",
            ("autogrow.training.trainer", "train_epoch", 4, signal.SIGKILL, 1),
            [LOST],
            [3, 15],
        ),
        ("asked", STEP, ["SIGTERM: ", "another process of this run was stopped: "], [2, 11]),
    ],
)
def test_one_process_lost_or_asked_to_stop_ends_all_and_the_next_start_continues(
    folder, whole, name, at, told, steps
):
    """All stop after the same step, with a clear message."""
    statuses, stderr = started(folder, name, 2, at=at)
    assert statuses == [75, -signal.SIGKILL if name == "lost" else 75], stderr
    assert all(f"autogrow: interrupted: {words}" in stderr for words in told)
    assert not (folder / name / "summary.json").exists()
    [*_, newest] = sorted((folder / name).glob("checkpoint-*"))
    assert [int(n) for n in newest.stem.split("-")[1:]] == steps
    out = finished(folder, name, 2)
    assert "continuing after epoch" in (out / "log.txt").read_text()
    assert growth(out) == growth(whole)
    assert equal(weights(out, 0), weights(whole, 0))


def command(folder, name, **changed):
    """Run the command itself in two processes by torchrun."""
    spec = spec_file(folder, name, changed)
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "autogrow"]
    run = ["run", str(spec), "--out", name, "--threads", "1", "--device", "cpu"]
    return subprocess.run(
        [sys.executable, *launch, *run],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )


def test_the_command_under_torchrun_reports_once(folder):
    done = command(folder, "command")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("test accuracy") == 1
    epochs = len(metrics(folder / "command"))
    assert done.stderr.count("train loss") == epochs
    assert (folder / "command" / "log.txt").read_text().count("train loss") == epochs


def test_a_mistake_ends_all_and_leaves_no_folder(folder):
    done = command(folder, "mistake", sync_bn=True)
    assert done.returncode != 0
    assert "autogrow: error: sync_bn: needs GPUs" in done.stderr
    assert "Traceback (most recent call last):\n  File" not in done.stderr.partition("sync_bn")[0]
    assert not (folder / "mistake").exists()


@pytest.mark.parametrize("size", [2, 3, 5])
@pytest.mark.parametrize("count", [240, 241, 97])
def test_shares_are_together_every_image_once(size, count):
    images = digit_images(count, crop_padding=1, flip=True)
    worlds = [World(rank, size) for rank in range(size)]
    evaluated = [x for w in worlds for x, _ in images.evaluation_batches(16, world=w) if len(x)]
    [(everything, _)] = images.evaluation_batches(count)
    assert torch.equal(torch.cat(evaluated), everything)
    epochs = [list(images.training_batches(48, seed=1, epoch=2, world=w)) for w in worlds]
    whole = list(images.training_batches(48, seed=1, epoch=2))
    for (batch, _), *step in zip(whole, *epochs, strict=True):
        assert torch.equal(torch.cat([x for x, _ in step]), batch)
        sizes = sorted(len(x) for x, _ in step)
        assert sizes[0] >= max(2, sizes[-1] - 1)


@pytest.mark.parametrize("micro_batch", [2, 16, 17, 1000])
def test_accumulated_gradients_are_the_batchs(monkeypatch, micro_batch):
    """Without BN noise a step over parts is the step over the whole batch."""
    monkeypatch.setattr(
        torch.nn.BatchNorm2d, "train", lambda self, mode=True: torch.nn.Module.train(self, False)
    )
    images = digit_images(97, crop_padding=1, flip=True)
    trained = []
    for most in (0, micro_batch):
        network = small_network()
        batches = images.training_batches(48, seed=0, epoch=0)
        score = train_epoch(network, sgd(network), batches, micro_batch=MicroBatch(most))
        trained.append((score, network))
    (one, whole), (other, parts) = trained
    assert other.loss == pytest.approx(one.loss, abs=1e-5)
    assert other.accuracy == one.accuracy
    for p, q in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=0, atol=1e-6)
    assert evaluate(whole, images)[0].loss == pytest.approx(evaluate(parts, images)[0].loss)


def test_one_process_short_of_memory_halves_the_next_starts_micro_batch(folder):
    at = (
        "autogrow.training.epoch",
        "_logits",
        5 + 1 + 1,
        "short of memory",
        1,
    )  # after an evaluation
    statuses, told = started(folder, "short", 2, at=at)
    assert statuses == [75, 75], told
    assert "autogrow: interrupted: out of GPU memory in epoch 2" in told
    assert f"autogrow: interrupted: {LOST}" in told
    out = finished(folder, "short", 2)
    told = summary(out)
    assert [h["micro_batch"] for h in told["out_of_memory"]] == [12]  # of a share of 24
    assert (told["micro_batch"], told["bn_images"]) == (12, 12)
    assert not (out / "micro_batch.json").exists()
