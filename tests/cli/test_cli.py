import json
import os
import subprocess
import sys

import pytest
from made_up_summaries import made_up_summary, write_result
from run_results import metrics

import autogrow
from autogrow.config.spec import SPECS
from autogrow.files.yaml import read_yaml, yaml_text
from autogrow.networks.names import parse_architecture
from autogrow.runs.folder import found_network
from autogrow.training import trainer

COMMANDS = ["grow", "train", "morph", "run", "replay", "status", "verify", "info"]
KINDS = {"grow": "autogrow", "train": "scratch", "morph": "morph"}


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_of_each_command(cli, name):
    told = cli(*name.split(), "--help")
    assert (told.status, told.err) == (0, "")
    assert told.out.startswith(f"usage: autogrow {name}")
    if not name:
        assert all(f"\n    {command} " in told.out for command in COMMANDS)


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_every_setting_is_an_option_with_a_help_text(cli, name, kind):
    text = " ".join(cli(name, "--help").out.split())
    for key, field in SPECS[kind].model_fields.items():
        if key in ("kind", "continue_sha256"):  # which follows from --continue-from
            continue
        assert f"--{(field.alias or key).replace('_', '-')} " in text
        assert field.description.split(":")[0][:20] in text
    assert "--out DIR" in text


def test_a_run_continues_when_nobody_reads_what_it_prints(tiny, tmp_path):
    """As in `autogrow train ... 2>&1 | head -1`."""
    read, write = os.pipe()
    os.close(read)
    told = [a for a in tiny.train if a != "--quiet"]
    arguments = [sys.executable, "-m", "autogrow", *told, "--out", str(tmp_path / "run")]
    assert subprocess.run(arguments, stdout=write, stderr=write, timeout=600).returncode == 0
    os.close(write)
    assert (tmp_path / "run" / "summary.json").exists()
    assert "epoch 4/4" in (tmp_path / "run" / "log.txt").read_text()


def test_every_public_name_is_there():
    for name in autogrow.__all__:
        assert getattr(autogrow, name) is not None
    assert set(autogrow.__all__) <= set(dir(autogrow))
    with pytest.raises(AttributeError, match="nothing"):
        _ = autogrow.nothing


def imported(code, *heavy):
    """Return which of these modules a Python process has imported after the code."""
    code += f"\nimport sys; print(sorted({set(heavy)} & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=True
    )
    return done.stderr.splitlines()[-1]


def test_importing_the_command_imports_no_torch():
    assert imported("import autogrow.cli.main", "torch", "numpy") == "[]"
    late = ["torch", "numpy", "pydantic", "yaml"]  # a signal may come before it is heard
    assert imported("import autogrow.__main__, analysis.__main__", *late) == "[]"


def test_help_and_mistakes_import_no_torch():
    code = (
        "import autogrow.cli.main\n"
        "for arguments in (['grow', '--help'], ['train', '--K', '3'], ['info', 'Net-1']):\n"
        "    try: autogrow.cli.main.main(arguments)\n"
        "    except SystemExit: pass\n"
    )
    assert imported(code, "torch") == "[]"


def test_a_run_imports_nothing_that_it_does_not_use(tiny, tmp_path):
    """Each of these costs a short job half a second to two seconds."""
    command = [*tiny.grow, "--out", str(tmp_path / "run")]
    code = f"from autogrow.cli.main import main\nassert main({command!r}) == 0"
    heavy = ["torchvision", "timm", "pandas", "matplotlib", "torch._dynamo", "snakemake"]
    assert imported(code, *heavy) == "[]"


def test_the_package_is_the_command_in_a_process_of_its_own(command, cli):
    version = f"autogrow {autogrow.__version__}\n"
    assert command("--version").stdout == cli("--version").out == version
    done = command("grow", "--network", "Basic3ResNets", "--data", "digits", "--out", "x")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


GROW = "grow --network Basic3ResNet --data digits"
# Each is a whole command line but for --out, and what the one line must name.
WRONG = [
    ("", ["COMMAND"]),
    ("fly", ["'fly'", *COMMANDS]),
    ("--fast", ["COMMAND"]),
    ("grow --data digits", ["--network"]),
    ("grow --network Basic3ResNet", ["--data"]),
    (f"{GROW} --fast", ["--fast"]),
    (f"{GROW} --network Basic3ResNet-1-1-1", ["network", "depth"]),
    (f"{GROW} --network Basic9", ["'Basic9'", "Plain4Net"]),
    (f"{GROW} --data digit", ["'digit'", "digits", "npz:"]),
    (f"{GROW} --K x", ["--K", "'x'"]),
    (f"{GROW} --K 0", ["K", "0"]),
    (f"{GROW} --tau -1", ["tau", "-1"]),
    (f"{GROW} --K 4 --J 3", ["J: 3", "K (4)"]),
    (f"{GROW} --policy random", ["policy", "'random'", "periodic", "convergent"]),
    (f"{GROW} --initializer He", ["initializer", "'He'", "AdamInit"]),
    (f"{GROW} --milestones 0.7 0.2", ["milestones", "0.7", "0.2"]),
    (f"{GROW} --stem imagenet", ["stem", "imagenet", "small"]),
    (f"{GROW} --threads 0", ["threads: found 0; allowed"]),
    (f"{GROW} --workers -1", ["workers: found -1; allowed"]),
    (f"{GROW} --checkpoint-epochs 0", ["checkpoint_epochs: found 0; allowed"]),
    (f"{GROW} --checkpoint-minutes nan", ["checkpoint_minutes: found nan; allowed"]),
    ("train --network Basic3ResNet-2-2 --data digits", ["'2-2'", "Basic3ResNet"]),
    ("train --network Basic3ResNet-2-2-2 --data digits --K 3", ["--K"]),
    ("train --network Basic3ResNet-2-2-2 --data digits --epochs 0", ["epochs"]),
    ("morph --from Plain3Net-1-1-1 --data digits", ["--to"]),
    (
        "morph --from Plain3Net-2-1-1 --to Plain3Net-1-2-2 --data digits",
        ["to", "Plain3Net-1-2-2", "deeper"],
    ),
    ("run", ["SPEC.yaml"]),
    ("run none.yaml", ["none.yaml"]),
    ("replay --network Basic3ResNet", ["--accuracies"]),
    ("replay --accuracies none.csv", ["--network"]),
    ("info", ["network"]),
]


@pytest.mark.parametrize(("line", "parts"), WRONG)
def test_mistakes_are_reported_in_one_line(mistake, tmp_path, monkeypatch, line, parts):
    monkeypatch.chdir(tmp_path)
    arguments = line.split()
    out = ["--out", "run"] if arguments[:1] and arguments[0] in [*KINDS, "run"] else []
    told = mistake(*arguments, *out)
    assert told.startswith("autogrow")
    assert all(part in told for part in parts)
    assert list(tmp_path.iterdir()) == []  # a slip leaves nothing behind


@pytest.mark.parametrize("name", KINDS)
def test_out_is_needed(mistake, name):
    assert "--out" in mistake(name, "--network", "Basic3ResNet-1-1-1", "--data", "digits")


SPEC = """
kind: autogrow
network: Basic3ResNet
data: digits
data_fraction: 0.2
width: 4
batch_size: 64
K: 1
J: 2
tau: 10
finetune_epochs: 4
"""


def test_a_file_and_options_describe_the_same_run(cli, tiny, tmp_path):
    (tmp_path / "spec.yaml").write_text(SPEC)
    execution = ["--threads", 1, "--device", "cpu", "--quiet"]
    told = cli("run", tmp_path / "spec.yaml", "--out", tmp_path / "file", *execution)
    assert (told.status, told.out, told.err) == (0, "", "")
    assert cli(*tiny.grow, "--out", tmp_path / "options").status == 0
    for name in ("spec.yaml", "growth.csv", "weights.safetensors"):
        file, options = (tmp_path / d / name for d in ("file", "options"))
        assert file.read_bytes() == options.read_bytes()


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "mapping"),
        ("- a\n", "mapping"),
        (SPEC + "K: 2\n", "'K' is given twice"),
        (SPEC + "epochs: 5\n", "unknown key 'epochs'"),
        (SPEC.replace("autogrow", "grow"), "kind: found 'grow'"),
        (SPEC.replace("tau: 10", "tau: '10'"), "tau: found '10'"),
        (SPEC.replace("digits", "letters"), "'letters'"),
        (SPEC + "a: [\n", "YAML"),
    ],
)
def test_mistakes_in_a_file_are_reported_in_one_line(mistake, tmp_path, text, part):
    (tmp_path / "spec.yaml").write_text(text)
    line = mistake("run", tmp_path / "spec.yaml", "--out", tmp_path / "run")
    assert part in line
    assert not (tmp_path / "run").exists()


def test_one_command_with_its_defaults_is_complete(cli, tmp_path, monkeypatch):
    """``autogrow grow --network --data --out`` and nothing else (stopped before it trains)."""

    class TrainsError(Exception):
        pass

    def stop(*_, **__):
        raise TrainsError

    monkeypatch.setattr(trainer, "train_epoch", stop)
    with pytest.raises(TrainsError):
        cli(*GROW.split(), "--out", tmp_path / "run")
    spec = read_yaml(tmp_path / "run" / "spec.yaml")
    assert (spec["policy"], spec["K"], spec["J"], spec["tau"]) == ("periodic", 3, 100, 0.05)
    assert (spec["initializer"], spec["finetune_epochs"]) == ("GauInit", 200)
    assert (spec["batch_size"], spec["momentum"], spec["weight_decay"]) == (128, 0.9, 5e-4)


def test_depth_of_a_finished_run(cli, tiny, tmp_path):
    """``train --depth-of`` is the found net's baseline from scratch."""
    assert cli(*tiny.grow, "--out", tmp_path / "grown").status == 0
    depth = json.loads((tmp_path / "grown/summary.json").read_text())["depth"]
    more = ["--epochs", 1, "--depth-of", tmp_path / "grown"]
    train = ["train", "--network", "Basic3ResNet", *tiny.options, *more]
    assert cli(*train, "--out", tmp_path / "same").status == 0
    spec = read_yaml(tmp_path / "same/spec.yaml")
    assert spec["network"] == f"Basic3ResNet-{depth}"
    file = tmp_path / "without-depth.yaml"
    file.write_text(yaml_text({**spec, "network": "Basic3ResNet"}))
    again = ["run", file, "--depth-of", tmp_path / "grown", "--out", tmp_path / "same"]
    assert "this run is complete" in cli(*again).err  # it is the same one


def test_the_target_of_a_policy_is_what_a_finished_run_has_found(cli, tiny, tmp_path):
    """``run --depth-of`` lets a fixed schedule grow to the depth of another run."""
    write_result(tmp_path / "found", made_up_summary("Basic3ResNet-1-2-1"))
    file = tmp_path / "fixed.yaml"
    given = {"kind": "autogrow", "network": "Basic3ResNet", "policy": "fixed", "K": 1}
    given |= {"data": "digits", "data_fraction": 0.2, "width": 4, "batch_size": 64}
    file.write_text(yaml_text({**given, "finetune_epochs": 1}))
    out = tmp_path / "grown"
    assert cli("run", file, "--depth-of", tmp_path / "found", "--out", out).status == 0
    assert json.loads((out / "summary.json").read_text())["depth"] == "1-2-1"
    assert read_yaml(out / "spec.yaml")["policy_options"] == {"target": "1-2-1"}
    told = cli("run", file, "--depth-of", tmp_path / "found", "--out", out)
    assert "this run is complete" in told.err


def test_budget_of_a_finished_run_and_a_network_that_never_grows(cli, mistake, tiny, tmp_path):
    """``train --budget-of`` computes as much as AutoGrow did, at its depth or another.

    And a seed network at a constant rate is trained as AutoGrow's before it grows first.
    """
    grown = tmp_path / "grown"
    assert cli(*tiny.grow, "--out", grown).status == 0
    found = json.loads((grown / "summary.json").read_text())
    assert found["flops_training"] == found["flops_growing"] + found["flops_finetuning"]
    train = ["train", *tiny.options, "--budget-of", grown]
    assert cli(*train, "--network", "Basic3ResNet", "--out", tmp_path / "equal").status == 0
    equal = json.loads((tmp_path / "equal/summary.json").read_text())
    one = 3 * equal["flops"] * equal["data"]["training_images"]
    assert equal["network"] == found["network"]
    assert equal["epochs"]["training"] == max(1, round(found["flops_training"] / one))
    assert equal["flops_training"] == one * equal["epochs"]["training"]
    deep = [*train, "--network", "Basic3ResNet-30-30-30", "--out", tmp_path / "deep"]
    assert "epochs: found 3" in mistake(*deep, "--epochs", 3)
    assert "downscale" in mistake(*deep, "--downscale", 2)
    never = ["--network", "Basic3ResNet-1-1-1", "--schedule", "constant", "--epochs", 1]
    assert cli("train", *tiny.options, *never, "--out", tmp_path / "never").status == 0
    first, still = (metrics(folder)[0] for folder in (grown, tmp_path / "never"))
    assert {**first, "phase": ""} == {**still, "phase": ""}
    assert "period: found 0" in mistake("train", *tiny.options, *never, "--schedule", "restarts",
                                           "--out", tmp_path / "other")  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "depth_of", "part"),
    [
        ({"network": "Basic3ResNet-1-1-1"}, True, "network: found 'Basic3ResNet-1-1-1'; allowed"),
        ({"network": "Basic3ResNet"}, False, "network: 'Basic3ResNet' has no depth; allowed"),
        ({"network": "Basic3ResNet", "kind": "autogrow"}, True, "policy: found 'periodic', which"),
        (
            {
                **{"network": "Basic3ResNet", "kind": "autogrow", "policy": "fixed"},
                "policy_options": {"target": "2-2-2"},
            },
            True,
            "policy_options: found the target '2-2-2'; allowed with --depth-of: none",
        ),
        (
            {"kind": "morph", "from": "Plain3Net-1-1-1", "to": "Plain3Net-2-2-2"},
            True,
            "kind: found 'morph'; allowed with --depth-of: scratch, or autogrow without",
        ),
    ],
)
def test_a_spec_has_a_depth_or_is_given_one(mistake, tmp_path, settings, depth_of, part):
    write_result(tmp_path, made_up_summary("Basic3ResNet-1-2-1"))
    file = tmp_path / "spec.yaml"
    file.write_text(yaml_text({"kind": "scratch", "data": "digits", **settings}))
    more = ["--depth-of", tmp_path] if depth_of else []
    assert f"{file}: {part}" in mistake("run", file, "--out", tmp_path / "run", *more)


@pytest.mark.parametrize(
    ("found", "architecture", "network"),
    [
        ("Basic3ResNet-2-3-1", "Basic3ResNet", "Basic3ResNet-2-3-1"),
        ("Plain4Net-6-6-6-6", "Basic4ResNet", "Basic4ResNet-3-3-3-3"),  # Table 9
        ("Plain3Net-1-2-3", "Basic3ResNet", "Basic3ResNet-1-1-2"),
        ("Basic3ResNet-1-2-3", "Plain3Net", "Plain3Net-2-4-6"),
        ("Basic4ResNet-1-2-3-4", "Bottleneck4ResNet", "Bottleneck4ResNet-1-2-2-3"),
    ],
)
def test_depth_of_a_net_of_another_kind_has_as_many_layers(tmp_path, found, architecture, network):
    write_result(tmp_path, made_up_summary(found))
    assert str(found_network(tmp_path, parse_architecture(architecture))) == network


@pytest.mark.parametrize(
    ("content", "architecture", "part"),
    [
        (None, "Basic3ResNet", "summary.json"),
        ({}, "Basic3ResNet", "status: missing"),
        ([], "Basic3ResNet", "no summary"),
        ("{", "Basic3ResNet", "JSON"),
        (made_up_summary("Plain4Net-1-1-1-1"), "Basic3ResNet", "Plain4Net"),
        (made_up_summary("Basic3ResNet-1-1-1"), "Basic3ResNet-1-1-1", "depth"),
    ],
)
def test_depth_of_what_is_no_finished_run(mistake, tmp_path, content, architecture, part):
    if content is not None:
        write_result(tmp_path, content)
    more = ["--data", "digits", "--depth-of", tmp_path, "--out", tmp_path / "run"]
    assert part in mistake("train", "--network", architecture, *more)
    assert not (tmp_path / "run").exists()
