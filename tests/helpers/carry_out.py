"""Runs of one or several processes that are forked where torch is loaded: 0.1 s instead of 2."""

import multiprocessing
import os
import socket
import sys
from importlib import import_module
from itertools import count

import torch
from safetensors.torch import save_file

from autogrow.cli.main import main

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["torch.distributed", "torch.nn.parallel", "autogrow.runs.run"])


def carry_out(spec, run, weights, processes, *, no_bn_noise=False, at=None):
    """Carry out a run; each process saves its weights to ``WEIGHTS-RANK``.

    ``at`` is (module, function, N, signal or "short of memory", rank): what happens to that
    process before its N-th call of a function. Return the exit statuses and all of stderr.
    """
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    errors = [f"{weights}-stderr-{rank}" for rank in range(processes)]
    started = []
    for rank in range(processes):
        place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes}
        place |= {"MASTER_ADDR": "localhost", "MASTER_PORT": port}
        hooked = at[:-1] if at and at[-1] == rank else None
        given = (place, errors[rank], spec, run, f"{weights}-{rank}", no_bn_noise, hooked)
        started.append(FORKS.Process(target=_process, args=given))
        started[-1].start()
    for process in started:
        process.join()
    told = "".join(open(file).read() for file in errors)  # noqa: PTH123, SIM115
    return [process.exitcode for process in started], told


def _process(place, errors, spec, run, weights, no_bn_noise, hooked):
    os.environ.update({name: str(value) for name, value in place.items()})
    with open(errors, "w") as file:  # noqa: PTH123
        os.dup2(file.fileno(), 2)
    os.dup2(2, 1)
    if no_bn_noise:  # BN as in evaluation: each image's gradient is its own
        torch.nn.BatchNorm2d.train = lambda self, mode=True: torch.nn.Module.train(self, False)
    if hooked:
        _hook(*hooked)
    _keep(weights)
    how = ["--device", "cpu", "--threads", "1", "--quiet"]
    sys.exit(main(["run", str(spec), "--out", str(run), *how]))


def _hook(module, function, number, what):
    holder, (*path, name), calls = import_module(module), function.split("."), count(1)
    for part in path:
        holder = getattr(holder, part)
    original = getattr(holder, name)

    def hooked(*arguments, **more):
        if next(calls) == number:
            if what == "short of memory":
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
            os.kill(os.getpid(), what)
        return original(*arguments, **more)

    setattr(holder, name, hooked)


def _keep(weights):
    from autogrow.runs.run import _Run

    finish = _Run.finish

    def finish_and_keep(self, *data):
        summary = finish(self, *data)
        state = self.trainer.state.network.state_dict()
        save_file({k: t.contiguous() for k, t in state.items()}, weights)
        return summary

    _Run.finish = finish_and_keep
