import dataclasses
import os
import re
import shlex
import shutil
import sys

import numpy as np
import pytest
import torch
from interrupting import interrupted_after
from run_results import listing, metrics, read, results, summary
from safetensors.torch import load as load_tensors
from safetensors.torch import load_file, save_file

import autogrow
from autogrow.batches.sets import make_sets
from autogrow.cli.main import main
from autogrow.config.spec import parse_spec
from autogrow.data import Split, load
from autogrow.errors import UserError
from autogrow.files.seals import seal
from autogrow.files.yaml import read_yaml
from autogrow.networks.growable import build_network
from autogrow.networks.names import parse_network
from autogrow.runs.run import Execution
from autogrow.training import trainer
from autogrow.training.epoch import evaluate

FILES = {"spec.yaml", "metrics.csv", "summary.json", "weights.safetensors", "log.txt"}
FILES |= {"summary.json.seal"}
COLUMNS = (
    "epoch,phase,depth,lr,train_loss,train_accuracy,val_loss,val_accuracy,"
    "test_accuracy,best_val_accuracy,seconds"
)


def run(arguments, out, *more):
    return main([*arguments, "--out", str(out), *map(str, more)])


@pytest.fixture(scope="module")
def commands(tiny):
    """A command line of each kind, and of the ways they may differ in how they continue."""
    return {
        "scratch": tiny.train,
        "morph": tiny.morph,
        "autogrow": tiny.grow,
        "morph AdamInit": [*tiny.morph, "--initializer", "AdamInit"],
        "autogrow AdamInit": [*tiny.grow, "--initializer", "AdamInit"],
        "convergent": [*tiny.converge, "--tau", "30"],
    }


CASES = ["scratch", "morph", "autogrow", "morph AdamInit", "autogrow AdamInit", "convergent"]
KINDS = CASES[:3]
GROWING = ["autogrow", "autogrow AdamInit", "convergent"]


@pytest.fixture(scope="module")
def finished(commands, tmp_path_factory):
    """The folder of a finished run of each case, made when first asked for."""
    made = {}

    def folder(case):
        if case not in made:
            made[case] = tmp_path_factory.mktemp("finished") / case.replace(" ", "-")
            assert run(commands[case], made[case]) == 0
        return made[case]

    return folder


# --- what a run leaves -------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_files_of_a_finished_run_and_a_row_for_each_epoch(finished, case):
    out = finished(case)
    assert {f.name for f in out.iterdir()} == FILES | ({"growth.csv"} if case in GROWING else set())
    assert (out / "metrics.csv").read_text().splitlines()[0] == COLUMNS
    rows = [r for r in metrics(out) if r["phase"] != "adaminit"]
    assert [int(r["epoch"]) for r in rows] == list(range(1, len(rows) + 1))
    best = 0.0
    for row in rows:
        best = max(best, float(row["val_accuracy"]))
        assert float(row["best_val_accuracy"]) == best
        assert row["val_accuracy"] == row["test_accuracy"]  # protocol paper: test steers
        assert float(row["train_loss"]) > 0
        assert 0 <= float(row["train_accuracy"]) <= 100


def test_phases_learning_rates_and_depths_of_each_kind(finished):
    def rates(case):
        found = {}
        for row in metrics(finished(case)):
            found.setdefault(row["phase"], []).append(float(row["lr"]))
        return found

    staircase = [0.1, 0.1, 0.01, 0.001]
    assert rates("scratch") == {"training": staircase}
    assert rates("morph") == {"training": staircase * 2}  # the deeper net starts afresh
    assert [r["depth"] for r in metrics(finished("morph"))] == ["1-1-1"] * 4 + ["2-1-3"] * 4
    assert summary(finished("morph"))["depth"] == "2-1-3"
    grown = rates("autogrow")
    assert list(grown) == ["growing", "finetuning"]
    assert (set(grown["growing"]), grown["finetuning"]) == ({0.1}, staircase)
    last = read(finished("autogrow") / "growth.csv")[-1]
    assert (last["event"], int(last["epoch"])) == ("done", len(grown["growing"]))
    assert set(rates("autogrow AdamInit")["adaminit"]) == {0.001}


def test_staircase_while_growing(commands, tmp_path):
    more = ["--K", 4, "--J", 4, "--growing-rate", "staircase"]
    assert run(commands["autogrow"], tmp_path, *more) == 0
    rates = [float(r["lr"]) for r in metrics(tmp_path) if r["phase"] == "growing"]
    assert rates == ([0.1, 0.1, 0.01, 0.001] * len(rates))[: len(rates)]
    assert len(rates) >= 8


def test_momentum_is_kept_over_growths_and_starts_afresh_for_a_morphed_net(
    commands, tmp_path, monkeypatch
):
    train_epoch, held = trainer.train_epoch, []

    def counted(network, optimizer, *more, **options):
        held.append((len(optimizer.state), len(list(network.parameters()))))
        return train_epoch(network, optimizer, *more, **options)

    monkeypatch.setattr(trainer, "train_epoch", counted)
    assert run(commands["morph"], tmp_path / "morph") == 0
    momenta, parameters = zip(*held, strict=True)
    shallow, deep = parameters[0], parameters[-1]
    assert momenta == (0, shallow, shallow, shallow, 0, deep, deep, deep)

    held.clear()
    assert run(commands["autogrow"], tmp_path / "autogrow") == 0
    momenta, parameters = zip(*held, strict=True)
    assert momenta[0] == 0
    assert momenta[1:] == parameters[:-1]  # all that was there an epoch before


@pytest.mark.parametrize("case", GROWING)
def test_depth_of_an_epoch_is_what_has_grown_before_it(finished, case):
    events = read(finished(case) / "growth.csv")
    for row in metrics(finished(case)):
        epoch = int(row["epoch"])
        if row["phase"] == "adaminit":  # recorded with the epoch after which it grew
            epoch += 1
        before = [e["depth"] for e in events if int(e["epoch"]) < epoch]
        assert row["depth"] == (before[-1] if before else "1-1-1")
    assert summary(finished(case))["depth"] == events[-1]["depth"]


@pytest.mark.parametrize("case", GROWING)
def test_replaying_the_metrics_reproduces_the_growth(finished, cli, case):
    out = finished(case)
    spec = read_yaml(out / "spec.yaml")
    settings = [
        x for key in ("policy", "K", "J", "tau") if spec[key] for x in (f"--{key}", spec[key])
    ]
    told = cli(
        "replay", "--network", "Basic3ResNet", *settings, "--accuracies", out / "metrics.csv"
    )
    assert (told.status, told.err) == (0, "")
    assert told.out == (out / "growth.csv").read_text()
    assert told.out.count("grow") > 2


@pytest.mark.parametrize("policy", ["periodic", "convergent"])
def test_seed_depth_is_where_growing_starts(tiny, tmp_path, policy):
    command = {"periodic": tiny.grow, "convergent": tiny.converge}[policy]
    assert run(command, tmp_path, "--seed-depth", "2-1-2", "--tau", 50) == 0
    assert metrics(tmp_path)[0]["depth"] == "2-1-2"
    assert read(tmp_path / "growth.csv")[0]["depth"] == "3-1-2"


def test_summary_says_what_was_found_and_how(finished):
    found, rows = summary(finished("autogrow")), read(finished("autogrow") / "metrics.csv")
    name = f"Basic3ResNet-{found['depth']}"
    network = build_network(parse_network(name), image_channels=1, classes=10, width=4)
    tuned = [float(r["test_accuracy"]) for r in rows if r["phase"] == "finetuning"]
    data = load("digits")
    expected = {
        "status": "complete",
        "kind": "autogrow",
        "network": name,
        "parameters": sum(p.numel() for p in network.parameters()),
        "layers": network.layers,
        "final_accuracy": tuned[-1],
        "best_accuracy": max(tuned),
        "best_val_accuracy": float(rows[-1]["best_val_accuracy"]),
        "epochs": {"growing": len(rows) - 4, "finetuning": 4, "adaminit": 0, "training": 0},
        "seed": 0,
        "protocol": "paper",
        "threads": 1,
    }
    assert {key: found[key] for key in expected} == expected
    assert found["flops"] > 0
    total = found["seconds_growing"] + found["seconds_finetuning"]
    assert total == pytest.approx(sum(float(r["seconds"]) for r in rows), abs=0.01)
    assert "cpu" in found["device"]
    python = ".".join(map(str, sys.version_info[:3]))
    expected = {"torch": torch.__version__, "autogrow": autogrow.__version__, "python": python}
    assert found["versions"] == {**expected, "numpy": np.__version__}
    assert found["git_commit"] is None or re.fullmatch(r"[0-9a-f]{40}\+?", found["git_commit"])
    expected = {
        "name": "digits",
        "checksum": data.checksum,
        "mean": list(data.mean),
        "std": list(data.std),
        "statistics": "measured",
        "image_size": 8,
        "image_channels": 1,
        "classes": 10,
        "crop_padding": 1,
        "flip": False,
    }
    assert {key: found["data"][key] for key in expected} == expected


@pytest.mark.parametrize("case", KINDS)
def test_spec_yaml_is_every_setting_resolved_and_describes_the_same_run(finished, tmp_path, case):
    spec = finished(case) / "spec.yaml"
    content = read_yaml(spec)
    assert [k for k, v in content.items() if v is None] == []
    assert content["kind"] == case
    assert (content["width"], content["learning_rate"], content["stem"]) == (4, 0.1, "small")
    assert (content["crop_padding"], content["flip"]) == (1, False)
    torch.manual_seed(12345)  # the caller's random numbers do not matter
    execution = ["--threads", 1, "--device", "cpu", "--quiet"]
    assert run(["run", str(spec)], tmp_path / "again", *execution) == 0
    assert results(tmp_path / "again") == results(finished(case))


# --- weights -----------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_weights_reproduce_the_recorded_accuracy_and_need_the_depth_alone(finished, case):
    out = finished(case)
    network, found, last = autogrow.load_network(out), summary(out), metrics(out)[-1]
    assert not network.training
    named = build_network(parse_network(found["network"]), image_channels=1, classes=10, width=4)
    named.load_state_dict(load_file(out / "weights.safetensors"))
    loaded = network.state_dict()
    assert all(torch.equal(loaded[n], t) for n, t in named.state_dict().items())
    spec = parse_spec(read_yaml(out / "spec.yaml"))
    sets = make_sets(spec, load("digits"), torch.device("cpu"))
    score, _ = evaluate(network.to(memory_format=torch.channels_last), sets.test)
    assert score.accuracy == found["final_accuracy"] == float(last["test_accuracy"])
    assert score.loss == pytest.approx(float(last["val_loss"]), rel=1e-5)


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "noise", "foreign"])
def test_weights_that_cannot_be_loaded_are_named(finished, tmp_path, damage):
    file = tmp_path / "weights.safetensors"
    content = (finished("scratch") / file.name).read_bytes()
    shutil.copy(finished("scratch") / "summary.json", tmp_path)
    if damage == "foreign":
        save_file({"a": torch.zeros(2)}, file)
    elif damage != "missing":
        file.write_bytes({"empty": b"", "cut": content[:-100], "noise": b"\xff" * 500}[damage])
    seal(tmp_path / "summary.json")
    with pytest.raises(UserError, match="weights") as error:
        autogrow.load_network(tmp_path)
    assert str(file) in str(error.value)


# --- the same folder again ---------------------------------------------------------------


def test_another_seed_gives_another_run(finished, commands, tmp_path):
    assert run(commands["scratch"], tmp_path / "other", "--seed", 1) == 0
    mine, other = metrics(finished("scratch")), metrics(tmp_path / "other")
    assert all(a["train_loss"] != b["train_loss"] for a, b in zip(mine, other, strict=True))


@pytest.mark.parametrize("case", KINDS)
def test_a_finished_run_is_left_alone(finished, commands, case):
    before = listing(finished(case), but=["log.txt"])
    assert run(commands[case], finished(case)) == 0
    assert listing(finished(case), but=["log.txt"]) == before
    assert "complete; nothing to do" in (finished(case) / "log.txt").read_text()


def test_restart_trains_a_finished_run_again(finished, commands, tmp_path):
    assert run(commands["autogrow"], tmp_path) == 0
    before = listing(tmp_path)
    assert run(commands["autogrow"], tmp_path, "--restart") == 0
    for name, (_, changed) in listing(tmp_path).items():
        assert changed != before[name][1]
    assert results(tmp_path) == results(finished("autogrow"))


# --- interruptions -----------------------------------------------------------------------


@pytest.mark.parametrize("where", ["first", "middle", "last"])
@pytest.mark.parametrize("case", CASES)
def test_an_interrupted_run_continues_to_the_same(
    finished, commands, tmp_path, capsys, case, where
):
    n = len(metrics(finished(case)))
    with interrupted_after({"first": 1, "middle": n // 2, "last": n}[where]):
        assert run(commands[case], tmp_path) == 130
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "same command continues" in told
    assert shlex.join(commands[case]) in told
    assert not (tmp_path / "summary.json").exists()
    assert run(commands[case], tmp_path) == 0
    assert results(tmp_path) == results(finished(case))


def test_an_interrupted_run_refuses_other_data(tmp_path, tiny, mistake):
    digits = load("digits").train
    file = tmp_path / "own.npz"

    def write(n):
        part = slice(n, n + 200)
        np.savez(file, x_train=digits.images[part], y_train=digits.labels[part],
                 x_test=digits.images[-100:], y_test=digits.labels[-100:])  # fmt: skip

    write(0)
    arguments = [*tiny.train, "--data", f"npz:{file}", "--data-fraction", "1"]
    with interrupted_after(3):
        assert run(arguments, tmp_path / "run") == 130
    write(300)
    line = mistake(*arguments, "--out", tmp_path / "run")
    assert "checksum" in line
    assert "own.npz" in line
    write(0)
    assert run(arguments, tmp_path / "run") == 0


# --- checkpoints -------------------------------------------------------------------------


@pytest.fixture
def interrupted(commands, tmp_path):
    """The folder of a growing run and its two checkpoints."""
    with interrupted_after(5):
        assert run(commands["autogrow"], tmp_path / "run") == 130
    files = sorted((tmp_path / "run").glob("checkpoint-*"))
    assert [f.name for f in files] == [
        "checkpoint-000003-0000000015.safetensors",
        "checkpoint-000004-0000000020.safetensors",
    ]
    return tmp_path / "run", files


def test_restart_discards_an_interrupted_run(finished, commands, interrupted):
    out, _ = interrupted
    assert run(commands["autogrow"], out, "--restart") == 0
    assert "continuing" not in (out / "log.txt").read_text()
    assert results(out) == results(finished("autogrow"))


def test_a_run_does_not_start_over_unasked(finished, interrupted, mistake, commands):
    out, files = interrupted
    for file in files:
        file.write_bytes(file.read_bytes()[:-10])
    before = listing(out, but=["log.txt"])
    line = mistake(*commands["autogrow"], "--out", out)
    assert str(out) in line
    assert "--restart" in line
    assert listing(out, but=["log.txt"]) == before
    assert run(commands["autogrow"], out, "--restart") == 0
    assert results(out) == results(finished("autogrow"))


def test_others_may_read_all_that_a_run_leaves(commands, interrupted, tmp_path):
    """As far as the umask says: a group shares its results."""
    before = os.umask(0o027)
    try:
        assert run([*commands["autogrow"], "--snapshots", "1"], tmp_path / "another") == 0
    finally:
        os.umask(before)
    files = [f for f in (tmp_path / "another").rglob("*") if f.is_file()]
    assert len(files) > 8
    assert {f.stat().st_mode & 0o777 for f in files} == {0o640}
    _, checkpoints = interrupted
    assert {f.stat().st_mode & 0o777 for f in checkpoints} == {0o644}


def test_checkpoints_hold_nothing_that_is_unpickled(interrupted):
    _, files = interrupted
    for file in files:
        content = file.read_bytes()
        assert re.fullmatch(rb"[0-9a-f]{64}", content[-64:])
        names = set(load_tensors(content[:-64]))
        assert all(n == "state" or n.startswith(("network.", "momentum.")) for n in names)
        assert {"state", "network.head.bias", "momentum.head.bias"} <= names


# --- another run in the folder, and other mistakes ---------------------------------------


def test_another_spec_in_the_folder_is_refused_and_nothing_touched(
    finished, commands, interrupted, mistake
):
    for out, case, more, parts in (
        (finished("autogrow"), "autogrow", ["--seed", 1], ["seed", "0", "1"]),
        (finished("autogrow"), "autogrow", ["--tau", 1], ["tau", "10.0", "1.0"]),
        (finished("scratch"), "autogrow", [], []),
        (finished("scratch"), "autogrow", ["--restart"], []),
        (interrupted[0], "autogrow", ["--seed", 3], ["seed", "0", "3"]),
    ):
        before = listing(out)
        line = mistake(*commands[case], *more, "--out", out)
        assert all(part in line for part in [str(out), *parts])
        assert listing(out) == before


def test_replace_discards_another_specs_run(finished, commands, interrupted):
    out, _ = interrupted
    assert run(commands["scratch"], out, "--replace") == 0
    assert results(out) == results(finished("scratch"))
    before = listing(out, but=["log.txt"])
    assert run(commands["scratch"], out, "--replace") == 0  # its own it leaves alone
    assert listing(out, but=["log.txt"]) == before


@pytest.mark.parametrize("content", ["", "{", "[]", "3", "\x00"])
def test_a_spec_yaml_that_is_none_is_refused(commands, tmp_path, mistake, content):
    (tmp_path / "spec.yaml").write_text(content)
    assert "spec.yaml" in mistake(*commands["scratch"], "--out", tmp_path)
    assert [f.name for f in tmp_path.iterdir()] == ["spec.yaml"]


def test_what_is_in_the_way_is_reported_in_one_line(commands, tmp_path, mistake):
    file = tmp_path / "file"
    file.write_text("precious")
    for out in (file, file / "run"):
        assert str(out) in mistake(*commands["scratch"], "--out", out)
    assert file.read_text() == "precious"
    (tmp_path / "run" / "metrics.csv").mkdir(parents=True)
    assert "metrics.csv" in mistake(*commands["scratch"], "--out", tmp_path / "run")


@pytest.mark.parametrize(
    ("option", "value", "parts"),
    [
        *[("--data", name, []) for name in ("npz:none.npz", "folder:none", "digit", "SVHN")],
        *[("--device", d, [repr(d), "cpu"]) for d in ("tpu", "cuda:99", "gpu", "", "mps")],
        ("--threads", "5000", ["threads: found 5000; allowed: 1 to 1024"]),
    ],
)
def test_missing_data_and_devices_are_named_and_leave_no_folder(
    commands, tmp_path, mistake, monkeypatch, option, value, parts
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTOGROW_DATA_PATH", str(tmp_path))
    line = mistake(*commands["scratch"], option, value, "--out", tmp_path / "run")
    assert all(part in line for part in parts)
    assert not (tmp_path / "run").exists()


# --- protocols and subsets ---------------------------------------------------------------


def right_images(row, column, images):
    """Check that an accuracy is a share of this many images."""
    right = float(row[column]) * images / 100
    assert right == pytest.approx(round(right), abs=1e-2)


def test_holdout_splits_the_training_set(tiny, tmp_path, cli):
    more = ["--protocol", "holdout", "--holdout-fraction", "0.25"]
    assert run(tiny.grow, tmp_path, *more) == 0
    told, rows = summary(tmp_path), metrics(tmp_path)
    sizes = [told["data"][f"{part}_images"] for part in ("training", "validation", "test")]
    assert sizes[0] == 287  # a fifth of digits' 1,437, as under `paper`
    assert sizes[1] == pytest.approx(1437 / 4, abs=5)
    assert sizes[2] == 360
    assert told["protocol"] == "holdout"
    assert any(r["val_accuracy"] != r["test_accuracy"] for r in rows)
    for row in rows:
        right_images(row, "val_accuracy", sizes[1])
        right_images(row, "test_accuracy", sizes[2])
    tuned = [r for r in rows if r["phase"] == "finetuning"]
    best = max(tuned, key=lambda r: float(r["val_accuracy"]))
    assert told["best_accuracy"] == float(best["test_accuracy"])
    settings = ["--K", 1, "--J", 2, "--tau", 10, "--accuracies", tmp_path / "metrics.csv"]
    replayed = cli("replay", "--network", "Basic3ResNet", *settings).out
    assert replayed == (tmp_path / "growth.csv").read_text()


def test_the_test_set_steers_under_paper_and_never_under_holdout(tmp_path):
    data = load("digits")
    wrong = (data.test.labels + 1) % 10
    other = dataclasses.replace(data, test=Split(images=data.test.images, labels=wrong))

    def results_of(protocol, name):
        folder = tmp_path / f"{protocol}-{name}"
        return {"metrics": metrics(folder)} | {
            file: (folder / file).read_bytes() for file in ("growth.csv", "weights.safetensors")
        }

    for protocol in ("paper", "holdout"):
        spec = autogrow.AutogrowSpec(
            network="Basic3ResNet", data="digits", data_fraction=0.2, width=4, batch_size=64,
            K=1, J=2, tau=10.0, finetune_epochs=2, protocol=protocol,
        )  # fmt: skip
        execution = Execution(device="cpu", threads=1, quiet=True)
        for name, images in (("right", data), ("wrong", other)):
            autogrow.run(spec, tmp_path / f"{protocol}-{name}", execution=execution, data=images)
    right, wrongly = (results_of("holdout", name) for name in ("right", "wrong"))
    same = [
        [row[column] for row in right["metrics"]] == [row[column] for row in wrongly["metrics"]]
        for column in ("val_accuracy", "test_accuracy")
    ]
    assert same == [True, False]
    assert [right[f] == wrongly[f] for f in ("growth.csv", "weights.safetensors")] == [True, True]
    right, wrongly = (results_of("paper", name) for name in ("right", "wrong"))
    assert right["growth.csv"] != wrongly["growth.csv"]


@pytest.mark.parametrize(("fraction", "images"), [("1", 1437), ("0.5", 718), ("0.1", 144)])
def test_a_fraction_of_the_training_set(tiny, tmp_path, fraction, images):
    more = ["--crop-padding", 0, "--flip", "--epochs", 1]
    assert run(tiny.train, tmp_path, "--data-fraction", fraction, *more) == 0
    told = summary(tmp_path)["data"]
    assert told["training_images"] == pytest.approx(images, abs=5)  # each class is rounded
    assert (told["validation_images"], told["test_images"]) == (360, 360)
    assert (told["crop_padding"], told["flip"]) == (0, True)
    [row] = metrics(tmp_path)
    right_images(row, "train_accuracy", told["training_images"])


def test_an_epoch_may_take_each_training_image_several_times(tiny, tmp_path):
    once, thrice = tmp_path / "once", tmp_path / "thrice"
    assert run(tiny.train, once, "--data-fraction", "0.1", "--epochs", 3) == 0
    more = ["--data-fraction", "0.1", "--repeats", 3]
    train = ["train", "--network", "Basic3ResNet-1-2-1", *tiny.options]
    assert run(train, thrice, *more, "--budget-of", once) == 0
    first, told = summary(once), summary(thrice)
    assert told["data"] == first["data"]
    assert told["epochs"]["training"] == 1
    assert told["flops_training"] == first["flops_training"]
    [row] = metrics(thrice)
    right_images(row, "train_accuracy", 3 * told["data"]["training_images"])


@pytest.mark.parametrize("network", ["Plain3Net-1-1-1", "Basic4ResNet-1-1-1-1"])
def test_other_families_are_trained(tiny, tmp_path, network):
    assert run(tiny.train, tmp_path, "--network", network, "--epochs", 2) == 0
    assert summary(tmp_path)["network"] == network
    assert float(metrics(tmp_path)[0]["lr"]) == (0.01 if network.startswith("Plain") else 0.1)


def test_a_net_learns_to_read_digits(tmp_path, tiny):
    """Not only bookkeeping: a grown net reads most of the digits after a few seconds."""
    more = ["--data-fraction", 1, "--width", 8, "--K", 2, "--J", 3, "--finetune-epochs", 6]
    assert run(tiny.grow, tmp_path, *more) == 0
    assert summary(tmp_path)["final_accuracy"] > 85


# --- what a run prints -------------------------------------------------------------------


def test_quiet_prints_nothing_but_writes_the_log(commands, tmp_path, cli):
    told = cli(*commands["scratch"], "--out", tmp_path)
    assert (told.status, told.out, told.err) == (0, "", "")
    log = (tmp_path / "log.txt").read_text().splitlines()
    assert len([line for line in log if "epoch" in line]) == 4


def test_plain_lines_where_there_is_no_terminal(tiny, tmp_path, cli):
    told = cli(*[a for a in tiny.grow if a != "--quiet"], "--out", tmp_path)
    lines = told.err.splitlines()
    for line, row in zip(lines, metrics(tmp_path), strict=True):
        assert line.startswith(f"epoch {row['epoch']}/")
        assert f"{row['phase']} {row['depth']}" in line
        assert f"{float(row['val_accuracy']):.2f}" in line
    assert "\r" not in told.err
    found = summary(tmp_path)
    assert told.out.count("\n") == 1
    assert f"{found['network']} on digits" in told.out
    assert f"{found['final_accuracy']:.2f}" in told.out
    log = (tmp_path / "log.txt").read_text().splitlines()
    assert [re.sub(r"^\S+ \S+ ", "", line) for line in log] == lines
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", line) for line in log)
