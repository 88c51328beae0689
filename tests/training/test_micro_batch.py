"""A GPU whose memory runs out halves the images at once, and the record says so."""

import itertools

import pytest
import torch
from run_results import results, summary
from small_networks import digit_images, sgd, small_network

from autogrow.errors import UserError
from autogrow.files.yaml import read_yaml
from autogrow.training import epoch as engine
from autogrow.training import trainer
from autogrow.training.epoch import evaluate, train_epoch
from autogrow.training.micro_batch import MicroBatch


class SmallMemory(torch.nn.Module):
    """A network that does not fit with more than so many images, found out half-way through."""

    def __init__(self, most):
        super().__init__()
        self.network = small_network()
        self.most = most
        self.network.sub_networks[1].register_forward_pre_hook(self.look)

    def look(self, _module, arguments):
        if len(arguments[0]) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    def forward(self, x):
        return self.network(x)


def train(network, micro_batch):
    batches = digit_images(96).training_batches(48, seed=0, epoch=0)
    score = train_epoch(network, sgd(network), batches, micro_batch=micro_batch)
    return score, network.network.state_dict()


def test_a_halved_batch_is_one_that_was_small_from_the_start():
    """To the bit, BN's statistics too: what the failed attempts did to them is undone."""
    told = []
    halved = MicroBatch(guarded=True, halved=told.append)
    score, weights = train(SmallMemory(15), halved)
    assert told == [24, 12]
    assert halved.images == 12
    small_score, small = train(SmallMemory(10**9), MicroBatch(12))
    assert score == small_score
    assert all(torch.equal(weights[k], t) for k, t in small.items())


def test_evaluation_takes_fewer_at_once():
    small, whole = (evaluate(SmallMemory(most), digit_images(96))[0] for most in (10, 10**9))
    assert small.accuracy == whole.accuracy


def test_it_gives_up_at_two_images():
    with pytest.raises(UserError, match="out of GPU memory with 2 images at once"):
        train(SmallMemory(1), MicroBatch(guarded=True))


@pytest.fixture
def small_memory(monkeypatch):
    """No more than 20 images fit once the network has more than 4 sub-modules."""
    logits = engine._logits

    def failing(network, x, precision):
        if network.training and len(x) > 20 and sum(map(len, network.sub_networks)) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return logits(network, x, precision)

    monkeypatch.setattr(engine, "_logits", failing)


def test_a_growing_run_halves_once_and_says_so(small_memory, tiny, cli, tmp_path):
    command = [a for a in tiny.grow if a != "--quiet"]
    told = cli(*command, "--out", tmp_path / "run")
    assert told.status == 0
    lines = [line for line in told.err.splitlines() if "out of GPU memory" in line]
    assert [line.rpartition("most ")[2][:2] for line in lines] == ["32", "16"]
    assert lines[0] in (tmp_path / "run" / "log.txt").read_text()
    found = summary(tmp_path / "run")
    assert (found["micro_batch"], found["bn_images"]) == (16, 16)
    assert [h["micro_batch"] for h in found["out_of_memory"]] == [32, 16]
    first = found["out_of_memory"][0]
    assert sum(map(int, first["depth"].split("-"))) == 5
    spec = read_yaml(tmp_path / "run" / "spec.yaml")
    assert (spec["batch_size"], spec["micro_batch"]) == (64, 0)  # what was asked for


def test_an_interrupted_run_remembers_it(small_memory, tiny, cli, tmp_path, monkeypatch):
    """It is interrupted at the end of the epoch after the one in which memory ran out."""
    assert cli(*tiny.grow, "--out", tmp_path / "whole").status == 0
    evaluations = itertools.count()

    def interrupted(network, *arguments, **options):
        if sum(map(len, network.sub_networks)) > 4 and next(evaluations) == 1:
            raise KeyboardInterrupt
        return evaluate(network, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "evaluate", interrupted)
        assert cli(*tiny.grow, "--out", tmp_path / "run").status == 130
    assert cli(*tiny.grow, "--out", tmp_path / "run").status == 0
    assert (tmp_path / "run" / "log.txt").read_text().count("out of GPU memory") == 2
    assert results(tmp_path / "run") == results(tmp_path / "whole")
