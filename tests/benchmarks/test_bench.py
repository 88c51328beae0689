"""The benchmark: both sides learn the same, and what it writes is what it measured."""

import pytest
import torch

from benchmarks import suite, whole_runs, workflow_overhead
from benchmarks.__main__ import PARTS, main
from benchmarks.agreement import agreement
from benchmarks.growth_cost import growth_seconds
from benchmarks.pairs import Timing, time_pairs
from benchmarks.peak import peaks
from benchmarks.sides import BATCH, Case, Engine, Reference

CPU = torch.device("cpu")
SMALL = Case("Basic3ResNet-1-1-1", 8, 1, 2 * BATCH)


@pytest.mark.parametrize("network", ["Basic3ResNet-2-1-1", "Plain3Net-2-1-1"])
def test_the_engine_and_the_usual_loop_learn_the_same(network):
    """PIL, DataLoader and default layout against the engine, over 10 steps.

    In fp32 training amplifies rounding: two memory layouts of the usual loop end
    as far apart as it is from the engine.
    """
    found = agreement(Case(network, 8, 1, 640), 10, CPU)
    assert found.float64 < 1e-9
    assert found.float32 < 0.1


def test_both_sides_are_given_the_same_batches_to_the_bit_and_evaluate_alike():
    case = Case("Basic3ResNet-1-1-1", 32, 3, 300)
    engine, reference = Engine(case, CPU), Reference(case, CPU)
    ours = engine.set.evaluation_batches(BATCH)
    for (x, labels), (y, theirs) in zip(ours, reference.evaluation, strict=True):
        assert torch.equal(x, y)
        assert torch.equal(labels, theirs)
    assert engine.evaluate() == pytest.approx(reference.evaluate(), abs=100 / case.images)


def test_pairs_are_timed_in_turn_and_their_median_ratio_counts():
    order = []
    timing = time_pairs(lambda: order.append("A"), lambda: order.append("B"), 3)
    assert order == ["A", "B"] * 4
    assert len(timing.first) == len(timing.second) == 3
    timing = Timing([1.0, 2.0, 1.0], [2.0, 2.0, 9.0])
    assert timing.ratio == 2.0
    assert timing.spread == ["2.00", "1.00", "9.00"]


def test_a_growth_has_a_cost_and_the_peaks_are_rates_of_this_machine():
    assert len(growth_seconds(2, 3)) == 3
    found = peaks(CPU, seconds=0.05)
    assert set(found) == {"matrix product", "convolution"}
    assert all(1e8 < rate < 1e15 for rate in found.values())


def test_the_command_writes_csv_and_markdown(tmp_path, monkeypatch, capsys, rows):
    monkeypatch.setattr(suite, "CASES", (SMALL,))
    monkeypatch.setattr(suite, "STEPS", 5)
    monkeypatch.setattr(suite, "PEAK_SECONDS", 0.1)
    arguments = ["--pairs", "1", "--threads", "1", "--out", str(tmp_path), "--parts"]
    assert main([*arguments, "throughput", "agreement"]) == 0
    lines = rows(tmp_path / "throughput.csv")
    assert [line["what"] for line in lines] == ["training", "evaluation"]
    assert all(float(line["engine"]) > 0 and float(line["ratio"]) > 0 for line in lines)
    assert all(0 < float(line["of_convolution"]) < 2 for line in lines)
    assert float(lines[0]["memory_mb"]) > 50
    assert float(lines[0]["reference_memory_mb"]) > 50
    assert float(rows(tmp_path / "agreement.csv")[0]["float64"]) < 1e-9
    text = (tmp_path / "bench.md").read_text()
    assert "Basic3ResNet-1-1-1 8x8x1" in text
    assert capsys.readouterr().out == text
    assert set(PARTS) == set(suite.SECTIONS)


def test_the_cost_of_autogrow_is_a_whole_run_over_the_found_net_from_scratch(
    tmp_path, monkeypatch, rows
):
    """Data that is not there is left out with the reason."""
    monkeypatch.setattr(whole_runs, "GROWING", {"K": 1, "J": 2, "tau": 20, "finetune_epochs": 2})
    monkeypatch.setattr(whole_runs, "EPOCHS", 2)
    monkeypatch.setattr(whole_runs, "DATA", {"digits": {"data_fraction": 0.1}, "CIFAR10": {}})
    monkeypatch.setenv("AUTOGROW_DATA_ROOT", str(tmp_path))
    assert main(["--parts", "autogrow", "--threads", "1", "--out", str(tmp_path)]) == 0
    assert "Left out: CIFAR10: not found" in (tmp_path / "bench.md").read_text()
    [line] = rows(tmp_path / "autogrow.csv")
    assert line["data"] == "digits"
    assert float(line["ratio"]) > 0
    cost = whole_runs.Cost(line["found"], growing=3, finetuning=2, scratch=4)
    assert cost.ratio == 1.25


def test_the_workflow_cannot_be_timed_without_a_checkout(tmp_path, monkeypatch, capsys):
    assert workflow_overhead.outside_training(training=150, everything=100, cores=2) == 0.25
    monkeypatch.setattr(workflow_overhead, "ROOT", tmp_path)
    assert main(["--parts", "workflow", "--out", str(tmp_path / "out")]) == 2
    assert "needs a checkout" in capsys.readouterr().err
