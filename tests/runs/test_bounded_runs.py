"""Real runs under each budget: where growth ends, what is recorded, and how they continue.

Clocks are the tests' own: an epoch takes as long as a test says, a forward pass a millisecond for
each sub-module.
"""

import xml.etree.ElementTree as ElementTree

import pytest
from carry_out import carry_out
from interrupting import interrupted_after
from run_results import metrics, read, results, summary

from analysis.records.archives import archive_name, pack, read_archive
from autogrow.cli.main import main
from autogrow.files.yaml import yaml_text
from autogrow.networks.flops import network_costs
from autogrow.networks.growable import depth_of
from autogrow.networks.names import parse_network
from autogrow.runs import run as run_module
from autogrow.runs import run_bounds
from autogrow.training.trainer import Trainer

POLICY = ["--K", "2", "--J", "50"]
DIGITS = {"image_size": 8, "image_channels": 1, "classes": 10, "width": 4}


def cost(depth):
    return network_costs(parse_network(f"Basic3ResNet-{depth}"), **DIGITS)[-1]


@pytest.fixture
def clock(monkeypatch):
    """Let epochs take so many seconds, and forward passes so many milliseconds a sub-module."""

    def takes(seconds, milliseconds):
        asked = []

        def latency(network, images, precision):
            asked.append((depth_of(network), tuple(images.shape)))
            return milliseconds * sum(depth_of(network))

        monkeypatch.setattr(Trainer, "_lap", lambda self: seconds)
        monkeypatch.setattr(run_bounds, "median_latency", latency)
        return asked

    return takes


# Each with its line for the second check, at which 0 has grown, and what it stops in the end.
BOUNDS = {
    "max_parameters": (
        ["--max-parameters", str(cost("3-1-1").parameters)],
        "4,{},1,2-1-1",
        "3-1-1",
    ),
    "max_flops": (["--max-flops", str(cost("2-2-1").flops)], "4,grow,1,2-2-1", "2-2-1"),
    "max_latency_ms": (["--max-latency-ms", "5"], "4,grow,1,2-2-1", "2-2-1"),
    "max_epochs": (["--max-epochs", "5"], "4,{},1,2-1-1", "2-1-1"),
    "max_hours": (["--max-hours", "0.1"], "4,{},1,2-1-1", "2-1-1"),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_growth_ends_before_a_budget_is_passed_and_is_told_and_continued(
    name, tiny, tmp_path, clock, cli
):
    options, second, found = BOUNDS[name]
    line = [*tiny.grow, *POLICY, *options, "--out"]
    clock(70.0, 1.0)
    whole = tmp_path / "whole"
    assert main([*line, str(whole)]) == 0
    growth = (whole / "growth.csv").read_text().splitlines()[1:]
    assert growth[:2] == ["2,grow,0,2-1-1", second.format(name)]
    assert growth[-1].endswith(f",done,,{found}")
    stopped = [row.split(",") for row in growth if f",{name}," in row]
    assert summary(whole)["bounded"] == {name: [int(row[2]) for row in stopped]}
    assert sorted(summary(whole)["bounded"][name]) == [0, 1, 2]
    assert summary(whole)["depth"] == found
    told = f"epoch {stopped[0][0]}: sub-network {stopped[0][2]} grows no more, or {name} ("
    assert told in (whole / "log.txt").read_text()
    epochs = metrics(whole)
    growing = [row for row in epochs if row["phase"] == "growing"]
    assert [row["phase"] for row in epochs[len(growing) :]] == ["finetuning"] * 4
    assert int(growth[-1].split(",")[0]) == len(growing)
    if name not in ("max_latency_ms", "max_hours"):
        network = ["--network", "Basic3ResNet", "--width", "4", "--data", "digits"]
        curve = ["--accuracies", whole / "metrics.csv"]
        told = cli("replay", *network, *POLICY, "--tau", "10", *options, *curve).out
        assert told == (whole / "growth.csv").read_text()
    for count in (3, len(growing) + 1):
        folder = tmp_path / str(count)
        with interrupted_after(count):
            assert main([*line, str(folder)]) == 130
        assert main([*line, str(folder)]) == 0
        assert results(folder) == results(whole)


@pytest.mark.parametrize("name", ["max_latency_ms", "max_hours"])
def test_what_a_clock_has_decided_is_never_decided_again(name, tiny, tmp_path, clock, monkeypatch):
    """Killed right after the decision, with no checkpoint since the beginning."""
    options, *_ = BOUNDS[name]
    line = [*tiny.grow, *POLICY, *options, "--checkpoint-epochs", "99", "--out"]
    clock(70.0, 1.0)
    assert main([*line, str(tmp_path / "whole")]) == 0
    write_growth = run_module.write_growth

    def interrupted(folder, events, **more):
        write_growth(folder, events, **more)
        if events[-1].event == "done":
            raise KeyboardInterrupt

    monkeypatch.setattr(run_module, "write_growth", interrupted)
    folder = tmp_path / "interrupted"
    assert main([*line, str(folder)]) == 130
    decided = (folder / "growth.csv").read_bytes()
    monkeypatch.setattr(run_module, "write_growth", write_growth)
    asked = clock(0.001, 0.001)  # now nothing would be stopped
    assert main([*line, str(folder)]) == 0
    assert (folder / "growth.csv").read_bytes() == decided
    assert asked == []
    assert results(folder) == results(tmp_path / "whole")
    again = (folder / "measurements.json").read_bytes()
    assert again == (tmp_path / "whole" / "measurements.json").read_bytes()


def test_adaminits_epochs_count_in_the_hours(tiny, tmp_path, clock):
    clock(60.0, 1.0)
    line = [*tiny.grow, *POLICY, "--initializer", "AdamInit", "--max-hours", "0.2", "--out"]
    assert main([*line, str(tmp_path)]) == 0
    rows = read(tmp_path / "metrics.csv")
    spent = 60.0 * sum(row["phase"] in ("growing", "adaminit") for row in rows)
    assert 0 < spent <= 720
    assert "adaminit" in {row["phase"] for row in rows}
    assert "max_hours" in summary(tmp_path)["bounded"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--max-parameters", "100"], "max_parameters: found 100, but the seed network"),
        (["--max-flops", "100"], f"allowed: {cost('1-1-1').flops} or more"),
        (["--max-latency-ms", "2.5"], "Basic3ResNet-1-1-1 takes 3.0 ms; allowed: 3.0 or more"),
        (["--K", "2", "--max-epochs", "1"], "trained for K = 2 epochs; allowed: 2 or more"),
        (["--max-hours", "-1"], "max_hours: found -1.0"),
        (["--max-hours", "nan"], "max_hours: found nan"),
        (["--latency-batch", "2"], "latency_batch: found 2"),
    ],
)
def test_a_budget_that_the_seed_exceeds_is_told_before_training(
    options, told, tiny, mistake, tmp_path, clock
):
    clock(1.0, 1.0)
    assert told in mistake(*tiny.grow, *options, "--out", tmp_path / "run")
    assert not (tmp_path / "run" / "spec.yaml").exists()
    assert not list(tmp_path.glob("run/*.json"))


def test_measurements_that_are_none_are_told(tiny, tmp_path, mistake, clock):
    clock(1.0, 1.0)
    line = [*tiny.grow, *POLICY, "--max-hours", "1", "--out", str(tmp_path)]
    with interrupted_after(3):
        assert main(line) == 130
    (tmp_path / "measurements.json").write_text('{"seconds": "many"}')
    told = mistake(*line)
    assert f"{tmp_path / 'measurements.json'}: found no measurements" in told
    assert main([*line, "--restart"]) == 0


def test_the_frontier_has_each_depth_that_growing_passed(tiny, tmp_path, clock, cli):
    asked = clock(1.0, 1.5)
    out = tmp_path / "mini/runs/a/seed0"
    more = ["--frontier", "--latency-batch", "3", "--max-parameters", "7000"]
    assert main([*tiny.grow, *POLICY, *more, "--out", str(out)]) == 0
    rows, epochs = read(out / "frontier.csv"), metrics(out)
    assert [row["phase"] for row in rows[-2:]] == ["growing", "finetuning"]
    depths = [row["depth"] for row in rows[:-1]]
    grown = [line.split(",")[3] for line in (out / "growth.csv").read_text().splitlines()[1:]]
    assert depths == list(dict.fromkeys(["1-1-1", *grown]))
    best = -1.0
    for row in rows:
        same = [e for e in epochs if (e["depth"], e["phase"]) == (row["depth"], row["phase"])]
        last = same[-1]
        assert row["epoch"] == last["epoch"]
        assert (row["val_accuracy"], row["test_accuracy"]) == (
            last["val_accuracy"],
            last["test_accuracy"],
        )
        there = cost(row["depth"])
        assert (int(row["parameters"]), int(row["flops"])) == (there.parameters, there.flops)
        assert float(row["latency_ms"]) == 1.5 * sum(map(int, row["depth"].split("-")))
        if row["phase"] == "growing":
            accuracy = float(row["val_accuracy"])
            assert row["pareto"] == ("yes" if accuracy > best else "no")
            best = max(best, accuracy)
        else:
            assert row["pareto"] == ""
    assert [depth for depth, _ in asked] == [tuple(map(int, d.split("-"))) for d in depths]
    assert {shape for _, shape in asked} == {(3, 1, 8, 8)}
    picture = ElementTree.parse(out / "frontier.svg").getroot()
    titles = [e.text for e in picture.iter("{http://www.w3.org/2000/svg}title")]
    assert len(titles) == 3 * len(rows)
    assert titles[0].startswith("1-1-1, epoch 2, growing: ")
    assert cli("verify", out).out.startswith("sound")
    (out / "frontier.csv").write_text("")
    assert "frontier.csv" in cli("verify", out).out


def test_an_archive_has_what_was_measured(tiny, tmp_path, clock, cli):
    clock(70.0, 1.0)
    out = tmp_path / "mini/runs/a/seed0"
    options = [*BOUNDS["max_hours"][0], "--max-flops", "99999", "--frontier"]
    assert main([*tiny.grow, *POLICY, *options, "--out", str(out)]) == 0
    (tmp_path / archive_name(0)).write_bytes(pack(tmp_path / "mini", 0, ["a"]))
    [files] = read_archive(tmp_path / archive_name(0)).runs.values()
    assert {"measurements.json", "frontier.csv"} <= files.keys()
    told = cli("replay", "--run", out)
    assert told.out.splitlines()[1].endswith(",4")  # by itself it would have gone on
    assert "max_hours, which the run kept by its clock, does not bound" in told.err
    spec = ["--width", "4", "--data", "digits", *POLICY, "--tau", "10"]
    again = ["--network", "Basic3ResNet", *spec, "--max-epochs", "4"]
    told = cli("replay", *again, "--accuracies", out / "metrics.csv").out
    growth = (out / "growth.csv").read_text()
    assert told.replace("max_epochs", "max_hours") == growth


def test_a_run_without_budgets_has_none_of_their_files(tiny, tmp_path):
    assert main([*tiny.grow, *POLICY, "--max-depth", "2-1-1", "--out", str(tmp_path)]) == 0
    assert not {*tmp_path.glob("measurements*"), *tmp_path.glob("frontier*")}
    assert summary(tmp_path)["bounded"] == {"max_depth": [0]}
    spec = (tmp_path / "spec.yaml").read_text()
    assert "max_hours" not in spec
    assert "frontier" not in spec


def test_several_processes_measure_once_for_all(tmp_path):
    spec = {"kind": "autogrow", "network": "Basic3ResNet", "data": "digits", "width": 4, "K": 1}
    spec |= {"data_fraction": 0.1, "batch_size": 48, "J": 9, "tau": 1.0, "finetune_epochs": 1}
    spec |= {"max_hours": 1000.0, "max_latency_ms": 1e6, "max_epochs": 3, "frontier": True}
    (tmp_path / "spec.yaml").write_text(yaml_text(spec))
    out = tmp_path / "run"
    statuses, told = carry_out(tmp_path / "spec.yaml", out, tmp_path / "weights", 2)
    assert statuses == [0, 0], told
    assert summary(out)["bounded"] == {"max_epochs": [2, 0, 1]}
    assert [row["depth"] for row in read(out / "frontier.csv")] == [
        *("1-1-1", "2-1-1", "2-2-1"),
        "2-2-1",
    ]
