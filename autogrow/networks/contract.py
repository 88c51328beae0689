"""Checks that a network keeps the contract of :class:`autogrow.Growable`, before it is trained."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import nn

from autogrow.errors import UserError, shown
from autogrow.networks.growable import GrowableModule, seeded

CONTRACT = (
    "allowed: a torch module with sub_networks (a list of nn.Sequential) and new_sub_module(i), "
    "or autogrow.growable(module, stages=[...])"
)


def check_network(network: Any) -> GrowableModule:
    """Return a network that keeps the contract of :class:`autogrow.Growable`.

    Raises
    ------
    UserError
        If it has no sub-networks, or they are not stacks that can grow.
    """
    if not isinstance(network, nn.Module):
        raise UserError(f"network: found {shown(network)}; {CONTRACT}")
    name = type(network).__name__
    for member in ("sub_networks", "new_sub_module"):
        if not hasattr(network, member):
            raise UserError(f"network: found a {name}, which has no {member}; {CONTRACT}")
    sub_networks = list(network.sub_networks)  # type: ignore[arg-type]
    if not sub_networks:
        raise UserError(f"network: the sub_networks of {name} are empty; allowed: one or more")
    for i, sub_network in enumerate(sub_networks):
        if not isinstance(sub_network, nn.Sequential) or len(sub_network) == 0:
            raise UserError(
                f"network: sub-network {i} of {name} is {shown(sub_network)}; allowed: an "
                "nn.Sequential of one sub-module or more"
            )
    return cast(GrowableModule, network)


def check_growth(network: GrowableModule, channels: int, size: int, classes: int) -> None:
    """Check by forward passes that a network takes the images and stays what it is as it grows.

    Each sub-network is grown by one and cut back. Nothing random is drawn from the caller's state.

    Parameters
    ----------
    network
        A network that :func:`check_network` has passed.
    channels, size
        Of the images.
    classes
        How many logits the network must have.

    Raises
    ------
    UserError
        If a forward pass fails, or gives other than logits for each class.
    """
    parameter = next(network.parameters(), None)
    if parameter is None:
        raise UserError(f"network: {type(network).__name__} has no parameters; allowed: some")
    image = torch.zeros(2, channels, size, size, device=parameter.device)
    training = {module: module.training for module in network.modules()}
    try:
        _check_logits(network, image, classes, "")
        for i, sub_network in enumerate(network.sub_networks):
            with seeded(0):
                new = network.new_sub_module(i)
            if not isinstance(new, nn.Module) or new in set(network.modules()):
                raise UserError(
                    f"network: new_sub_module({i}) returned {shown(new)}; allowed: a module that "
                    "is new at each call"
                )
            sub_network.append(new.to(parameter.device))
            try:
                _check_logits(network, image, classes, f" with one more in sub-network {i}")
            finally:
                del sub_network[-1]
    finally:
        for module, mode in training.items():
            module.training = mode


def _check_logits(network: nn.Module, image: torch.Tensor, classes: int, when: str) -> None:
    try:
        with torch.no_grad():
            logits = network.eval()(image)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise UserError(
            f"network: its forward pass fails{when} for images {tuple(image.shape)}: {error}"
        ) from error
    if not isinstance(logits, torch.Tensor) or logits.ndim != 2 or len(logits) != len(image):
        found = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise UserError(f"network: its output{when} is {found}; allowed: logits (N, classes)")
    if logits.shape[1] != classes:
        raise UserError(
            f"network: it has {logits.shape[1]} logits for {classes} classes; allowed: one for each"
        )
