"""A package that adds a policy, an initializer, a network, a data set and a logger.

It is really installed, into an environment of its own, and used by the command line alone. Faulty
packages are seen by this process.
"""

import json
import subprocess

import pandas as pd
import pytest
import yaml
from clones import clone
from documents import ROOT, blocks
from plugin_packages import EXAMPLE, environment, install, installed_here, visible
from run_results import results

GROW = ["grow", "--network", "TwoStages", "--data", "stripes", "--policy", "plateau", "--K", "2"]
GROW += ["--policy-options", "share=1", "growths=1", "--initializer", "Damped"]
GROW += ["--logger", "jsonl", "--finetune-epochs", "3", "--batch-size", "64"]
GROW += ["--threads", "1", "--device", "cpu", "--quiet"]
INTERRUPTED = """
import sys
sys.path.insert(0, {helpers!r})
from interrupting import interrupted_after
from autogrow.cli.main import main
with interrupted_after(4):
    sys.exit(main(sys.argv[1:]))
"""


class Told:
    def __init__(self, done):
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("plugins")


@pytest.fixture(scope="module")
def python(place):
    found = environment(place / "venv")
    install(found, EXAMPLE, place)
    return found


@pytest.fixture(scope="module")
def autogrow(python, place):
    """Run the command line in the package's environment."""

    def call(*words, start=("-m", "autogrow")):
        command = [python, *start, *map(str, words)]
        return Told(subprocess.run(command, cwd=place, capture_output=True, text=True))

    return call


@pytest.fixture(scope="module")
def grown(autogrow, place):
    """The folder of a finished run of all five plug-ins."""
    told = autogrow(*GROW, "--out", "run")
    assert told.status == 0, told.err
    return place / "run"


@pytest.fixture(scope="module")
def example(place):
    """The package is installed for this process too."""
    with installed_here(EXAMPLE, place / "here"):
        yield


def test_the_documents_show_the_package_as_it_is():
    shown = blocks(ROOT / "docs/extending.md", "python")
    files = [f for f in EXAMPLE.glob("example_plugins/*.py") if f.name != "__init__.py"]
    assert sorted(shown) == sorted(f.read_text() for f in files)
    assert all(len(block.splitlines()) < 60 for block in shown)
    assert (EXAMPLE / "pyproject.toml").read_text() in blocks(ROOT / "docs/extending.md", "text")


def test_the_names_are_listed_with_their_package(autogrow):
    told = autogrow("list").out
    for name, value in (
        ("TwoStages", "two_stages:TWO_STAGES"),
        ("stripes", "stripes:STRIPES"),
        ("plateau", "plateau:Plateau"),
        ("Damped", "damped:Damped"),
        ("jsonl", "jsonl:JsonLines"),
    ):
        [line] = [line for line in told.splitlines() if line.startswith(f"  {name} ")]
        assert line.endswith(f"added by package example-plugins (example_plugins.{value})")


def test_info_counts_the_layers_that_the_package_says(autogrow):
    told = autogrow("info", "TwoStages-2-3", "--data", "stripes").out
    assert "TwoStages-2-3 for 12x12x1 images of 3 classes" in told
    assert "\n7 layers, " in told


def test_a_run_uses_all_five(grown):
    summary = json.loads((grown / "summary.json").read_text())
    spec = yaml.safe_load((grown / "spec.yaml").read_text())
    assert (summary["network"], spec["policy_options"]) == (
        "TwoStages-2-2",
        {"share": 1, "growths": 1},
    )
    assert (spec["learning_rate"], spec["protocol"], spec["crop_padding"]) == (0.05, "holdout", 1)
    assert summary["versions"]["example-plugins"] == "1.0"
    growth = pd.read_csv(grown / "growth.csv")
    lines = [json.loads(line) for line in (grown / "log.jsonl").read_text().splitlines()]
    epochs = [line for line in lines if "accuracy" in line]
    assert len(epochs) == len(pd.read_csv(grown / "metrics.csv"))
    assert [line["event"] for line in lines if "event" in line] == growth["event"].tolist()


def test_an_interrupted_run_ends_with_the_same_weights(autogrow, grown, place):
    start = ("-c", INTERRUPTED.format(helpers=str(ROOT / "tests/helpers")))
    told = autogrow(*GROW, "--out", "again", start=start)
    assert told.status == 130, told.err
    assert not (place / "again/summary.json").exists()
    assert autogrow(*GROW, "--out", "again").status == 0
    assert results(place / "again") == results(grown)
    logs = [sorted((run / "log.jsonl").open()) for run in (place / "again", grown)]
    assert logs[0] == logs[1]  # in another order: it began again with all epochs so far


def test_a_replay_decides_the_same(autogrow, grown):
    told = autogrow("replay", "--run", grown)
    assert told.status == 0, told.err
    assert told.out.splitlines()[1].startswith("plateau,2,,0.05,2-2,4,yes,")


def test_what_was_found_is_loaded_evaluated_exported_and_trained_from_scratch(
    autogrow, grown, place
):
    told = autogrow("evaluate", grown, "--data", "stripes", "--device", "cpu")
    assert told.status == 0, told.err
    last = pd.read_csv(grown / "metrics.csv")["test_accuracy"].iloc[-1]
    assert json.loads(told.out)["accuracy"] == pytest.approx(last, abs=0.01)
    told = autogrow("export", grown, "--format", "safetensors", "--out", "found.safetensors")
    assert told.status == 0, told.err
    words = ["train", "--network", "TwoStages", "--depth-of", grown, "--data", "stripes"]
    words += ["--epochs", "1", "--device", "cpu", "--quiet", "--out", "scratch"]
    told = autogrow(*words)
    assert told.status == 0, told.err
    assert "network: TwoStages-2-2" in (place / "scratch/spec.yaml").read_text()


def test_a_row_of_the_experiments_becomes_a_row_of_a_table(python, place):
    tables = [yaml.safe_load(block) for block in blocks(ROOT / "docs/extending.md", "yaml")]
    [table] = [table for table in tables if "plateau_growth" in table]
    folder = clone(place / "clone")
    (folder / "config/experiments.yaml").write_text(yaml.safe_dump(table, sort_keys=False))
    command = [python, "-m", "snakemake", "--cores", "2", "--config", "scale=smoke", "--"]
    done = subprocess.run([*command, "plateau_growth"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    out = folder / "results/out/smoke"
    [row] = pd.read_csv(out / "tables/plateau_growth.csv").to_dict("records")
    assert row["row"] == "CIFAR10/Basic3ResNet/Damped"
    assert 0 <= row["accuracy"] <= 100
    [run] = out.glob("runs/**/summary.json")
    assert run.parent.parent.name == "plateau-K1-growths=1-share=0.5-Damped"


@pytest.mark.parametrize(
    ("group", "entry", "module", "words", "told"),
    [
        ("policies", "x = 'gone:X'", None, ["--policy", "x"], "cannot be imported: ModuleNot"),
        ("policies", "x = 'faulty:X'", "X = 3", ["--policy", "x"], "is no policy: a dataclass"),
        (
            "policies",
            "x = 'faulty:X'",
            "from dataclasses import dataclass\nimport autogrow\n"
            "@dataclass(frozen=True)\nclass X(autogrow.Policy):\n    K: int = 1",
            ["--policy", "x"],
            "has no method decide",
        ),
        (
            "policies",
            "plateau = 'faulty:X'",
            "X = 3",
            ["--policy", "plateau"],
            "'plateau' is added by package ",
        ),
        (
            "initializers",
            "x = 'faulty:Y'",
            "X = 3",
            ["--initializer", "x"],
            "cannot be imported: AttributeError",
        ),
        ("networks", "x = 'faulty:X'", "X = 3", ["--network", "x"], "is no network: an autogrow"),
        (
            "networks",
            "x = 'faulty:X'",
            "import autogrow\nX = autogrow.NetworkPlugin(2, lambda depth, images: depth.gone)",
            ["--network", "x"],
            "cannot be built for 1 x 8 x 8 images: AttributeError",
        ),
        (
            "networks",
            "x = 'faulty:X'",
            "import autogrow\nfrom torch import nn\n"
            "X = autogrow.NetworkPlugin(2, lambda depth, images: nn.Linear(1, 1))",
            ["--network", "x"],
            "found a Linear, which has no sub_networks",
        ),
        ("data", "x = 'faulty:X'", "X = 3", ["--data", "x"], "is no data set: an autogrow"),
        (
            "data",
            "x = 'faulty:X'",
            "import autogrow\ninfo = autogrow.DatasetInfo('x', 8, 1, 2, images=(4, 4))\n"
            "X = autogrow.DataPlugin(info, lambda: [1, 2])",
            ["--data", "x"],
            "load returned [1, 2]",
        ),
        ("loggers", "x = 'faulty:X'", "X = 3", ["--logger", "x"], "is no logger: a class with"),
        ("loggers", "x = 'faulty:X'", "X = 3", ["--logger", "y"], "allowed: none, tensorboard"),
        ("policies", "x = 'faulty:X'", "X = 3", ["--policy", "y"], "controlled, plateau or x"),
        ("networks", "x = 'faulty:X'", "X = 3", ["--network", "y"], "torchvision:NAME, TwoSt"),
        ("data", "x = 'faulty:X'", "X = 3", ["--data", "y"], "stripes, x"),
    ],
)
def test_a_faulty_entry_point_is_told_in_one_line(
    example, mistake, tmp_path, group, entry, module, words, told
):
    # As a package that was installed looks: its module and what its metadata says of it.
    about = tmp_path / "site/faulty-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1.0\n")
    line = entry.replace("'", "")
    (about / "entry_points.txt").write_text(f"[autogrow.{group}]\n{line}\n")
    if module is not None:
        (tmp_path / "site/faulty.py").write_text(f"{module}\n")
    usual = {"--network": "Basic3ResNet", "--data": "digits", **dict([words])}
    given = [word for pair in usual.items() for word in pair]
    out = tmp_path / "run"
    with visible(tmp_path / "site", "faulty"):
        assert told in mistake("grow", *given, "--quiet", "--out", out)
    assert not list(out.glob("checkpoint-*"))
