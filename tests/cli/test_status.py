"""`autogrow status`: runs in every state, by their folders alone."""

import json
import os
import re
import socket
import subprocess
import sys
import time

import pytest
from made_up_summaries import made_up_summary, write_result
from terminals import under_a_terminal

from autogrow.files.writing import write_csv
from autogrow.process.lock import STALE
from autogrow.runs.folder import SPEC
from autogrow.training.metrics import METRICS_HEADER


def run_folder(folder, *, spec=None, epochs=0, phase="training", status=None, lock=None):
    """Make the folder of a run that no training has made."""
    folder.mkdir(parents=True)
    (folder / "log.txt").touch()
    (folder / SPEC).write_text(json.dumps(spec or {"kind": "scratch", "epochs": 10}))
    if epochs:
        rows = [
            [e, phase, "2-1-1", 0.1, 1, 50, 1, 60 + e, 60, 60 + e, 20] for e in range(1, epochs + 1)
        ]
        write_csv(folder / "metrics.csv", METRICS_HEADER, rows)
    if status is not None:
        after = 3 if status == "diverged" else None
        content = made_up_summary("Basic3ResNet-2-1-1", status=status, diverged_after=after)
        write_result(folder, content)
    if lock is not None:
        (folder / "lock").write_text(json.dumps({"host": lock, "pid": os.getpid()}))
    return folder


@pytest.fixture
def tree(tmp_path):
    """Runs in every state, and damage."""
    autogrow = {"kind": "autogrow", "finetune_epochs": 7}
    run_folder(tmp_path / "done", epochs=10, status="complete")
    run_folder(tmp_path / "deep/er/diverged", epochs=4, status="diverged")
    run_folder(tmp_path / "far", epochs=4, lock="elsewhere")
    run_folder(tmp_path / "grows", spec=autogrow, epochs=4, phase="growing", lock="elsewhere")
    tuned = run_folder(tmp_path / "tunes", spec=autogrow, epochs=9, phase="finetuning", lock="x")
    (tuned / "growth.csv").write_text("epoch,event,sub_network,depth\n6,done,,2-1-1\n")
    run_folder(tmp_path / "starts", lock=socket.gethostname())
    gone = run_folder(tmp_path / "gone", epochs=4, lock="elsewhere")
    long_ago = time.time() - 2 * STALE
    os.utime(gone / "lock", (long_ago, long_ago))
    (gone / "checkpoint-000004-0000000040.safetensors").touch()
    a, c, d = (run_folder(tmp_path / "damaged" / name, epochs=2) for name in "acd")
    b = run_folder(tmp_path / "damaged/b", status="complete")
    (a / "metrics.csv").write_bytes(b"\xff\x00,\n")
    (b / "summary.json").write_text("[1]")
    (c / SPEC).write_text("no: [spec")
    (d / "metrics.csv").write_text("foreign\n1\n")
    for name in ("metrics.csv", SPEC):  # nobody would ever write into them
        (run_folder(tmp_path / "damaged" / name) / name).unlink(missing_ok=True)
        os.mkfifo(tmp_path / "damaged" / name / name)
    (tmp_path / "specs/run").mkdir(parents=True)
    (tmp_path / "specs/run" / SPEC).write_text("{}")  # no run folder
    return tmp_path


def test_every_state_is_told_in_one_line_each(tree, cli):
    told = cli("status", tree)
    assert (told.status, told.err) == (0, "")
    first, *lines = told.out.splitlines()
    assert first == f"{tree}: 1 done, 1 diverged, 4 running, 1 interrupted, 6 damaged"
    found = dict(re.match(r"  \w+ +(\S+): (.*)", line).groups() for line in lines)
    assert found["deep/er/diverged"] == "no finite loss from epoch 3 on"
    assert found["starts"] == "in its first epoch"
    assert re.fullmatch(
        r"epoch 4 of 10 \(40 %\), training 2-1-1, val accuracy 64.00 %, (2:00|1:\d\d) left",
        found["far"],
    )
    assert found["grows"].startswith("epoch 4 of at least 11, growing 2-1-1, val accuracy 64.00 %")
    assert found["tunes"].startswith("epoch 9 of 13 (69 %), finetuning")
    assert re.search(r"epoch 4 of 10 .*; last checkpoint \d:\d\d ago$", found["gone"])
    assert set(found) >= {f"damaged/{name}" for name in "abcd"}
    assert len(lines) == 12


def test_a_single_run_folder_an_empty_one_and_a_missing_one(tree, cli, mistake):
    assert cli("status", tree / "done").out == f"{tree / 'done'}: 1 done\n"
    assert cli("status", tree / "specs").out == f"{tree / 'specs'}: no runs\n"
    assert "is no folder" in mistake("status", tree / "nowhere")


def test_750_runs_take_under_two_seconds_of_the_processor_without_torch(tmp_path):
    for i in range(700):
        run_folder(tmp_path / f"runs/{i}", status="complete")
    for i in range(50):
        run_folder(tmp_path / f"runs/r{i}", epochs=30, lock="elsewhere")
    script = (
        "import sys, time\nfrom autogrow.cli.main import main\n"
        "status = main(sys.argv[1:])\n"
        "assert 'torch' not in sys.modules\nprint(time.process_time())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "status", tmp_path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert f"{tmp_path}: 700 done, 50 running" in done.stdout
    assert float(done.stdout.splitlines()[-1]) < 2


def test_watching_ends_with_ctrl_c_without_a_traceback(tree):
    command = [sys.executable, "-m", "autogrow", "status", "--watch", tree]
    told = under_a_terminal(command, interrupt_at="4 running")
    assert told.status == 130
    assert "Traceback" not in told.told
    assert "continues" not in told.told


def test_watching_ends_when_no_run_is_at_work(tmp_path, cli, monkeypatch):
    folder = run_folder(tmp_path / "run", epochs=4, lock="elsewhere")
    monkeypatch.setattr("autogrow.cli.status.time.sleep", lambda _: (folder / "lock").unlink())
    told = cli("status", "--watch", tmp_path)
    states = [line.rpartition(": ")[2] for line in told.out.splitlines() if "run:" not in line]
    assert (told.status, states) == (0, ["1 running", "1 interrupted"])
