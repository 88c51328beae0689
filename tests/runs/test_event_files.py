"""TensorBoard's event files hold what the records hold, once."""

import csv
import subprocess
import sys

import pytest
from interrupting import interrupted_after
from run_results import results

from autogrow.runs.event_files import SCALARS


@pytest.fixture
def train(cli, tiny):
    def train(out, *more):
        return cli(*tiny.grow, "--logger", "tensorboard", "--out", out, *more)

    return train


def points(out):
    """Every value of every event file of a run, by its tag; none is left out."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.util.tensor_util import make_ndarray

    found = {}
    for file in out.glob("events.out.tfevents.*"):
        for event in EventFileLoader(str(file)).Load():
            for value in event.summary.value:
                content = make_ndarray(value.tensor).reshape(-1)[0]
                found.setdefault(value.tag, []).append((event.step, content))
    return found


def rows(file):
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def check(out):
    found, epochs = points(out), rows(out / "metrics.csv")
    own = [row for row in epochs if row["phase"] != "adaminit"]
    for tag, column in SCALARS.items():
        expected = [(int(row["epoch"]), float(row[column])) for row in own]
        assert found[tag] == [(step, pytest.approx(value, abs=6e-4)) for step, value in expected]
    depths = [(int(r["epoch"]), sum(map(int, r["depth"].split("-")))) for r in own]
    assert found["depth/sub-modules"] == depths
    assert {"depth/sub-network 0", "depth/sub-network 1", "depth/sub-network 2"} <= {*found}
    growth = [(int(row["epoch"]), row["event"], row["depth"]) for row in rows(out / "growth.csv")]
    texts = [(step, text.decode()) for step, text in found["growth/text_summary"]]
    assert [(step, text.split()[0], text.split()[-1]) for step, text in texts] == growth
    adaminit = [row for row in epochs if row["phase"] == "adaminit"]
    assert len(found.get("adaminit/loss/train", [])) == len(adaminit)


def test_every_epoch_and_every_growth_is_there_once(train, tiny, cli, tmp_path):
    out, plain = tmp_path / "run", tmp_path / "plain"
    assert train(out).status == 0
    check(out)
    assert cli(*tiny.grow, "--out", plain).status == 0
    assert results(out) == results(plain)  # a logger changes nothing
    assert len(list(out.glob("events.out.tfevents.*"))) == 1


def test_a_run_that_was_interrupted_doubles_no_point(train, tmp_path):
    out = tmp_path / "run"
    for count in (2, 3):
        with interrupted_after(count):
            assert train(out, "--initializer", "AdamInit").status == 130
    assert train(out, "--initializer", "AdamInit").status == 0
    check(out)


def test_a_restart_removes_old_event_files(train, tiny, cli, tmp_path):
    out = tmp_path / "run"
    assert train(out).status == 0
    assert cli(*tiny.grow, "--out", out, "--restart").status == 0
    assert not list(out.glob("events.out.tfevents.*"))


WITHOUT = """
import sys
sys.modules["tensorboard"] = None
from autogrow.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_without_tensorboard_nothing_is_begun(tiny, tmp_path):
    out = tmp_path / "run"
    command = [*tiny.grow, "--logger", "tensorboard", "--out", str(out)]
    told = subprocess.run([sys.executable, "-c", WITHOUT, *command], capture_output=True, text=True)
    assert told.returncode == 2
    assert "pip install 'autogrow[tensorboard]'" in told.stderr
    assert told.stderr.count("\n") == 1
    assert not out.exists()
