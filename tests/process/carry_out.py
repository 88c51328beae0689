"""What each process of a test does: a run, then its own weights into a file.

torchrun ... carry_out.py SPEC.yaml RUN WEIGHTS [--no-bn-noise]
    [--at MODULE FUNCTION N SIGNAL RANK]   sent by that process before its N-th call; or "short"
"""

import argparse
import os
import signal
import sys
from importlib import import_module
from itertools import count

import torch
from safetensors.torch import save_file

from autogrow.cli.main import main
from autogrow.runs.run import _Run

parser = argparse.ArgumentParser()
parser.add_argument("spec")
parser.add_argument("run")
parser.add_argument("weights")
parser.add_argument("--no-bn-noise", action="store_true")
parser.add_argument("--at", nargs=5)
options = parser.parse_args()
rank = os.environ.get("RANK", "0")

if options.no_bn_noise:  # BN as in evaluation: each image's gradient is its own
    torch.nn.BatchNorm2d.train = lambda self, mode=True: torch.nn.Module.train(self, False)


def hook(module, function, number, what):
    """Send a signal before the N-th call of a function, or let it be short of memory."""
    holder, (*path, name), calls = import_module(module), function.split("."), count(1)
    for part in path:
        holder = getattr(holder, part)
    original = getattr(holder, name)

    def hooked(*arguments, **more):
        if next(calls) == int(number):
            if what == "short":
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
            os.kill(os.getpid(), signal.Signals[what])
        return original(*arguments, **more)

    setattr(holder, name, hooked)


if options.at and options.at[-1] == rank:
    hook(*options.at[:-1])

finish = _Run.finish


def finish_and_keep(self, *data):
    summary = finish(self, *data)
    weights = {k: t.contiguous() for k, t in self.trainer.state.network.state_dict().items()}
    save_file(weights, f"{options.weights}-{rank}")
    return summary


_Run.finish = finish_and_keep
how = ["--device", "cpu", "--threads", "1", "--quiet"]
sys.exit(main(["run", options.spec, "--out", options.run, *how]))
