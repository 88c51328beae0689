"""The twin of a network that is about to grow: what judges whether the growth was worth it."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from autogrow.growth.algorithm import Depth
from autogrow.networks.growable import GrowableModule, depth_of
from autogrow.training.optimizer import Optimizer


@dataclass
class Twin:
    """A network that stays as it was when another one grew, and its optimizer."""

    network: GrowableModule
    optimizer: Optimizer


def twin_of(network: GrowableModule, optimizer: Optimizer) -> Twin:
    """Return a copy of a network, with an optimizer of the copy's parameters."""
    optimizer.zero_grad()
    return Twin(*copy.deepcopy((network, optimizer)))


def cut_back(network: GrowableModule, depth: Depth, optimizer: Optimizer | None = None) -> None:
    """Remove what was stacked on a network beyond a depth, also from its optimizer."""
    gone = set()
    for sub_network, then in zip(network.sub_networks, depth, strict=True):
        gone |= {id(p) for sub_module in sub_network[then:] for p in sub_module.parameters()}
        del sub_network[then:]
    assert depth_of(network) == depth
    if isinstance(network, GrowableModule):
        network.grown()
    if optimizer is None:
        return
    for group in optimizer.param_groups:
        for parameter in [p for p in group["params"] if id(p) in gone]:
            optimizer.state.pop(parameter, None)
        group["params"] = [p for p in group["params"] if id(p) not in gone]


def take_over(network: GrowableModule, optimizer: Optimizer, twin: Twin) -> None:
    """Undo a network's growth: it becomes what its twin is, in place."""
    cut_back(network, depth_of(twin.network), optimizer)
    network.load_state_dict(twin.network.state_dict())
    for group, there in zip(optimizer.param_groups, twin.optimizer.param_groups, strict=True):
        group |= {key: value for key, value in there.items() if key != "params"}
        for parameter, other in zip(group["params"], there["params"], strict=True):
            optimizer.state.pop(parameter, None)
            if other in twin.optimizer.state:
                optimizer.state[parameter] = twin.optimizer.state[other]
