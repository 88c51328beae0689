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
    time.sleep(600)
"""


class Holder(subprocess.Popen):
    """Another process that holds the lock."""

    def __init__(self, folder):
        super().__init__([sys.executable, "-c", HOLD, folder], stdout=subprocess.PIPE, text=True)
        assert self.stdout.readline() == "held\n"

    def end(self):
        self.kill()
        self.wait()


@pytest.fixture
def holder(tmp_path):
    with Holder(tmp_path) as process:
        yield process
        process.end()


def left_by(host, path, *, pid=7, touched=None):
    """Write a lock file that a process of a host has left."""
    path.write_text(json.dumps({"host": host, "pid": pid}))
    if touched is not None:
        os.utime(path, (touched, touched))


def refused(folder, told):
    with pytest.raises(UserError, match=told), locked(folder, print):
        pass


def test_a_second_process_is_refused_naming_host_and_pid(holder, tmp_path, mistake, tiny):
    """The command, too, at once and without touching anything."""
    before = sorted(tmp_path.iterdir())
    held = f"process {holder.pid} on {socket.gethostname()} is training here"
    refused(tmp_path, re.escape(held))
    assert held in mistake(*tiny.train, "--restart", "--out", tmp_path)
    assert sorted(tmp_path.iterdir()) == before
    assert json.loads((tmp_path / "lock").read_text())["pid"] == holder.pid


def test_a_killed_holders_lock_is_taken_over_and_said(holder, tmp_path, cli, tiny):
    holder.end()
    left = (tmp_path / "lock").read_bytes()
    told = []
    with locked(tmp_path, told.append):
        assert json.loads((tmp_path / "lock").read_text())["pid"] == os.getpid()
    assert len(told) == 1
    assert f"taking over from process {holder.pid} on" in told[0]
    assert not (tmp_path / "lock").exists()
    (tmp_path / "lock").write_bytes(left)
    assert cli(*tiny.train, "--out", tmp_path).status == 0
    assert "taking over from process" in (tmp_path / "log.txt").read_text()


@pytest.mark.parametrize("elsewhere", [False, True])
def test_who_is_asked_to_wait_waits(holder, tmp_path, monkeypatch, elsewhere):
    told, naps = [], []
    if elsewhere:  # and this host does not see its flock
        holder.end()
        left_by("elsewhere", tmp_path / "lock", pid=holder.pid)

    def nap(seconds):
        naps.append(seconds)
        if len(naps) == 3:
            holder.end()
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


def test_what_cannot_be_locked_is_told_in_one_line(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    refused(tmp_path / "file", "cannot be made: File exists")
    refused(tmp_path / "file/folder", "cannot be made: Not a dir")

    def flock(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(lock.fcntl, "flock", flock)
    refused(tmp_path, "cannot be locked: Function not implemented")


def test_a_run_that_waited_finds_the_other_ones_result(tmp_path, tiny):
    line = [sys.executable, "-m", "autogrow", *tiny.train, "--epochs", "30", "--wait"]
    line += ["--out", str(tmp_path / "run")]
    log = tmp_path / "run/log.txt"

    def wait_for(process, there):
        while not there():
            assert process.poll() is None
            time.sleep(0.05)

    first = subprocess.Popen(line)
    try:
        wait_for(first, lambda: list((tmp_path / "run").glob("checkpoint-*")))
        first.send_signal(signal.SIGSTOP)
        second = subprocess.Popen(line)
        wait_for(second, lambda: "waiting for it" in log.read_text())
        first.send_signal(signal.SIGCONT)
        assert second.wait(timeout=600) == first.wait() == 0
    finally:
        first.kill()
    told = log.read_text()
    assert f"process {first.pid} on " in told
    assert "this run is complete; nothing to do" in told
    assert "continuing after" not in told
    assert told.count(": train loss ") == 30


def test_another_hosts_lock_is_held_while_it_is_touched(tmp_path):
    """Also where the file system does not show this host that one's flock."""
    left_by("elsewhere", tmp_path / "lock")
    refused(tmp_path, "7 on elsewhere was training here")
    left_by("elsewhere", tmp_path / "lock", touched=time.time() - 2 * lock.STALE)
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
        monkeypatch.setattr(lock.os, "utime", utime)
        assert beaten.wait(600)
        assert next(failures, None) is None
        assert lock.is_alive(tmp_path / "lock")


def test_whether_a_holder_is_alive_is_told_without_taking_its_lock(holder, tmp_path):
    path = tmp_path / "lock"
    assert lock.is_alive(path)
    holder.end()
    assert not lock.is_alive(path)
    left_by("elsewhere", path)
    assert lock.is_alive(path)  # its last beat is recent
    left_by("elsewhere", path, touched=0)
    assert not lock.is_alive(path)


@pytest.mark.parametrize("content", ["not JSON", "[]", '{"host": 3}', "3"])
def test_a_damaged_lock_of_nobody_is_taken_over(tmp_path, content):
    path = tmp_path / "lock"
    path.write_text(content)
    assert not lock.is_alive(path)
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
        shared = (tmp_path, context.Barrier(6), inside, most)
        processes = [context.Process(target=_try, args=shared) for _ in range(6)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
    assert (inside.value, most.value) == (0, 1)
