"""The benchmark: both sides learn the same, and what it writes is what it measured."""

import csv

import pytest
import torch
from torch.nn.functional import cross_entropy

from autogrow.batches import DeviceSet
from autogrow.bench import throughput
from autogrow.bench.growing import growth_seconds
from autogrow.bench.pairs import Timing, time_pairs
from autogrow.cli import main
from autogrow.data import load
from autogrow.names import parse_network
from autogrow.networks import build_network
from autogrow.optimizer import SGD


def losses(network, optimizer, batches, layout):
    network.to(memory_format=layout).train()
    told = []
    for images, labels in batches:
        loss = cross_entropy(network(images.contiguous(memory_format=layout)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        told.append(loss.item())
    return told


@pytest.mark.parametrize("name", ["Basic3ResNet-3-3-3", "Plain3Net-3-3-3"])
def test_the_engine_and_the_usual_loop_learn_the_same(name):
    data = load("digits")
    images = DeviceSet(data.train, data.mean, data.std, torch.device("cpu"))
    batches = [b for e in range(5) for b in images.training_batches(128, seed=0, epoch=e)][:50]
    ours, theirs = (
        build_network(parse_network(name), image_channels=1, classes=10) for _ in range(2)
    )
    theirs.load_state_dict(ours.state_dict())
    settings = {"lr": 0.01, "momentum": 0.9, "weight_decay": 5e-4}
    a = losses(ours, SGD(ours.parameters(), **settings), batches, torch.channels_last)
    sgd = torch.optim.SGD(theirs.parameters(), **settings)
    b = losses(theirs, sgd, batches, torch.contiguous_format)
    assert len(a) == len(b) == 50
    assert a == pytest.approx(b, abs=1e-4)
    assert a[-1] < a[0]


def test_pairs_are_timed_in_turn_and_the_warm_up_is_not_counted():
    order = []
    timing = time_pairs(lambda: order.append("A"), lambda: order.append("B"), 3)
    assert order == ["A", "B"] * 4
    assert len(timing.ours) == len(timing.theirs) == 3


def test_the_ratio_is_the_median_of_the_pairs():
    assert Timing((1.0, 2.0, 1.0), (2.0, 2.0, 9.0)).ratio == 2.0


def test_a_growth_has_a_cost_at_every_depth():
    assert len(growth_seconds(2, 3)) == 3


def test_the_command_writes_csv_and_markdown(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(throughput, "CASES", (throughput.Case("Basic3ResNet-1-1-1", 8, 1, 128),))
    monkeypatch.setattr("autogrow.bench.report.CASES", throughput.CASES)
    arguments = ["bench", "--pairs", "1", "--threads", "1", "--out", str(tmp_path), "--parts"]
    assert main([*arguments, "training", "evaluation"]) == 0
    with (tmp_path / "throughput.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["what"] for line in lines] == ["training", "evaluation"]
    assert all(float(line["ours"]) > 0 and float(line["ratio"]) > 0 for line in lines)
    assert "Basic3ResNet-1-1-1 8x8x1" in (tmp_path / "bench.md").read_text()
    assert "Matrix-multiply peak" in capsys.readouterr().out
