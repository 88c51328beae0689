import dataclasses
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from run_results import listing, metrics, read, results, summary
from safetensors.torch import load as load_tensors
from safetensors.torch import load_file

import autogrow
from autogrow.batches.sets import make_sets
from autogrow.cli.main import main
from autogrow.config.spec import parse_spec
from autogrow.data import Split, load
from autogrow.errors import UserError
from autogrow.files.yaml import read_yaml
from autogrow.networks.growable import build_network
from autogrow.networks.names import parse_network
from autogrow.runs.run import Execution
from autogrow.training import trainer
from autogrow.training.epoch import evaluate
from autogrow.training.reporter import Reporter

FILES = {"spec.yaml", "metrics.csv", "summary.json", "weights.safetensors", "log.txt"}
COLUMNS = (
    "epoch,phase,depth,lr,train_loss,train_accuracy,val_loss,val_accuracy,"
    "test_accuracy,best_val_accuracy,seconds"
)


def run(arguments, out, *more):
    return main([*arguments, "--out", str(out), *map(str, more)])


@pytest.fixture(scope="module")
def commands(tiny):
    """A command line of each kind, and of the ways they may differ in how they go on."""
    return {
        "scratch": tiny.train,
        "morph": tiny.morph,
        "autogrow": tiny.grow,
        "morph AdamInit": [*tiny.morph, "--initializer", "AdamInit"],
        "autogrow AdamInit": [*tiny.grow, "--initializer", "AdamInit"],
        "convergent": [*tiny.grow, "--policy", "convergent", "--K", "2", "--tau", "30"],
    }


CASES = ["scratch", "morph", "autogrow", "morph AdamInit", "autogrow AdamInit", "convergent"]
KINDS = CASES[:3]


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
def test_files_of_a_finished_run(finished, case):
    grown = {"growth.csv"} if case.startswith(("autogrow", "convergent")) else set()
    assert {f.name for f in finished(case).iterdir()} == FILES | grown


@pytest.mark.parametrize("case", CASES)
def test_metrics_have_a_row_an_epoch(finished, case):
    lines = (finished(case) / "metrics.csv").read_text().splitlines()
    assert lines[0] == COLUMNS
    rows = [r for r in metrics(finished(case)) if r["phase"] != "adaminit"]
    assert [int(r["epoch"]) for r in rows] == list(range(1, len(rows) + 1))
    best = 0.0
    for row in rows:
        best = max(best, float(row["val_accuracy"]))
        assert float(row["best_val_accuracy"]) == best
        assert row["val_accuracy"] == row["test_accuracy"]  # protocol paper: test steers
        assert float(row["train_loss"]) > 0
        assert 0 <= float(row["train_accuracy"]) <= 100


def phases(rows):
    """The phases in order with their number of epochs, AdamInit's left out."""
    found = []
    for row in rows:
        if row["phase"] == "adaminit":
            continue
        if not found or found[-1][0] != row["phase"]:
            found.append([row["phase"], 0])
        found[-1][1] += 1
    return [tuple(f) for f in found]


def test_phases_of_each_kind(finished):
    assert phases(metrics(finished("scratch"))) == [("training", 4)]
    assert phases(metrics(finished("morph"))) == [("training", 8)]
    growing, finetuning = phases(metrics(finished("autogrow")))
    assert growing[0] == "growing"
    assert finetuning == ("finetuning", 4)
    growth = read(finished("autogrow") / "growth.csv")
    assert growth[-1]["event"] == "done"
    assert int(growth[-1]["epoch"]) == growing[1]


def test_learning_rates_of_each_kind(finished):
    def rates(case, phase):
        return [float(r["lr"]) for r in metrics(finished(case)) if r["phase"] == phase]

    assert rates("scratch", "training") == [0.1, 0.1, 0.01, 0.001]
    assert rates("morph", "training") == [0.1, 0.1, 0.01, 0.001] * 2  # the deeper net starts afresh
    assert rates("autogrow", "finetuning") == [0.1, 0.1, 0.01, 0.001]
    assert set(rates("autogrow", "growing")) == {0.1}
    assert set(rates("autogrow AdamInit", "adaminit")) == {0.001}


def test_staircase_while_growing(commands, tmp_path):
    more = ["--K", 4, "--J", 4, "--growing-rate", "staircase"]
    assert run(commands["autogrow"], tmp_path, *more) == 0
    rates = [float(r["lr"]) for r in metrics(tmp_path) if r["phase"] == "growing"]
    assert rates == ([0.1, 0.1, 0.01, 0.001] * len(rates))[: len(rates)]
    assert len(rates) >= 8


def test_momentum_is_carried_over_growths_and_begins_anew_for_a_morphed_net(
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


@pytest.mark.parametrize("case", ["autogrow", "autogrow AdamInit", "convergent"])
def test_depth_of_an_epoch_is_what_has_grown_before_it(finished, case):
    events = read(finished(case) / "growth.csv")
    for row in metrics(finished(case)):
        epoch = int(row["epoch"])
        before = [e["depth"] for e in events if int(e["epoch"]) < epoch]
        if row["phase"] == "adaminit":  # told with the epoch after which it grew
            before = [e["depth"] for e in events if int(e["epoch"]) <= epoch]
        assert row["depth"] == (before[-1] if before else "1-1-1")
    assert summary(finished(case))["depth"] == events[-1]["depth"]


def test_depth_of_a_morph_changes_after_the_first_training(finished):
    assert [r["depth"] for r in metrics(finished("morph"))] == ["1-1-1"] * 4 + ["2-1-3"] * 4
    assert summary(finished("morph"))["depth"] == "2-1-3"


@pytest.mark.parametrize("case", ["autogrow", "autogrow AdamInit", "convergent"])
def test_replaying_the_metrics_reproduces_the_growth(finished, cli, case):
    out = finished(case)
    spec = read_yaml(out / "spec.yaml")
    settings = ["--policy", spec["policy"], "--K", spec["K"], "--tau", spec["tau"]]
    settings += ["--J", spec["J"]] if spec["J"] else []
    told = cli(
        "replay", "--network", "Basic3ResNet", *settings, "--accuracies", out / "metrics.csv"
    )
    assert (told.status, told.err) == (0, "")
    assert told.out == (out / "growth.csv").read_text()
    assert told.out.count("grow") > 2


@pytest.mark.parametrize("policy", ["periodic", "convergent"])
def test_seed_depth_is_where_growing_starts(tiny, tmp_path, policy):
    assert run(tiny.grow, tmp_path, "--seed-depth", "2-1-2", "--policy", policy, "--tau", 50) == 0
    assert metrics(tmp_path)[0]["depth"] == "2-1-2"
    assert read(tmp_path / "growth.csv")[0]["depth"] == "3-1-2"


def test_summary_says_what_was_found_and_how(finished):
    found = summary(finished("autogrow"))
    rows = metrics(finished("autogrow"))
    name = f"Basic3ResNet-{found['depth']}"
    assert (found["status"], found["kind"], found["network"]) == ("complete", "autogrow", name)
    network = build_network(parse_network(name), image_channels=1, classes=10, width=4)
    assert found["parameters"] == sum(p.numel() for p in network.parameters())
    assert found["layers"] == network.layers
    assert found["flops"] > 0
    tuned = [r for r in rows if r["phase"] == "finetuning"]
    assert found["final_accuracy"] == float(tuned[-1]["test_accuracy"])
    assert found["best_accuracy"] == max(float(r["test_accuracy"]) for r in tuned)
    assert found["best_val_accuracy"] == float(rows[-1]["best_val_accuracy"])
    assert found["epochs"] == {
        "growing": len(rows) - 4,
        "finetuning": 4,
        "adaminit": 0,
        "training": 0,
    }
    seconds = {r["epoch"]: float(r["seconds"]) for r in read(finished("autogrow") / "metrics.csv")}
    total = found["seconds_growing"] + found["seconds_finetuning"]
    assert total == pytest.approx(sum(seconds.values()), abs=0.01)
    assert found["seed"] == 0
    assert found["protocol"] == "paper"
    assert found["threads"] == 1
    assert "cpu" in found["device"]
    assert found["versions"]["torch"] == torch.__version__
    assert found["versions"]["autogrow"] == autogrow.__version__
    assert found["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["git_commit"] is None or re.fullmatch(r"[0-9a-f]{40}\+?", found["git_commit"])


def test_summary_says_what_data_was_used(finished):
    told, data = summary(finished("scratch"))["data"], load("digits")
    assert told["name"] == "digits"
    assert told["checksum"] == data.checksum
    assert (told["mean"], told["std"]) == (list(data.mean), list(data.std))
    assert told["statistics"] == "measured"
    assert (told["image_size"], told["image_channels"], told["classes"]) == (8, 1, 10)
    assert (told["crop_padding"], told["flip"]) == (1, False)


def test_best_accuracy_of_a_morph_is_the_deeper_nets(finished):
    rows = metrics(finished("morph"))[4:]
    assert summary(finished("morph"))["best_accuracy"] == max(
        float(r["test_accuracy"]) for r in rows
    )


@pytest.mark.parametrize("case", KINDS)
def test_spec_yaml_is_every_setting_resolved(finished, case):
    content = read_yaml(finished(case) / "spec.yaml")
    assert [k for k, v in content.items() if v is None] == []
    assert content["kind"] == case
    assert (content["width"], content["learning_rate"], content["stem"]) == (4, 0.1, "small")
    assert (content["crop_padding"], content["flip"]) == (1, False)


@pytest.mark.parametrize("case", KINDS)
def test_a_runs_spec_yaml_describes_the_same_run(finished, tmp_path, case):
    spec = finished(case) / "spec.yaml"
    execution = ["--threads", 1, "--device", "cpu", "--quiet"]
    assert run(["run", str(spec)], tmp_path / "again", *execution) == 0
    assert results(tmp_path / "again") == results(finished(case))


# --- weights -----------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_loaded_network_reproduces_the_recorded_accuracy(finished, case):
    network = autogrow.load_network(finished(case))
    assert not network.training
    spec = parse_spec(read_yaml(finished(case) / "spec.yaml"))
    sets = make_sets(spec, load("digits"), torch.device("cpu"))
    network.to(memory_format=torch.channels_last)
    score, _ = evaluate(network, sets.test)
    last = metrics(finished(case))[-1]
    assert (
        score.accuracy == summary(finished(case))["final_accuracy"] == float(last["test_accuracy"])
    )
    assert score.loss == pytest.approx(float(last["val_loss"]), rel=1e-5)


def test_weights_reload_from_the_depths_alone(finished):
    out = finished("autogrow")
    weights = load_file(out / "weights.safetensors")
    name = parse_network(f"Basic3ResNet-{summary(out)['depth']}")
    network = build_network(name, image_channels=1, classes=10, width=4)
    network.load_state_dict(weights)
    loaded = autogrow.load_network(out).state_dict()
    assert all(torch.equal(loaded[n], t) for n, t in network.state_dict().items())


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "noise", "foreign"])
def test_weights_that_cannot_be_loaded_are_named(finished, tmp_path, damage):
    file = tmp_path / "weights.safetensors"
    content = (finished("scratch") / file.name).read_bytes()
    if damage == "foreign":
        from safetensors.torch import save_file

        save_file({"a": torch.zeros(2)}, file)
    elif damage != "missing":
        file.write_bytes({"empty": b"", "cut": content[:-100], "noise": b"\xff" * 500}[damage])
    with pytest.raises(UserError, match="weights") as error:
        autogrow.load_network(tmp_path)
    assert str(file) in str(error.value)


# --- the same again ----------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_the_same_spec_twice_gives_the_same_to_the_bit(finished, commands, tmp_path, case):
    torch.manual_seed(12345)  # what the caller did with the random numbers is no matter
    assert run(commands[case], tmp_path / "again") == 0
    assert results(tmp_path / "again") == results(finished(case))


def test_another_process_gives_the_same_to_the_bit(finished, commands, command, tmp_path):
    done = command(*commands["autogrow"], "--out", tmp_path / "again")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert results(tmp_path / "again") == results(finished("autogrow"))


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


def test_restart_begins_a_finished_run_anew(finished, commands, tmp_path):
    out = tmp_path / "run"
    assert run(commands["autogrow"], out) == 0
    before = listing(out)
    assert run(commands["autogrow"], out, "--restart") == 0
    after = listing(out)
    changed = {name for name in before if after[name][1] != before[name][1]}
    assert {"metrics.csv", "growth.csv", "summary.json", "weights.safetensors"} <= changed
    assert results(out) == results(finished("autogrow"))


# --- interruptions -----------------------------------------------------------------------


@pytest.fixture
def interrupt(monkeypatch):
    """Raise KeyboardInterrupt when this many epochs (AdamInit's too) were reported."""
    report = Reporter.epoch

    def after(calls):
        left = iter(range(calls - 1))

        def epoch(self, *arguments):
            report(self, *arguments)
            if next(left, None) is None:
                raise KeyboardInterrupt

        monkeypatch.setattr(Reporter, "epoch", epoch)

    yield after
    monkeypatch.setattr(Reporter, "epoch", report)


@pytest.fixture
def uninterrupted(monkeypatch):
    report = Reporter.epoch
    return lambda: monkeypatch.setattr(Reporter, "epoch", report)


@pytest.mark.parametrize("where", [1, "middle", "last"])
@pytest.mark.parametrize("case", CASES)
def test_an_interrupted_run_continues_to_the_same(
    finished, commands, tmp_path, uninterrupted, interrupt, capsys, case, where
):
    n = len(metrics(finished(case)))
    interrupt({"middle": n // 2, "last": n}.get(where, where))
    assert run(commands[case], tmp_path) == 130
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert not (tmp_path / "summary.json").exists()
    uninterrupted()
    assert run(commands[case], tmp_path) == 0
    assert results(tmp_path) == results(finished(case))


@pytest.mark.parametrize("case", CASES)
def test_a_run_interrupted_in_every_epoch_ends_the_same(
    finished, commands, tmp_path, monkeypatch, case
):
    """Every start gets one epoch further: the second one it trains is its last."""
    report = Reporter.epoch
    trained = []

    def epoch(self, number, expected, phase, *arguments):
        report(self, number, expected, phase, *arguments)
        if phase != "adaminit":
            trained.append(number)
            if len(trained) == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(Reporter, "epoch", epoch)
    starts = 0
    while True:
        trained.clear()
        starts += 1
        status = run(commands[case], tmp_path)
        if status == 0:
            break
        assert status == 130
        assert starts < 100
    epochs = [r for r in metrics(finished(case)) if r["phase"] != "adaminit"]
    assert starts == len(epochs)
    assert results(tmp_path) == results(finished(case))


@pytest.mark.parametrize("step", ["write_metrics", "write_weights", "write_json"])
def test_a_run_interrupted_at_its_end_ends_the_same(
    finished, commands, tmp_path, monkeypatch, step
):
    from autogrow.runs import run as records

    write = getattr(records, step)

    def interrupted(*arguments, sync=None, **more):
        if step == "write_progress" and not sync:  # only the last one is synced
            return write(*arguments, **more)
        if step == "write_json" and arguments[0].name != "summary.json":
            return write(*arguments, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(records, step, interrupted)
    assert run(commands["autogrow"], tmp_path) == 130
    assert not (tmp_path / "summary.json").exists()
    monkeypatch.setattr(records, step, write)
    assert run(commands["autogrow"], tmp_path) == 0
    assert results(tmp_path) == results(finished("autogrow"))


def test_a_killed_process_continues_to_the_same(tiny, tmp_path):
    arguments = [*tiny.grow, "--initializer", "AdamInit", "--J", "6", "--finetune-epochs", "12"]
    assert run(arguments, tmp_path / "whole") == 0
    out = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-m", "autogrow", *arguments, "--out", str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 100
        while process.poll() is None and time.monotonic() < deadline:
            numbers = [int(f.name[11:17]) for f in out.glob("checkpoint-*.safetensors")]
            if max(numbers, default=0) >= 6:
                break
            time.sleep(0.002)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGKILL
    assert not (out / "summary.json").exists()
    assert run(arguments, out) == 0
    assert "continuing after epoch" in (out / "log.txt").read_text()
    assert results(out) == results(tmp_path / "whole")


def test_restart_throws_an_interrupted_run_away(
    finished, commands, tmp_path, interrupt, uninterrupted
):
    interrupt(4)
    assert run(commands["autogrow"], tmp_path) == 130
    uninterrupted()
    assert run(commands["autogrow"], tmp_path, "--restart") == 0
    assert "continuing" not in (tmp_path / "log.txt").read_text()
    assert results(tmp_path) == results(finished("autogrow"))


def test_an_interrupted_run_refuses_other_data(tmp_path, tiny, interrupt, uninterrupted, mistake):
    digits = load("digits").train
    file = tmp_path / "own.npz"

    def write(n):
        part = slice(n, n + 200)
        np.savez(file, x_train=digits.images[part], y_train=digits.labels[part],
                 x_test=digits.images[-100:], y_test=digits.labels[-100:])  # fmt: skip

    write(0)
    arguments = [*tiny.train, "--data", f"npz:{file}", "--data-fraction", "1"]
    interrupt(3)
    assert run(arguments, tmp_path / "run") == 130
    uninterrupted()
    write(300)
    line = mistake(*arguments, "--out", tmp_path / "run")
    assert "checksum" in line
    assert "own.npz" in line
    write(0)
    assert run(arguments, tmp_path / "run") == 0


# --- damaged checkpoints -----------------------------------------------------------------


@pytest.fixture
def interrupted(commands, tmp_path, interrupt, uninterrupted):
    """The folder of a growing run with its two checkpoints, and how to go on with it."""
    interrupt(5)
    assert run(commands["autogrow"], tmp_path / "run") == 130
    uninterrupted()
    arguments = [a for a in commands["autogrow"] if a != "--quiet"]
    files = sorted((tmp_path / "run").glob("checkpoint-*"))
    assert [f.name for f in files] == [
        "checkpoint-000003-0000000015.safetensors",
        "checkpoint-000004-0000000020.safetensors",
    ]
    return arguments, tmp_path / "run", files


def flip(file, where):
    content = bytearray(file.read_bytes())
    content[int(where * (len(content) - 1))] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("where", [0, 0.01, 0.5, 1, "cut", "empty"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(
    finished, interrupted, cli, where
):
    arguments, out, (_, newest) = interrupted
    if isinstance(where, str):
        newest.write_bytes(newest.read_bytes()[:-10] if where == "cut" else b"")
    else:
        flip(newest, where)
    told = cli(*arguments, "--out", out)
    assert told.status == 0
    warning, continuing, *_ = told.err.splitlines()
    assert str(newest) in warning
    assert "damaged" in warning
    assert "continuing after epoch 3" in continuing
    assert warning in (out / "log.txt").read_text()
    assert results(out) == results(finished("autogrow"))


def test_a_run_does_not_start_over_unasked(finished, interrupted, cli, commands):
    _, out, files = interrupted
    for file in files:
        flip(file, 0.5)
    before = listing(out, but=["log.txt"])
    told = cli(*commands["autogrow"], "--out", out)
    assert (told.status, told.out) == (2, "")
    assert told.err.count("\n") == 1
    assert str(out) in told.err
    assert "--restart" in told.err
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
    _, _, checkpoints = interrupted
    assert {f.stat().st_mode & 0o777 for f in checkpoints} == {0o644}


def test_checkpoints_hold_nothing_that_is_unpickled(interrupted):
    _, _, files = interrupted
    for file in files:
        content = file.read_bytes()
        assert re.fullmatch(rb"[0-9a-f]{64}", content[-64:])
        names = set(load_tensors(content[:-64]))
        assert all(n == "state" or n.startswith(("network.", "momentum.")) for n in names)
        assert {"state", "network.head.bias", "momentum.head.bias"} <= names


# --- another run in the folder -----------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "told"), [(["--seed", 1], ["seed", "0", "1"]), (["--tau", 1], ["tau", "10.0", "1.0"])]
)
def test_another_spec_in_the_folder_is_refused_and_nothing_touched(
    finished, commands, mistake, more, told
):
    out = finished("autogrow")
    before = listing(out)
    line = mistake(*commands["autogrow"], *more, "--out", out)
    assert str(out) in line
    assert all(part in line for part in told)
    assert listing(out) == before


def test_another_kind_in_the_folder_is_refused(finished, commands, mistake):
    before = listing(finished("scratch"))
    for more in ([], ["--restart"]):
        mistake(*commands["autogrow"], "--out", finished("scratch"), *more)
    assert listing(finished("scratch")) == before


def test_another_spec_is_refused_while_a_run_is_interrupted(interrupted, mistake):
    arguments, out, _ = interrupted
    before = listing(out)
    mistake(*arguments, "--seed", 3, "--out", out)
    assert listing(out) == before


def test_replace_throws_another_specs_run_away(finished, commands, interrupted):
    _, out, _ = interrupted
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


def test_a_file_in_the_way_is_told_in_one_line(commands, tmp_path, mistake):
    (tmp_path / "file").write_text("precious")
    assert str(tmp_path / "file") in mistake(*commands["scratch"], "--out", tmp_path / "file")
    line = mistake(*commands["scratch"], "--out", tmp_path / "file" / "run")
    assert str(tmp_path / "file" / "run") in line
    assert (tmp_path / "file").read_text() == "precious"


def test_a_file_that_cannot_be_written_is_told_in_one_line(commands, tmp_path, mistake):
    (tmp_path / "run" / "metrics.csv").mkdir(parents=True)
    assert "metrics.csv" in mistake(*commands["scratch"], "--out", tmp_path / "run")


@pytest.mark.parametrize("data", ["npz:none.npz", "folder:none", "digit", "SVHN"])
def test_missing_data_leaves_no_folder(commands, tmp_path, mistake, monkeypatch, data):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTOGROW_DATA_PATH", str(tmp_path))
    mistake(*commands["scratch"], "--data", data, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("device", ["tpu", "cuda:99", "gpu", "", "mps"])
def test_an_impossible_device_is_named(commands, tmp_path, mistake, device):
    line = mistake(*commands["scratch"], "--device", device, "--out", tmp_path / "run")
    assert repr(device) in line
    assert "cpu" in line


# --- protocols and subsets ---------------------------------------------------------------


def test_holdout_splits_the_training_set(tiny, tmp_path, cli):
    more = ["--protocol", "holdout", "--holdout-fraction", "0.25"]
    assert run(tiny.grow, tmp_path, *more) == 0
    told, rows = summary(tmp_path), metrics(tmp_path)
    sizes = [told["data"][f"{part}_images"] for part in ("training", "validation", "test")]
    assert sum(sizes[:2]) == 287  # a fifth of digits' 1,437
    assert sizes[1] == pytest.approx(287 / 4, abs=5)
    assert sizes[2] == 360
    assert told["protocol"] == "holdout"
    assert any(r["val_accuracy"] != r["test_accuracy"] for r in rows)
    for row in rows:  # each is a share of its own set
        for column, n in (("val_accuracy", sizes[1]), ("test_accuracy", sizes[2])):
            right = float(row[column]) * n / 100
            assert right == pytest.approx(round(right), abs=1e-3)
    best = max(
        (r for r in rows if r["phase"] == "finetuning"), key=lambda r: float(r["val_accuracy"])
    )
    assert told["best_accuracy"] == float(best["test_accuracy"])
    settings = ["--K", 1, "--J", 2, "--tau", 10, "--accuracies", tmp_path / "metrics.csv"]
    assert (
        cli("replay", "--network", "Basic3ResNet", *settings).out
        == (tmp_path / "growth.csv").read_text()
    )


def test_the_test_set_steers_under_paper_and_never_under_holdout(tmp_path):
    data = load("digits")
    wrong = (data.test.labels + 1) % 10
    other = dataclasses.replace(data, test=Split(images=data.test.images, labels=wrong))
    grown = {}
    for protocol in ("paper", "holdout"):
        spec = autogrow.AutogrowSpec(
            network="Basic3ResNet", data="digits", data_fraction=0.2, width=4, batch_size=64,
            K=1, J=2, tau=10.0, finetune_epochs=2, protocol=protocol,
        )  # fmt: skip
        for name, images in (("right", data), ("wrong", other)):
            out = tmp_path / f"{protocol}-{name}"
            execution = Execution(device="cpu", threads=1, quiet=True)
            autogrow.run(spec, out, execution=execution, data=images)
            grown[protocol, name] = out
    for what in ("test_accuracy", "val_accuracy"):
        mine, wrongly = (
            [row[what] for row in metrics(grown["holdout", name])] for name in ("right", "wrong")
        )
        assert (mine == wrongly) == (what == "val_accuracy")
    for file in ("growth.csv", "weights.safetensors"):
        assert (grown["holdout", "right"] / file).read_bytes() == (
            grown["holdout", "wrong"] / file
        ).read_bytes()
    assert (grown["paper", "right"] / "growth.csv").read_text() != (
        grown["paper", "wrong"] / "growth.csv"
    ).read_text()


@pytest.mark.parametrize(("fraction", "images"), [("1", 1437), ("0.5", 718), ("0.1", 144)])
def test_a_fraction_of_the_training_set(tiny, tmp_path, fraction, images):
    assert run(tiny.train, tmp_path, "--data-fraction", fraction, "--epochs", 1) == 0
    told = summary(tmp_path)["data"]
    assert told["training_images"] == pytest.approx(images, abs=5)  # each class is rounded
    assert (told["validation_images"], told["test_images"]) == (360, 360)
    [row] = metrics(tmp_path)
    right = float(row["train_accuracy"]) * told["training_images"] / 100
    assert right == pytest.approx(round(right), abs=1e-2)


def test_a_runs_own_augmentation_is_recorded(tiny, tmp_path):
    assert run(tiny.train, tmp_path, "--crop-padding", 0, "--flip", "--epochs", 1) == 0
    told = summary(tmp_path)["data"]
    assert (told["crop_padding"], told["flip"]) == (0, True)


@pytest.mark.parametrize("network", ["Plain3Net-1-1-1", "Basic4ResNet-1-1-1-1"])
def test_other_families_are_trained(tiny, tmp_path, network):
    assert run(tiny.train, tmp_path, "--network", network, "--epochs", 2) == 0
    assert summary(tmp_path)["network"] == network
    assert float(metrics(tmp_path)[0]["lr"]) == (0.01 if network.startswith("Plain") else 0.1)


def test_a_net_learns_to_read_digits(tmp_path, tiny):
    """Not only bookkeeping: a grown net reads most of the digits after a few seconds."""
    more = [
        "--data-fraction",
        "1",
        "--width",
        "8",
        "--K",
        "2",
        "--J",
        "3",
        "--finetune-epochs",
        "6",
    ]
    assert run(tiny.grow, tmp_path, *more) == 0
    assert summary(tmp_path)["final_accuracy"] > 85


# --- what a run tells --------------------------------------------------------------------


def test_quiet_prints_nothing_but_writes_the_log(tiny, tmp_path, cli):
    told = cli(*tiny.train, "--out", tmp_path / "run")
    assert (told.status, told.out, told.err) == (0, "", "")
    log = (tmp_path / "run" / "log.txt").read_text().splitlines()
    assert len([line for line in log if "epoch" in line]) == 4


def test_plain_lines_where_there_is_no_terminal(tiny, tmp_path, cli):
    told = cli(*[a for a in tiny.grow if a != "--quiet"], "--out", tmp_path / "run")
    rows = metrics(tmp_path / "run")
    lines = told.err.splitlines()
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        assert line.startswith(f"epoch {row['epoch']}/")
        assert f"{row['phase']} {row['depth']}" in line
        assert f"{float(row['val_accuracy']):.2f}" in line
    assert "\r" not in told.err
    found = summary(tmp_path / "run")
    assert told.out.count("\n") == 1
    assert f"{found['network']} on digits" in told.out
    assert f"{found['final_accuracy']:.2f}" in told.out
    log = (tmp_path / "run" / "log.txt").read_text().splitlines()
    assert [re.sub(r"^\S+ \S+ ", "", line) for line in log] == lines
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", line) for line in log)


def test_progress_bar_on_a_terminal(tiny, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert run([a for a in tiny.grow if a != "--quiet"], tmp_path) == 0
    told = capsys.readouterr().err
    last = told.rstrip().split("\r")[-1]
    rows = metrics(tmp_path)
    assert f"finetuning {rows[-1]['depth']}" in last
    assert f"{len(rows)}/{len(rows)}" in last
    assert f"val accuracy {float(rows[-1]['val_accuracy']):.2f} %" in last
    assert "growing" in told
    assert re.search(r"<\d\d:\d\d", told)  # time left


def test_an_interruption_says_how_to_go_on(commands, tmp_path, interrupt, capsys):
    interrupt(2)
    assert run(commands["scratch"], tmp_path) == 130
    told = capsys.readouterr().err
    assert "same command continues" in told
    assert shlex.join(commands["scratch"]) in told
