"""Folders, FIFOs, sockets, devices and closed streams where files and open ones are expected."""

import errno
import os
import random
import signal
import stat
import subprocess
import sys
import threading
from importlib import import_module

import pytest

from autogrow.cli.exit_status import exit_status
from autogrow.errors import UserError
from autogrow.files import writing
from autogrow.process.lock import locked
from autogrow.training.unfinished import with_written_halving

ODD = {
    "folder": os.mkdir,
    "fifo": os.mkfifo,
    "socket": lambda path: os.mknod(path, stat.S_IFSOCK | 0o600),
    "device": lambda path: path.symlink_to("/dev/zero"),
}
FILES = ["spec.yaml", "metrics.csv", "growth.csv", "summary.json", "weights.safetensors"]
FILES += ["log.txt", "lock", "micro_batch.json", "checkpoint-000001-0000000005.safetensors"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_file_is_named_and_stays(mistake, cli, tiny, tmp_path, kind, name):
    path = tmp_path / name
    ODD[kind](path)
    before, replay = path.lstat(), ["replay", "--network", "Basic3ResNet", "--accuracies"]
    for more in ([], ["--restart"]):
        assert f"{path}: " in mistake(*tiny.train, "--out", tmp_path, *more)
    for command in (["run", path, "--out", tmp_path], [*replay, path]):
        assert f"{path}: found " in mistake(*command)
    assert cli("status", tmp_path).status == 0
    assert (path.lstat().st_ino, list(tmp_path.iterdir())) == (before.st_ino, [path])


def test_links_are_not_followed(tmp_path, monkeypatch):
    """Whoever may write into a folder has a process write nowhere else by a temporary name."""
    other, link = tmp_path / "other", tmp_path / ".file.x.tmp"
    other.write_text("kept")
    monkeypatch.setattr(writing, "token_hex", lambda _: "x")
    for target in (other, tmp_path / "missing"):
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        with pytest.raises(UserError, match=os.strerror(errno.EEXIST)):
            writing.write_bytes(tmp_path / "file", b"new")
    (tmp_path / "lock").symlink_to(other)
    with pytest.raises(UserError, match="lock: cannot be written"), locked(tmp_path, print):
        pass
    assert other.read_text() == "kept"
    assert not (tmp_path / "missing").exists()


def test_any_content_of_a_kept_halving_is_a_halving_or_one_line(tmp_path):
    seeded, file = random.Random(0), tmp_path / "micro_batch.json"
    odd = ["-3", "0", "1.5", "null", '"8"', "[]", "9" * 5000, "true", "1e400", "{"]
    for _ in range(60):
        keys = seeded.sample(["epoch", "depth", "micro_batch", "other"], 3)
        file.write_text("{" + ", ".join(f'"{k}": {seeded.choice(odd)}' for k in keys) + "}")
        with pytest.raises(UserError, match="found no halving of the micro-batch; delete it"):
            with_written_halving(tmp_path, [])


LONG = "x y'" * 2000
OPTIONS = ["--network", "--data", "--stem", "--device", "--K", "--unknown", "--seed", "--policy"]


@pytest.mark.parametrize("option", [*OPTIONS, "COMMAND", "SPEC", "hex"])
def test_a_long_value_is_cut_where_it_is_told(mistake, tmp_path, option):
    spec, out = tmp_path / "spec.yaml", ["--out", tmp_path / "out"]
    long = "0x" + "f" * 5000 if option == "hex" else f'"{LONG}"'
    spec.write_text(f"kind: scratch\nnetwork: Plain3Net-1-1-1\ndata: digits\nseed: {long}\n")
    command = ["grow", "--network", "Basic3ResNet", "--data", "digits", *out, option, LONG]
    if option in ("SPEC", "hex"):
        command = ["run", spec, *out]
    line = mistake(*command if option != "COMMAND" else [LONG])
    assert LONG[:150] not in line
    assert len(line) - len(str(spec)) < 700


@pytest.mark.parametrize("option", ["--threads", "--network", "--out", "--data-root"])
def test_a_value_of_two_dashes_is_a_mistake(mistake, tiny, tmp_path, option):
    told = mistake(*tiny.train, "--out", tmp_path / "run", f"{option}=--")
    assert f"argument {option}: found '--'; allowed: a value" in told


def test_a_folder_of_any_name(cli, mistake, tiny, tmp_path):
    train = [a for a in tiny.train if a != "--quiet"]
    told = cli(*train, "--out", tmp_path / os.fsdecode(b"\xff \xfe"))
    assert (told.status, r"\udcff \udcfe" in told.out) == (0, True)
    assert "File name too long" in mistake(*train, "--out", tmp_path / ("x" * 300))


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams_change_no_status(tiny, tmp_path, closed):
    train = [a for a in tiny.train if a != "--quiet"]
    commands = {
        ("autogrow", "status", tmp_path): 0,
        ("autogrow", "info", "none"): 2,
        ("analysis", "--help"): 0,
        ("analysis", "table", "none"): 2,
        ("autogrow", *train, "--out", tmp_path / "run"): 0,
    }
    for command, status in list(commands.items())[: 5 if closed.count("&") == 3 else 4]:
        call = ["sh", "-c", f'exec "$0" "$@" {closed}', sys.executable, "-m", *command]
        done = subprocess.run(call, capture_output=True, text=True, timeout=600)
        assert (done.returncode, done.stderr.count("\n") < 2) == (status, True), done
    if closed.count("&") == 3:
        assert (tmp_path / "run/summary.json").exists()
        assert "epoch 4/4" in (tmp_path / "run/log.txt").read_text()


BURST = ["SIGUSR1", "SIGHUP", "SIGTERM", "SIGUSR1", "SIGTERM"]
SENDS = f"import signal\nfor n in {BURST}: signal.raise_signal(signal.Signals[n])\nwhole = True\n"


def test_a_burst_of_signals_ends_a_process_once_and_after_the_import(tmp_path, monkeypatch, capsys):
    """What is imported is whole, so that no library turns the end into something else."""
    (tmp_path / "sends_a_burst.py").write_text(SENDS)
    monkeypatch.syspath_prepend(tmp_path)

    def work(*, first):
        if first:
            import_module("sends_a_burst")
            threading.Event().wait(60)
        try:
            signal.raise_signal(signal.SIGUSR1)
        finally:
            exec(SENDS, {})

    for first in (True, False):
        assert exit_status("autogrow", lambda first=first: work(first=first)) == 75
        assert capsys.readouterr().err == "autogrow: interrupted: SIGUSR1\n"
    assert sys.modules.pop("sends_a_burst").whole
