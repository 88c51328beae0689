"""Whatever is in a file that a user writes: accepted and usable, or one clear line.

500 cases and more of each kind; those of data sets are in tests/data/test_data_fuzz.py.
"""

import math
import re
from copy import deepcopy
from pathlib import Path

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from analysis.experiments.catalogue import EXPERIMENTS, load_catalogue
from analysis.tables.table_files import read_table
from autogrow.config.resolving import resolve
from autogrow.config.spec import parse_spec
from autogrow.data import DATASETS
from autogrow.errors import UserError
from autogrow.files.yaml import read_yaml
from autogrow.growth.algorithm import replay
from autogrow.growth.policies import PeriodicGrowth
from autogrow.runs.curves import read_curve
from benchmarks.hostile import load, places, plain, put

MANY = settings(
    max_examples=500,
    derandomize=True,  # the same cases on every machine: new ones are for whoever looks for them
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

SPECS = [
    {"kind": "autogrow", "network": "Basic3ResNet", "data": "digits", "width": 4,
     "batch_size": 64, "learning_rate": 0.1, "milestones": [0.5, 0.75], "seed_depth": "1-1-1",
     "policy": "periodic", "K": 1, "J": 2, "tau": 0.05, "finetune_epochs": 4, "seed": 0,
     "max_parameters": 10**6, "max_latency_ms": 5.0, "latency_batch": 2, "max_epochs": 9,
     "max_hours": 0.5, "frontier": True},
    {"kind": "scratch", "network": "Basic3ResNet-1-1-1", "data": "digits", "epochs": 4},
    {"kind": "morph", "from": "Basic3ResNet-1-1-1", "to": "Basic3ResNet-1-1-2", "data": "digits"},
]  # fmt: skip
KEYS = sorted({*SPECS[0], *SPECS[1], *SPECS[2], "unknown", "", "K "})
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.sampled_from([-1, 0, 1, 10**400, 1e308, math.inf, -math.inf, math.nan, 0.1, 1e-400]),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["", " ", "1-1", "Basic3ResNet", "Basic3ResNet-1-1-1", "\u0661-\u0661-\u0661"]),
    st.lists(st.integers(-3, 3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
TEXT = st.text("abK:-[]{}&*!?|>'\"#%@`\n \t01.e,\x00\u00e9\ufeff\u2028", max_size=80)
BYTES = st.one_of(
    st.binary(max_size=80),
    st.one_of(TEXT, st.text(max_size=60)).map(lambda t: t.encode(errors="surrogatepass")),
)


def told(path, function, *arguments):
    """Return what the function gives, None after a UserError of one line that names the file."""
    try:
        return function(*arguments)
    except UserError as error:
        message = str(error)
    assert str(path) in message
    assert "allowed" in message, message
    assert message.isprintable()
    assert len(message) < 2500
    return None


def refused_by_the_command(cli, path, *arguments):
    done = cli(*arguments)
    assert (done.status, done.out) == (2, ""), done
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err
    assert str(path) in done.err
    assert not (path.parent / "out").exists()
    return done.err


@MANY
@given(st.sampled_from(SPECS), st.sampled_from(KEYS), ODD)
@example(SPECS[0], "data", "x" * 5000)
def test_a_spec_file_with_one_odd_value(tmp_path, cli, settings, key, value):
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump({**settings, key: value}, allow_unicode=True), encoding="utf-8")
    content = told(path, read_yaml, path)
    if content is None:
        return
    spec = told(path, parse_spec, content, str(path))
    if spec is None:
        error = refused_by_the_command(cli, path, "run", path, "--out", tmp_path / "out")
        assert key.strip() in error or "kind" in error
        assert "allowed: " in error, error
        return
    told("K", resolve, spec, DATASETS["CIFAR10"])  # K may be above the default J


@MANY
@given(BYTES)
@example(b"K: " + b"9" * 5000)
@example(b"\xff\xfe")
@example(b"a: &a [*a]")
@example(b"&a [" * 400)
@example(b"a: !!python/object/apply:os.system [ls]")
@example(b"a: !!bool maybe")
@example(b"a: !!timestamp x")
@example(b"a: &a [1, 1]\nb: &b [*a, *a]\nc: [*b, *b]")
@example(b"a: " + b"x" * 1_000_001)
@example(b"? [a]\n: b")
def test_a_spec_file_of_anything(tmp_path, cli, content):
    path = tmp_path / "run.yaml"
    path.write_bytes(content)
    refused_by_the_command(cli, path, "run", path, "--out", tmp_path / "out")


CELLS = st.one_of(
    st.integers(-2, 200).map(str),
    st.floats().map(str),
    st.sampled_from(
        ["", "nan", "NaN", "inf", "-0", "1e1", "1_0", "\u0661", '"', '"1"', " 5 ", "\x00"]
    ),
)
LINES = st.lists(st.lists(CELLS, max_size=4).map(",".join), max_size=8)
HEADERS = st.sampled_from(
    ["epoch,val_accuracy", "epoch,val_accuracy,phase", "val_accuracy,epoch", "epoch", "",
     "epoch,epoch,val_accuracy", "epoch,val_accuracy,val_accuracy", "\ufeffepoch,val_accuracy"]
)  # fmt: skip
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
CURVES = st.builds(lambda header, lines, end: end.join([header, *lines]), HEADERS, LINES, ENDS)


@MANY
@given(st.one_of(BYTES, BYTES.map(lambda b: b"epoch,val_accuracy\n" + b), CURVES.map(str.encode)))
@example(b"epoch,val_accuracy\n1," + b"9" * 200_000)
def test_accuracies_of_anything(tmp_path, content):
    path = tmp_path / "curve.csv"
    path.write_bytes(content)
    curve = told(path, read_curve, path)
    if curve is not None:
        assert all(math.isnan(e.val_accuracy) or 0 <= e.val_accuracy <= 100 for e in curve)
        replay(PeriodicGrowth(1, 2, 0.5), (1, 1, 1), curve)


def test_accuracies_that_never_end(tmp_path, mistake):
    path = tmp_path / "curve.csv"
    with path.open("wb") as file:
        file.truncate(10**12)  # takes no space on the disk
    line = mistake("replay", "--network", "Basic3ResNet", "--accuracies", path)
    assert f"{path}: found more than 100000000 bytes" in line


@MANY
@given(st.integers(1, 12), st.integers(0, 12), CELLS)
def test_a_curve_with_one_odd_cell(tmp_path, cli, epochs, where, cell):
    path = tmp_path / "curve.csv"
    rows = [f"{e},{50 + e}" for e in range(1, epochs + 1)]
    if where < epochs:
        rows[where] = f"{where + 1},{cell}"
    path.write_text("epoch,val_accuracy\n" + "\n".join(rows), newline="")
    command = ["replay", "--network", "Basic3ResNet", "--K", 1, "--J", 2, "--accuracies", path]
    if told(path, read_curve, path) is not None:
        assert cli(*command).status == 0
    else:
        refused_by_the_command(cli, path, *command)


SECTIONS = {
    section.partition(":")[0]: section
    for section in re.split(r"\n(?=\w)", EXPERIMENTS.read_text())
    if re.match(r"(table|figure)\d+:", section)
}


WORDS = st.one_of(
    st.sampled_from(["null", "[]", "{}", "-1", "0", "1e99", "CIFAR10", ".nan", "*x"]),
    st.sampled_from(["Basic3ResNet", "autogrow", "dataset", "'", "2001-01-01"]),
    st.text(max_size=5),
)


@st.composite
def experiments(draw):
    """One table of the real file, with lines dropped, doubled or shifted, and words replaced."""
    lines = SECTIONS[draw(st.sampled_from(sorted(SECTIONS)))].splitlines()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        word = draw(st.sampled_from(re.findall(r"[\w.]+", line) or ["x"]))
        changes = [
            [line, line],
            ["  " + line],
            [line[: draw(st.integers(0, len(line)))]],
            [line.replace(word, draw(WORDS), 1)],
            [draw(TEXT), line],
            [] if len(lines) > 1 else [line],
        ]
        lines[at : at + 1] = changes[draw(st.integers(0, len(changes) - 1))]
    return "\n".join(lines)


@MANY
@given(text=experiments())
def test_a_changed_experiments_file(tmp_path, text):
    path = tmp_path / "experiments.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    catalogue = told(path, load_catalogue, "mini", path)
    if catalogue is not None:
        assert {run for t in catalogue.tables.values() for run in t.runs} <= set(catalogue.runs)


CONTENTS = plain()


@MANY
@given(st.sampled_from([(f, p) for f, content in CONTENTS.items() for p in places(content)]), ODD)
def test_a_setting_of_the_workflow_with_one_odd_value(place, value):
    file, path = place
    content = deepcopy(CONTENTS[file])
    put(content, path, value)
    told("config", load, file, {**CONTENTS, file: content})  # a scale is told where a row needs it


TABLE = Path("results/reference/mini/table6.csv").read_text().splitlines()


@MANY
@given(st.integers(1, 5), st.integers(0, TABLE[0].count(",")), st.one_of(CELLS, TEXT))
def test_a_table_with_one_odd_cell(tmp_path, row, column, cell):
    path = tmp_path / "table6.csv"
    rows = [re.findall(r'"[^"]*"|[^,]+|(?<=,)(?=,|$)', line) for line in TABLE]
    rows[row][column] = cell
    path.write_text("\n".join(map(",".join, rows)) + "\n", encoding="utf-8", newline="")
    told(path, read_table, path)
