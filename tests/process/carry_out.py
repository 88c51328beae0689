"""What each process of a test does: a run, then its own weights into a file.

torchrun ... carry_out.py SPEC.yaml RUN WEIGHTS [--no-bn-noise] [--die-in EPOCH RANK] ...
"""

import argparse
import os
import signal
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from autogrow.cli.main import main
from autogrow.runs.run import run as runs
from autogrow.training import epoch as engine
from autogrow.training.trainer import Trainer

parser = argparse.ArgumentParser()
parser.add_argument("spec", type=Path)
parser.add_argument("run", type=Path)
parser.add_argument("weights", type=Path)
parser.add_argument("--no-bn-noise", action="store_true")
parser.add_argument("--die-in", type=int, nargs=2)
parser.add_argument("--stop-in", type=int, nargs=2)
parser.add_argument("--short-in", type=int, nargs=2)
options = parser.parse_args()
rank = int(os.environ.get("RANK", "0"))

if options.no_bn_noise:  # BN as in evaluation: each image's gradient is its own
    torch.nn.BatchNorm2d.train = lambda self, mode=True: torch.nn.Module.train(self, False)

finish, train = runs._Run.finish, Trainer.train


def finish_and_keep(self, *data):
    summary = finish(self, *data)
    weights = {k: t.contiguous() for k, t in self.trainer.network.state_dict().items()}
    save_file(weights, f"{options.weights}-{rank}")
    return summary


def train_or_die(self, *arguments):
    if options.die_in == [self.trained + 1, rank]:
        os.kill(os.getpid(), signal.SIGKILL)
    epoch.clear()
    epoch.append(self.trained + 1)
    return train(self, *arguments)


epoch = []
logits = engine._logits


def logits_and_more(network, *arguments):
    """In the first step of an epoch, in one process: a signal, or no memory."""
    if network.training and [*epoch, rank] == options.stop_in:
        options.stop_in = None
        os.kill(os.getpid(), signal.SIGTERM)
    if network.training and [*epoch, rank] == options.short_in:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
    return logits(network, *arguments)


engine._logits = logits_and_more


runs._Run.finish = finish_and_keep
Trainer.train = train_or_die
how = ["--device", "cpu", "--threads", "1", "--quiet"]
sys.exit(main(["run", str(options.spec), "--out", str(options.run), *how]))
