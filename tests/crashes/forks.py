"""A process that has torch loaded and forks others that run the command: 0.1 s instead of 2.

Reads a request a line from stdin, as JSON, and answers with the child's exit status (or minus
its signal):

    {"arguments": [...], "errors": FILE, "call": N}   killed at its N-th call of any function
    {..., "at": [MODULE, FUNCTION, "before" or "after", N, SIGNAL]}   signalled at the N-th call
    {..., "memory": MIB}   with so much more memory than this process has, and not more
"""

import itertools
import json
import os
import resource
import signal
import sys
import threading
from functools import reduce
from importlib import import_module
from pathlib import Path

import sklearn.datasets  # noqa: F401 (loaded once, for all)
import torch.optim.adam  # noqa: F401

from autogrow.cli.main import main

# Whoever is started by nohup, or in the background by a shell, ignores them.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST = 1200
"""Seconds after which a child that hangs is killed, so that its test fails."""


def signal_at(module, function, when, number, sent):
    *path, name = function.split(".")
    holder = reduce(getattr, path, import_module(module))
    wrapped, calls = getattr(holder, name), iter(range(1, number))

    def hooked(*arguments, **options):
        last = next(calls, None) is None
        if last:
            setattr(holder, name, wrapped)
        if last and when == "before":
            os.kill(os.getpid(), sent)
        result = wrapped(*arguments, **options)
        if last and when == "after":
            os.kill(os.getpid(), sent)
        return result

    setattr(holder, name, hooked)


def kill_at(number):
    """Kill this process at its N-th call; return a function that tells how many there were."""
    calls = itertools.count(1)

    def count(frame, event, argument):
        if event in ("call", "c_call") and next(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)
    return lambda: next(calls)


def child(request):
    with open(request["errors"], "w") as errors:  # noqa: PTH123
        os.dup2(errors.fileno(), 2)
    os.dup2(2, 1)
    if request.get("memory") is not None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + int(request["memory"] * 2**20)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    if request.get("at"):
        signal_at(*request["at"])
    told = kill_at(request["call"]) if request.get("call") else None
    try:
        status = main(request["arguments"])
    except SystemExit as error:
        status = error.code
    except BaseException:
        import traceback

        traceback.print_exc()
        status = 99
    sys.setprofile(None)
    if told is not None:
        Path(f"{request['errors']}.calls").write_text(str(told()))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


for line in sys.stdin:
    request = json.loads(line)
    pid = os.fork()
    if pid == 0:
        child(request)
    timer = threading.Timer(LONGEST, os.kill, (pid, signal.SIGKILL))
    timer.start()
    status = os.waitpid(pid, 0)[1]
    timer.cancel()
    sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
    sys.stdout.flush()
