"""Commands of the analysis on a full disk and on one that is read-only: old outputs stay."""

import os
import subprocess
import sys

import pytest
from damage import contents
from made_up_runs import make_results
from mounts import fill, read_only, small_disk

from analysis.__main__ import main
from analysis.experiments.catalogue import load_catalogue
from analysis.experiments.scales import ROOT

NAMES = ("table5", "figure2", "figure6")
PAGE = 4096


def commands(folder):
    """Return name and arguments of each command that writes into a results folder."""
    seeds = ["--scale", "mini", "--folder", str(folder), "--seeds", "1", "2"]
    sides = ["--new", str(folder), "--reference", str(folder / "tables")]
    return {
        "tables": ["table", "table5", *seeds],
        "figures": ["figure-data", "figure6", *seeds],
        "plots": ["figure", "figure2", "--folder", str(folder)],
        "compare": ["compare", *sides, "--out", str(folder / "compare.csv")],
    }


def make_everything(folder):
    make_results(folder, load_catalogue("mini"), NAMES)
    assert main(["figure-data", "figure2", *commands(folder)["figures"][2:]]) == 0
    for arguments in commands(folder).values():
        assert main(arguments) == 0


def make_older(folder):
    """Have every output be of other inputs, so that the commands would change them all."""
    outputs = [f for name in ("tables", "figures") for f in (folder / name).iterdir()]
    for file in [*outputs, folder / "compare.csv"]:
        if file.name not in ("table5.csv", "figure2.csv"):  # which are inputs as well
            file.write_bytes(b"earlier\n")


def check(told, reason, folder, before):
    """Check that a command could write nothing, says so, and changed nothing."""
    assert (told.status, told.out, told.err.count("\n")) == (2, "", 1), told
    assert reason in told.err
    assert str(folder) in told.err
    assert contents(folder) == before


@pytest.mark.parametrize("name", ["tables", "figures", "plots", "compare"])
def test_a_full_disk_leaves_everything_as_it_was(tmp_path, call, name):
    with small_disk(tmp_path / "disk", 8192) as disk:
        folder = disk / "mini"
        make_everything(folder)
        make_older(folder)
        arguments = commands(folder)[name]
        for pages in (0, 1, 4, 30, 100, 300):
            others = fill(disk, leave=pages * PAGE)
            before = contents(folder)
            told = call(main, *arguments)
            if told.status == 0:
                break
            check(told, "No space left on device", folder, before)
            others.unlink()
        assert 0 < pages < 300
        assert contents(folder) != before
        assert not list(folder.rglob("*.tmp"))


@pytest.mark.parametrize("name", ["tables", "figures", "plots", "compare"])
def test_a_disk_that_is_read_only(tmp_path, call, name):
    folder = tmp_path / "mini"
    make_everything(folder)
    before = contents(folder)
    with read_only(folder):
        told = call(main, *commands(folder)[name])
        check(told, "Read-only file system", folder, before)


def test_standard_output_that_is_full(tmp_path):
    folder = tmp_path / "mini"
    make_everything(folder)
    command = [sys.executable, "-m", "analysis", *commands(folder)["compare"]]
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr == ("analysis compare: error: standard output: No space left on device\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's rights are tried as root")
@pytest.mark.parametrize("name", ["tables", "figures", "plots", "compare"])
def test_inputs_that_may_not_be_read(tmp_path, name):
    """By a user who is not root, in a process of its own."""
    folder = tmp_path / "mini"
    make_everything(folder)
    inputs = {"plots": "figures", "compare": "tables/table5.csv"}
    shut = folder / inputs.get(name, "runs")
    for parent in [folder, *folder.parents][:4]:
        parent.chmod(0o755)
    shut.chmod(0o600)
    arguments = commands(folder)[name]
    code = """if True:
        import os, sys
        from importlib import import_module
        from analysis.__main__ import COMMANDS, main
        import_module(COMMANDS[sys.argv[1]][0])  # that user may not read Python's modules
        os.setgid(65534); os.setuid(65534)
        sys.exit(main(sys.argv[1:]))"""
    command = [sys.executable, "-c", code, *arguments]
    environment = {**os.environ, "MPLCONFIGDIR": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Permission denied" in done.stderr
    assert str(shut) in done.stderr
