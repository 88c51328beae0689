"""Jobs that the fork server forks: to who starts them they are processes like others."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from autogrow.process.fork_client import SOCKET, forked

STARTER = """
import os, sys
from autogrow.process import fork_client, fork_server
fork_server.start(["autogrow.runs.run"])
print(os.environ[fork_client.SOCKET], flush=True)
sys.stdin.read()
"""
LATEST = 120
"""Seconds after which a test gives up; what works takes a fraction of one."""


def wait_for(condition):
    deadline = time.monotonic() + LATEST
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


class Server:
    def __init__(self):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.starter = subprocess.Popen([sys.executable, "-c", STARTER], text=True, **pipes)
        self.socket = Path(self.starter.stdout.readline().strip())
        (self.process,) = psutil.Process(self.starter.pid).children()

    def popen(self, *arguments, module="autogrow", **options):
        environment = {**os.environ, SOCKET: str(self.socket), **options.pop("env", {})}
        command = [sys.executable, "-m", module, *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.Popen(command, env=environment, text=True, **pipes)


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.starter.stdin.close()
    psutil.wait_procs([server.process], LATEST)
    assert not server.process.is_running()
    assert not server.socket.parent.exists()


def test_a_job_is_as_one_of_its_own(server, tiny, tmp_path):
    """The same bytes of weights and records, in the folder where the command was given."""
    for name, environment in (("forked", {}), ("alone", {SOCKET: "/nowhere"})):
        job = server.popen(*tiny.train, "--out", name, cwd=tmp_path, env=environment)
        told = job.communicate()
        assert (job.returncode, told) == (0, ("", ""))
    for file in ("weights.safetensors", "spec.yaml"):
        assert (tmp_path / "forked" / file).read_bytes() == (tmp_path / "alone" / file).read_bytes()


def test_its_words_and_exit_status_are_the_clients(server):
    job = server.popen("info", "Basic3ResNet-3-3")
    out, told = job.communicate()
    assert (job.returncode, out) == (2, "")
    assert told.startswith("autogrow: error: network 'Basic3ResNet-3-3'")
    assert told.count("\n") == 1


def test_it_has_the_clients_environment(server, tmp_path):
    command = ["train", "--network", "Basic3ResNet-1-1-1", "--data", "CIFAR10", "--out", tmp_path]
    job = server.popen(*command, env={"AUTOGROW_DATA_ROOT": str(tmp_path / "images")})
    assert str(tmp_path / "images") in job.communicate()[1]


def test_nothing_in_the_server_keeps_it_from_forking(server):
    wait_for(lambda: server.popen("--version").wait() == 0)
    assert server.process.num_threads() == 1


def long_run(server, tiny, out, **options):
    command = [*tiny.train, "--epochs", "5000", "--checkpoint-epochs", "1", "--out", out]
    job = server.popen(*command, **options)
    wait_for(lambda: list(out.glob("checkpoint-*")))
    return job


def process_of(out):
    """Return the process that trains a run."""
    return psutil.Process(json.loads((out / "lock").read_text())["pid"])


def test_a_signal_reaches_it(server, tiny, tmp_path):
    """It stops after a checkpoint, and says so."""
    job = long_run(server, tiny, tmp_path / "run")
    job.send_signal(signal.SIGTERM)
    assert "SIGTERM" in job.communicate()[1]
    assert job.returncode == os.EX_TEMPFAIL
    assert list((tmp_path / "run").glob("checkpoint-*"))


def test_it_dies_with_its_client(server, tiny, tmp_path):
    job = long_run(server, tiny, tmp_path / "run")
    process = process_of(tmp_path / "run")
    job.kill()
    job.wait(LATEST)
    wait_for(lambda: not process.is_running())


def test_its_client_dies_as_it_does(server, tiny, tmp_path):
    job = long_run(server, tiny, tmp_path / "run")
    process = process_of(tmp_path / "run")
    process.kill()
    assert job.wait(LATEST) == -signal.SIGKILL


def test_a_lost_server_is_told(server, tiny, tmp_path):
    """The run itself goes on, as after the end of a Snakemake; who repeats the command waits."""
    told = tmp_path / "stderr"
    with told.open("w") as stderr:
        job = long_run(server, tiny, tmp_path / "run", stdout=stderr, stderr=stderr)
    process = process_of(tmp_path / "run")
    process.parent().kill()
    assert job.wait(LATEST) == os.EX_TEMPFAIL
    assert told.read_text() == "autogrow: interrupted: the fork server was lost\n"
    assert process.is_running()
    process.terminate()
    psutil.wait_procs([process], LATEST)


def test_another_python_does_its_work_itself(server, monkeypatch):
    monkeypatch.setenv(SOCKET, str(server.socket))
    monkeypatch.setattr(sys, "executable", "/usr/bin/another")
    assert forked("autogrow", ["--version"]) is None


def test_without_a_server_a_job_does_its_work_itself(monkeypatch, tmp_path):
    monkeypatch.delenv(SOCKET, raising=False)
    assert forked("autogrow", ["--version"]) is None
    monkeypatch.setenv(SOCKET, str(tmp_path / "socket"))
    assert forked("autogrow", ["--version"]) is None
