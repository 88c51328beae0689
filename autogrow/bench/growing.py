"""The cost of one growth at two depths: it must not rise with the network's depth."""

from __future__ import annotations

import time

import torch
from torch import Tensor

from autogrow.engine import train_epoch
from autogrow.initializers import initialize
from autogrow.names import ARCHITECTURES, NetworkName
from autogrow.networks import build_network, stack_sub_module
from autogrow.optimizer import SGD

DEPTHS = (5, 80)


def growth_seconds(depth: int, growths: int) -> list[float]:
    """Return the cost of each of several growths of Basic3ResNet on 8x8 images.

    Stack, initialize, register, and the first step after it less a usual step.

    Parameters
    ----------
    depth
        Sub-modules in each sub-network before the first growth.
    growths
        How many growths.
    """
    name = NetworkName(ARCHITECTURES["Basic3ResNet"], (depth,) * 3)
    network = build_network(name, image_channels=1, classes=10, width=8)
    network.to(memory_format=torch.channels_last)
    optimizer = SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    images = torch.randn(32, 1, 8, 8).contiguous(memory_format=torch.channels_last)
    batch = (images, torch.zeros(32, dtype=torch.long))
    costs = []
    for growth in range(growths + 1):
        usual = min(_step(network, optimizer, batch) for _ in range(3))
        start = time.perf_counter()
        sub_module = stack_sub_module(network, growth % 3, seed=growth, optimizer=optimizer)
        initialize(sub_module, "GauInit", seed=growth)
        stacked = time.perf_counter() - start
        costs.append(stacked + _step(network, optimizer, batch) - usual)
    return costs[1:]


def _step(network: torch.nn.Module, optimizer: SGD, batch: tuple[Tensor, Tensor]) -> float:
    start = time.perf_counter()
    train_epoch(network, optimizer, [batch])
    return time.perf_counter() - start
