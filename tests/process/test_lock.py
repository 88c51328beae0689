"""One process on a run's folder at a time; what a dead one left is taken over."""

import errno
import json
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from autogrow.errors import UserError
from autogrow.process import lock
from autogrow.process.lock import locked

HOLD = """
import sys, time
from pathlib import Path
from autogrow.process.lock import locked
with locked(Path(sys.argv[1]), print):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_process_is_refused_naming_host_and_pid(holder, tmp_path):
    told = f"process {holder.pid} on {re.escape(socket.gethostname())} is training here"
    with pytest.raises(UserError, match=told), locked(tmp_path, print):
        pass
    assert json.loads((tmp_path / "lock").read_text())["pid"] == holder.pid


def test_the_command_is_refused_at_once_and_touches_nothing(holder, tmp_path, mistake, tiny):
    before = sorted(tmp_path.iterdir())
    assert "is training here" in mistake(*tiny.train, "--restart", "--out", tmp_path)
    assert sorted(tmp_path.iterdir()) == before


def test_a_killed_holders_lock_is_taken_over_and_said(holder, tmp_path):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    told = []
    with locked(tmp_path, told.append):
        assert json.loads((tmp_path / "lock").read_text())["pid"] == os.getpid()
    assert len(told) == 1
    assert f"taking over from process {holder.pid} on" in told[0]
    assert not (tmp_path / "lock").exists()


def test_a_run_says_in_its_log_that_it_took_over(holder, tmp_path, cli, tiny):
    holder.kill()
    holder.wait()
    assert cli(*tiny.train, "--out", tmp_path).status == 0
    assert "taking over from process" in (tmp_path / "log.txt").read_text()


@pytest.mark.parametrize("elsewhere", [False, True])
def test_who_is_asked_to_wait_waits(holder, tmp_path, monkeypatch, elsewhere):
    told, naps = [], []
    if elsewhere:  # and this host is not told of its flock
        holder.kill()
        holder.wait()
        (tmp_path / "lock").write_text(json.dumps({"host": "elsewhere", "pid": holder.pid}))

    def nap(seconds):
        naps.append(seconds)
        if len(naps) == 3:
            holder.kill()
            holder.wait()
            os.utime(tmp_path / "lock", (0, 0))

    monkeypatch.setattr(lock.time, "sleep", nap)
    with locked(tmp_path, told.append, wait=True):
        assert json.loads((tmp_path / "lock").read_text())["pid"] == os.getpid()
    assert len(naps) == 3
    waiting, taken = told
    assert f"process {holder.pid} on " in waiting
    assert "; waiting for it (or " in waiting
    assert "taking over" in taken


def test_a_missing_folder_is_made_and_stays_only_if_something_is_put_into_it(tmp_path):
    for inside in ([], ["file"]):
        with locked(tmp_path / "a/b", print):
            for name in inside:
                (tmp_path / "a/b" / name).touch()
        assert [f.name for f in tmp_path.rglob("*") if f.is_file()] == inside
        assert (tmp_path / "a").exists() == bool(inside)


def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    for folder, wanted in (("file", "is a file"), ("file/folder", "cannot be made: Not a dir")):
        with pytest.raises(UserError, match=wanted), locked(tmp_path / folder, print):
            pass


def test_a_file_system_without_locks_is_told_in_one_line(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(lock.fcntl, "flock", flock)
    with pytest.raises(UserError, match="cannot be locked: Function not implemented"):
        locked(tmp_path, pytest.fail).__enter__()


def test_a_run_that_waited_finds_the_other_ones_result(tmp_path, tiny):
    line = [sys.executable, "-m", "autogrow", *tiny.train, "--epochs", "30", "--wait"]
    line += ["--out", str(tmp_path / "run")]
    first = subprocess.Popen(line)
    try:
        while not list((tmp_path / "run").glob("checkpoint-*")):
            assert first.poll() is None
            time.sleep(0.05)
        first.send_signal(signal.SIGSTOP)
        second = subprocess.Popen(line)
        log = tmp_path / "run/log.txt"
        while "waiting for it" not in log.read_text():
            assert second.poll() is None
            time.sleep(0.05)
        first.send_signal(signal.SIGCONT)
        assert second.wait(timeout=120) == first.wait() == 0
    finally:
        first.kill()
    told = log.read_text()
    assert f"process {first.pid} on " in told
    assert "this run is complete; nothing to do" in told
    assert "continuing after" not in told
    assert told.count(": train loss ") == 30


def test_another_hosts_lock_is_held_while_it_is_touched(tmp_path):
    """Also where the file system does not tell this host of that one's flock."""
    path = tmp_path / "lock"
    path.write_text(json.dumps({"host": "elsewhere", "pid": 7}))
    with (
        pytest.raises(UserError, match="7 on elsewhere was training here"),
        locked(tmp_path, print),
    ):
        pass
    long_ago = time.time() - 2 * lock.STALE
    os.utime(path, (long_ago, long_ago))
    told = []
    with locked(tmp_path, told.append):
        assert "7 on elsewhere" in told[0]


def test_the_holder_touches_its_lock_also_after_the_file_system_failed_once(tmp_path, monkeypatch):
    """One transient error must not let another host take over: it sees the later beats."""
    touch, failures = os.utime, iter([OSError(errno.ESTALE, "Stale file handle")])
    beaten = threading.Event()

    def utime(path):
        for error in failures:
            raise error
        touch(path)
        beaten.set()

    monkeypatch.setattr(lock, "BEAT", 0.01)
    with locked(tmp_path, print):
        touch(tmp_path / "lock", (0, 0))
        assert not lock.is_alive(tmp_path / "lock")
        monkeypatch.setattr(lock.os, "utime", utime)
        assert beaten.wait(60)
        assert next(failures, None) is None
        assert (tmp_path / "lock").stat().st_mtime > 0
        assert lock.is_alive(tmp_path / "lock")


def test_whether_a_holder_is_alive_is_told_without_taking_its_lock(holder, tmp_path):
    path = tmp_path / "lock"
    assert lock.is_alive(path)
    holder.kill()
    holder.wait()
    assert not lock.is_alive(path)
    path.write_text(json.dumps({"host": "elsewhere", "pid": holder.pid}))
    assert lock.is_alive(path)  # its last beat is recent
    os.utime(path, (0, 0))
    assert not lock.is_alive(path)
    for content in ("not JSON", "[]", '{"host": 3}'):
        path.write_text(content)
        assert not lock.is_alive(path)


@pytest.mark.parametrize("content", ["not JSON", "[]", "{}", "3"])
def test_a_damaged_lock_of_nobody_is_taken_over(tmp_path, content):
    path = tmp_path / "lock"
    path.write_text(content)
    os.utime(path, (0, 0))
    told = []
    with locked(tmp_path, told.append):
        pass
    assert "unknown" in told[0]


def _try(folder, barrier, inside, most):
    barrier.wait()
    try:
        with locked(folder, lambda _: None):
            with inside.get_lock():
                inside.value += 1
                most.value = max(most.value, inside.value)
            time.sleep(0.02)
            with inside.get_lock():
                inside.value -= 1
    except UserError:
        pass


def test_of_many_at_once_only_one_is_in(tmp_path):
    context = multiprocessing.get_context("fork")
    inside, most = context.Value("i"), context.Value("i")
    for _ in range(5):
        barrier = context.Barrier(6)
        processes = [
            context.Process(target=_try, args=(tmp_path, barrier, inside, most)) for _ in range(6)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
    assert (inside.value, most.value) == (0, 1)
