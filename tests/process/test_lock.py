"""One process on a run's folder at a time; what a dead one left is taken over."""

import errno
import json
import multiprocessing
import os
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

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


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLD, tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def end(process):
    process.kill()
    process.wait()


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
    end(holder)
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


def test_who_is_asked_to_wait_waits_also_for_another_host(tmp_path, monkeypatch):
    left_by("elsewhere", tmp_path / "lock")
    told, naps = [], []

    def nap(seconds):
        naps.append(seconds)
        if len(naps) == 3:
            os.utime(tmp_path / "lock", (0, 0))

    monkeypatch.setattr(lock.time, "sleep", nap)
    with locked(tmp_path, told.append, wait=True):
        assert json.loads((tmp_path / "lock").read_text())["pid"] == os.getpid()
    assert len(naps) == 3
    waiting, taken = told
    assert "process 7 on elsewhere" in waiting
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


def test_a_run_that_waited_finds_the_other_ones_result(holder, tmp_path, cli, tiny, monkeypatch):
    assert cli(*tiny.train, "--out", tmp_path / "whole").status == 0

    def nap(_):
        for file in (tmp_path / "whole").iterdir():
            with (tmp_path / file.name).open("ab") as result:
                result.write(file.read_bytes())
        end(holder)

    monkeypatch.setattr(lock.time, "sleep", nap)
    assert cli(*tiny.train, "--wait", "--out", tmp_path).status == 0
    told = (tmp_path / "log.txt").read_text()
    assert re.search(rf"process {holder.pid} on .* waiting for it", told)
    assert "this run is complete; nothing to do" in told
    assert "continuing after" not in told
    assert told.count(": train loss ") == 4


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
    end(holder)
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


def _try(folder, barrier):
    barrier.wait()
    with suppress(UserError), locked(folder, print):
        (folder / "inside").mkdir()  # fails if another one is in
        time.sleep(0.02)
        (folder / "inside").rmdir()
        (folder / "entered").touch()


def test_of_many_at_once_only_one_is_in(tmp_path):
    context = multiprocessing.get_context("fork")
    for number in range(5):
        folder, barrier = tmp_path / str(number), context.Barrier(6)
        processes = [context.Process(target=_try, args=(folder, barrier)) for _ in range(6)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert {process.exitcode for process in processes} == {0}
        assert (folder / "entered").exists()
