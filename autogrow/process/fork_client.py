"""A command that lets the fork server's copy of Python do its work, if there is such a server.

See :mod:`autogrow.process.fork_server`. This process lends its streams, folder and environment,
hands signals on, and ends as the other one does: who started it sees no difference.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import BinaryIO

SOCKET = "AUTOGROW_FORK_SERVER"
"""Environment variable with the path of the server's socket."""
HANDED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)


def forked(module: str, arguments: Sequence[str]) -> int | None:
    """Carry out ``python -m MODULE ARGUMENTS`` in a process of the fork server.

    Returns
    -------
    int or None
        The exit status. None without a server, or if it serves another Python: then this process
        has to do the work. If the other process is killed by a signal, so is this one.
    """
    path = os.environ.get(SOCKET)
    if path is None:
        return None
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(path)
        except OSError:  # the server has ended with its Snakemake
            return None
        heard = [n for n in HANDED_ON if signal.getsignal(n) is not signal.SIG_IGN]
        signal.pthread_sigmask(signal.SIG_BLOCK, heard)
        answers = _ask(connection, module, arguments)
        job = json.loads(answers.readline() or "0")
        if job:
            _hand_on(heard, job)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, heard)
        if not job:
            return None
        answer = answers.readline()
    if not answer:
        sys.stderr.write(f"{module}: interrupted: the fork server was lost\n")
        return os.EX_TEMPFAIL
    status = int(json.loads(answer))
    if status < 0:
        if -status != signal.SIGKILL:  # which nobody may handle
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status


def _ask(connection: socket.socket, module: str, arguments: Sequence[str]) -> BinaryIO:
    request = {
        "python": sys.executable,
        "module": module,
        "arguments": list(arguments),
        "folder": str(Path.cwd()),
        "environment": {k: v for k, v in os.environ.items() if k != SOCKET},
    }
    socket.send_fds(connection, [b"\n"], [0, 1, 2])
    connection.sendall(json.dumps(request).encode() + b"\n")
    return connection.makefile("rb")


def _hand_on(numbers: Sequence[signal.Signals], job: int) -> None:
    def hand_on(number: int, frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(job, number)

    for number in numbers:
        signal.signal(number, hand_on)
