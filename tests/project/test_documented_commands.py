"""Every command that the documents name is run, or where it cannot be, its words are checked.

``autogrow`` and ``python -m analysis`` really work here, at a tiny scale in a temporary folder.
What takes long or needs a cluster is parsed by its own parser. A command that no rule knows
is an error.
"""

import io
import itertools
import os
import re
import shutil
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import yaml
from data_sets import photograph
from documents import DOCUMENTS, ROOT, blocks, commands, inline_commands, languages, name_of
from made_up_runs import make_run
from made_up_summaries import made_up_summary, write_result
from plugin_packages import EXAMPLE, installed_here

from analysis.__main__ import COMMANDS
from analysis.__main__ import main as analysis_main
from analysis.experiments.catalogue import load_catalogue, make_catalogue
from analysis.experiments.scales import read_scale
from analysis.experiments.settings import Settings
from autogrow.cli.main import main as autogrow_main
from autogrow.config.pydantic_errors import validated
from autogrow.config.spec import parse_spec
from benchmarks.__main__ import main as benchmarks_main
from benchmarks.campaign import main as campaign_main
from benchmarks.claim_power import main as claim_power_main

SMALL = {
    "grow": ["--K", "2", "--tau", "100", "--finetune-epochs", "2"],
    "train": ["--epochs", "1"],
    "morph": ["--epochs", "1"],
}
WIDTH = ["--width", "2"]
SMALLER = ["--batch-size", "64", "--threads", "1", "--device", "cpu", "--quiet"]
LIBRARY = re.compile("^(import|from) (lightning|accelerate)", re.MULTILINE)
"""Of examples that tests/api/test_loops.py runs, where their library is installed."""
SPEC = "{kind: scratch, network: Basic3ResNet-1-1-1, data: digits, width: 2, epochs: 1}"


@pytest.fixture(scope="module", autouse=True)
def plugins(tmp_path_factory):
    """The package of docs/extending.md."""
    with installed_here(EXAMPLE, tmp_path_factory.mktemp("plugins")):
        yield


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder that has what the commands of the documents read."""
    monkeypatch.chdir(tmp_path)
    for part in ("Snakefile", "config", "profiles", "slurm", "workflow", "environment.yml"):
        Path(part).symlink_to(ROOT / part)
    for part in ("reference", "unfinished"):
        shutil.copytree(ROOT / "results" / part, Path("results", part))
    shutil.copytree(ROOT / "results/reference/mini", "results/out/mini/tables")
    Path("SPEC.yaml").write_text(SPEC)
    Path("curve.csv").write_text("epoch,val_accuracy\n1,50\n2,60\n3,60\n")
    labels = np.arange(12) % 2
    images = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)
    np.savez("images.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    sizes = {"images": (8, 8), "photographs": (40, 30)}
    for form, split, name in itertools.product(sizes, ("train", "val"), ("cat", "dog")):
        folder = Path(form, split, name)
        folder.mkdir(parents=True)
        for k in range(2):
            photograph(sizes[form], 2 * (name == "dog") + k).save(folder / f"{k}.png")
    return tmp_path


def done(main, words):
    """Call a command's main in this process; return what it prints."""
    told = io.StringIO()
    try:
        with redirect_stdout(told), redirect_stderr(told):
            status = main(words)
    except SystemExit as error:
        status = error.code
    assert not status, f"{words}: exit status {status}: {told.getvalue()}"
    return told.getvalue()


def autogrow(words):
    from autogrow.data import DATASETS

    words = list(words)
    if words and words[0] in SMALL:
        words += [] if "--budget-of" in words else SMALL[words[0]]
        if words[0] == "grow" and not {"--policy", "--J"} & {*words}:
            words += ["--J", "2"]
        named = any(word.startswith("timm:") for word in words)  # it has a width of its own
        words += SMALLER if named else [*WIDTH, *SMALLER]
        # One that continues from another run has its data.
        name = words[words.index("--data") + 1] if "--data" in words else "of:another"
        if ":" not in name:
            assert name in DATASETS
            # Few images, and none that this machine may not have.
            words += ["--data", "digits", "--data-fraction", "0.1"]
        if name.startswith("imagenet:"):
            # Narrower convolutions of images this large make torch 2.14's oneDNN crash.
            words += ["--width", "16", "--workers", "0"]
    done(autogrow_main, words)


def analysis(words):
    words = list(words)
    if words[0] in ("trajectory", "surface"):
        words += ["--points", "3", "--images", "50", "--threads", "1"]
    if words[0] == "archive" and "--from" not in words:
        write_result(Path("finished/runs/a/seed0"), made_up_summary("Basic3ResNet-1-1-1"))
        paths = {"pack": ("finished", "packed"), "unpack": ("packed", "out"), "check": ("packed",)}
        words += itertools.chain(*zip(("--from", "--to"), paths[words[1]], strict=False))
    if words[0] == "report":
        [run, *_] = load_catalogue("mini").runs.values()
        make_run(Path("results/out/mini"), run, 0)
    if words[0] == "promote":  # would ask for every run of the scale
        words.append("--help")
    done(analysis_main, words)


def helps(main):
    """Return what checks the words of a command that takes long: its help follows them."""
    return lambda words: done(main, [*words, "--help"])


def python(words):
    if words[0] == "-c":
        downloads(words[1])
    else:
        assert words[0] == "-m"
        known = {"analysis": analysis, "benchmarks": helps(benchmarks_main)}
        known["benchmarks.campaign"] = helps(campaign_main)
        known["benchmarks.claim_power"] = helps(claim_power_main)
        known[words[1]](words[2:])


def downloads(code):
    """Run a download's code without the network: its data sets are known."""
    from autogrow import data

    with patch.object(data, "load") as load:
        exec(code, {})
    asked = {call.args[0] for call in load.call_args_list}
    assert asked
    assert asked <= {*data.DATASETS}


def snakemake(words):
    """Parse options, targets and configuration as Snakemake and the workflow would."""
    from snakemake.cli import parse_args, parse_config

    _, options = parse_args(words)
    experiments = yaml.safe_load(Path("config/experiments.yaml").read_text())
    targets = {*experiments, "all", "tables", "figures", "compare", "claims", "report", "plan"}
    assert {*options.targets} <= targets
    settings = yaml.safe_load(Path("config/config.yaml").read_text())
    if options.profile:
        [profile] = options.profile
        settings |= yaml.safe_load(Path(profile, "cluster.yaml").read_text())
    for key, value in parse_config(options.config).items():
        both = isinstance(value, dict) and isinstance(settings[key], dict)
        settings[key] = {**settings[key], **value} if both else value
    validated(Settings, settings, "documents")


def make(words):
    command = ["make", "--dry-run", *words]
    # Not as a part of the `make test` that runs this test.
    env = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    told = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert told.returncode == 0, f"{command}: {told.stderr}"


def launched(words):
    """What torchrun and srun start on each node."""
    at = words.index("-m")
    assert words[at + 1] == "autogrow"
    autogrow(words[at + 2 :])


def exists(words):
    assert Path(words[-1]).exists(), words


# What changes the machine, waits for a cluster or downloads: allowed as it stands here.
KNOWN = [
    ["git", "clone", "URL", "autogrow"],
    ["cd", "autogrow"],
    [".", ".venv/bin/activate"],
    ["ln", "-s", "/shared/ImageNet", "data/ImageNet"],
    ["tmux", "new", "-s", "autogrow"],
    ["less", "results/out/paper/tables/table6.md"],
    ["scancel", "--name", "RUN"],
    ["apt-get", "install", "dataset-fashion-mnist"],
    ["pip", "install", "."],  # see test_wheel.py
    ["pre-commit", "install"],
]
RULES = {
    "autogrow": autogrow,
    "make": make,
    "python": python,
    "snakemake": snakemake,
    "srun": launched,
    "torchrun": launched,
    "$EDITOR": exists,
}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_command_works(document, place):
    for program, *words in commands(document):
        if program in RULES:
            RULES[program](words)
        else:
            assert [program, *words] in KNOWN, f"{program}: no rule knows this command"


def parser_help(program, words):
    """Return the help of the command that the words begin with, placeholders left out."""
    if program == "autogrow":
        return done(autogrow_main, [*words[:1], "--help"])
    assert words[0] == "-m"
    if words[1] == "benchmarks":
        return done(benchmarks_main, ["--help"])
    command = [word for word in words[2:3] if word in COMMANDS]
    assert command or words[2:] in ([], ["COMMAND"]), words
    return done(analysis_main, [*command, "--help"])


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_command_in_a_sentence_has_its_options(document):
    for program, *words in inline_commands(document):
        if program == "make":
            make([word for word in words if "..." not in word])
            continue
        told = parser_help(program, words)
        for option in (word for word in words if word.startswith("--")):
            assert option in told, (program, *words)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_block_says_its_language_and_is_a_spec_or_runs(document, place):
    assert languages(document) <= {"bash", "python", "text", "yaml"}
    for example in blocks(document, "yaml"):
        content = yaml.safe_load(example)
        if "kind" in content:
            parse_spec(content, name_of(document))
        else:
            make_catalogue("paper", read_scale("paper"), content, document)
    for example in blocks(document, "python"):
        if LIBRARY.search(example):
            continue
        told = io.StringIO()
        with redirect_stdout(told), redirect_stderr(io.StringIO()):
            exec(compile(example, name_of(document), "exec"), {"__name__": "__main__"})
        if document.parent == ROOT:
            assert len(example.strip().splitlines()) <= 15
            assert re.search(r"^\d+-\d+-\d+$", told.getvalue(), re.MULTILINE)
