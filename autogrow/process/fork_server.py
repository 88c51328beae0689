"""A process that has imported what short jobs need, and forks a process for each of them.

To import torch takes about two seconds, longer than a small run trains. On one machine's CPUs, a
workflow therefore starts this server, and its jobs are forks of it
(:mod:`autogrow.process.fork_client`). The server ends when its standard input is closed, so with
whoever started it; jobs at work go on.

Only this user's processes can reach it, because its socket lies in a folder of mode 0700.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from autogrow.process.fork_client import SOCKET
from autogrow.process.memory import keep_memory

LONGEST_PATH = 100
"""Characters of a socket's path; the system allows little more."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def start(modules: Sequence[str]) -> None:
    """Start a server that imports these modules; name it to processes started from now on.

    It lives as long as this process. Where a socket's path would be too long, or the system is not
    Linux, there is none, and jobs import for themselves.
    """
    if sys.platform != "linux":
        return
    folder = Path(tempfile.mkdtemp(prefix="autogrow-"))
    path = folder / "socket"
    if len(os.fsencode(path)) > LONGEST_PATH:
        folder.rmdir()
        return
    # A process with threads cannot be forked safely, and libraries start some when they are loaded.
    environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(socket.SOMAXCONN)
    read, _stays_open = os.pipe()
    with listener:
        subprocess.Popen(
            [sys.executable, "-m", __name__, str(listener.fileno()), str(folder), *modules],
            stdin=read,
            env=environment,
            pass_fds=[listener.fileno()],
            start_new_session=True,  # Ctrl-C is for the jobs, which hand it on
        )
    os.close(read)
    os.environ[SOCKET] = str(path)


def main(listener: socket.socket, folder: Path, modules: Sequence[str]) -> None:
    """Serve until standard input is closed."""
    keep_memory()  # before torch is imported
    for module in modules:
        import_module(module)
    gc.freeze()  # what was imported stays shared memory
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the processes
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        connection = listener.accept()[0]
        if os.fork() == 0:
            listener.close()
            sys.stdin.close()
            _attend(connection)
        connection.close()
    shutil.rmtree(folder)


def _attend(connection: socket.socket) -> None:
    """Fork a job and tell its client how it ends; only the job returns, to end as Python does."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    streams = socket.recv_fds(connection, 1, 3)[1]
    request = json.loads(connection.makefile("rb").readline())
    if request["python"] != sys.executable:
        os._exit(0)
    job = os.fork()
    if job == 0:
        connection.close()
        _become(request, streams)
    connection.sendall(b"%d\n" % job)
    for stream in streams:
        os.close(stream)
    ended = os.pidfd_open(job)
    if ended not in select.select([ended, connection.fileno()], [], [])[0]:
        os.kill(job, signal.SIGKILL)  # as the client was, which cannot hand that on
    status = os.waitstatus_to_exitcode(os.waitpid(job, 0)[1])
    connection.sendall(b"%d\n" % status)
    os._exit(0)


def _become(request: dict[str, Any], streams: Sequence[int]) -> None:
    """Do the work of the client in this process, with its streams; ends this process."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = os.fdopen(0)
    sys.stdout = os.fdopen(1, "w", 1 if os.isatty(1) else -1)
    sys.stderr = os.fdopen(2, "w", 1)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = [request["module"], *request["arguments"]]
    runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2]), sys.argv[3:])
