"""The cost of one growth at two depths: it must not rise with the network's depth."""

from __future__ import annotations

import statistics
import time

import torch
from torch import Tensor

from autogrow.networks.growable import build_network, stack_sub_module
from autogrow.networks.initializers import initialize
from autogrow.networks.names import ARCHITECTURES, NetworkName
from autogrow.training.epoch import train_epoch
from autogrow.training.optimizer import SGD

DEPTHS = (5, 80)
USUAL = 3
"""Usual steps that the first step after a growth is compared with."""


def growth_seconds(depth: int, growths: int) -> list[float]:
    """Return the CPU seconds of each of several growths of Basic3ResNet.

    A growth is to stack, initialize and register, and the first step after it less a usual
    step of the grown network. The sub-module is taken off again, so that all growths are
    of one depth. CPU time of one thread counts: a step of the deep network takes a hundred
    times as long as a growth, and waiting for others would hide it.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    name = NetworkName(ARCHITECTURES["Basic3ResNet"], (depth,) * 3)
    network = build_network(name, image_channels=1, classes=10, width=8)
    network.to(memory_format=torch.channels_last)
    optimizer = SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    images = torch.randn(4, 1, 8, 8).contiguous(memory_format=torch.channels_last)
    batch = (images, torch.zeros(4, dtype=torch.long))
    costs = []
    for growth in range(growths + 1):
        i = growth % 3
        start = time.process_time()
        sub_module = stack_sub_module(network, i, seed=growth, optimizer=optimizer)
        initialize(sub_module, "GauInit", seed=growth)
        stacked = time.process_time() - start
        first, *usual = (_step(network, optimizer, batch) for _ in range(1 + USUAL))
        costs.append(stacked + first - statistics.median(usual))
        del network.sub_networks[i][-1]
        new = {id(p) for p in sub_module.parameters()}
        [group] = optimizer.param_groups
        group["params"] = [p for p in group["params"] if id(p) not in new]
    torch.set_num_threads(threads)
    return costs[1:]


def _step(network: torch.nn.Module, optimizer: SGD, batch: tuple[Tensor, Tensor]) -> float:
    start = time.process_time()
    train_epoch(network, optimizer, [batch])
    return time.process_time() - start
