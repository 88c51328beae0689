"""A caller's own network and optimizer: looked at before anything is trained with them."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from autogrow.errors import UserError, shown
from autogrow.networks.growable import GrowableModule, GrowableNetwork, seeded
from autogrow.networks.initializers import last_norms
from autogrow.networks.names import Architecture, own_architecture
from autogrow.networks.sub_modules import PaddedShortcut
from autogrow.training.optimizer import Optimizer

CONTRACT = (
    "allowed: a torch module with sub_networks (a list of nn.Sequential) and new_sub_module(i), "
    "or autogrow.growable(module, stages=[...])"
)
FACTORY = (
    "allowed: a function of parameters that returns a torch optimizer, as "
    "functools.partial(torch.optim.AdamW, lr=0.001)"
)


def check_network(network: Any) -> None:
    """Check that a network keeps the contract of :class:`autogrow.Growable`.

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


def architecture_of(network: GrowableModule) -> Architecture:
    """Return what a run's records call a caller's network, as ``own2:Inception``.

    A network of the paper's families has its own name; a subclass may be anything.
    """
    if type(network) is GrowableNetwork:
        return network.architecture
    name = re.sub(r"[^A-Za-z0-9_]", "_", type(network).__name__)
    return own_architecture(name, len(network.sub_networks))


def built_as(network: GrowableNetwork) -> dict[str, Any]:
    """Return the settings from which a network of the paper's families can be built again."""
    padded = any(isinstance(module, PaddedShortcut) for module in network.modules())
    return {
        "width": network.channels[0],
        "stem": "imagenet" if network.kaiming else "small",
        "shortcut": "A" if padded else "B",
    }


def structure(network: GrowableModule) -> str:
    """Return a text that differs for networks of other parameters, names or shapes."""
    lines = [f"{k} {tuple(t.shape)} {t.dtype}" for k, t in network.state_dict().items()]
    return f"sha256:{hashlib.sha256('; '.join(lines).encode()).hexdigest()}"


def residual(network: GrowableModule) -> bool:
    """Return whether new sub-modules have what the initializers treat, as residual ones do."""
    with seeded(0):
        return bool(last_norms(network.new_sub_module(0)))


def try_optimizer(factory: Any, network: GrowableModule | None) -> tuple[str, float]:
    """Return the text by which a caller's optimizer is known, and its learning rate.

    Parameters
    ----------
    factory
        As :func:`autogrow.grow` takes it.
    network
        The caller's; None: a network by its name, and the factory gets one parameter of no use.

    Raises
    ------
    UserError
        If it makes no optimizer that can train the network.
    """
    if not callable(factory) or hasattr(factory, "param_groups"):
        raise UserError(f"optimizer: found {shown(factory)}; {FACTORY}")
    own = [nn.Parameter(torch.zeros(1))] if network is None else list(network.parameters())
    try:
        optimizer = factory(iter(own))
    except (TypeError, ValueError) as error:
        raise UserError(f"optimizer: {error}; {FACTORY}") from error
    groups = getattr(optimizer, "param_groups", None)
    if not groups or not callable(getattr(optimizer, "step", None)):
        raise UserError(f"optimizer: found {shown(optimizer)}; {FACTORY}")
    _check_step(optimizer.step)
    ids = {id(p) for p in own}
    if network is not None and not all(id(p) in ids for g in groups for p in g["params"]):
        raise UserError("optimizer: it has parameters that are not the network's; " + FACTORY)
    return _text(optimizer), float(groups[0]["lr"])


def _check_step(step: Callable[..., Any]) -> None:
    closure = inspect.signature(step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise UserError(
            "optimizer: its steps need a closure, as L-BFGS's; allowed: one whose steps need none"
        )


def _text(optimizer: Optimizer) -> str:
    groups = [
        ", ".join(f"{k}={v!r}" for k, v in sorted(g.items()) if k not in ("params", "initial_lr"))
        for g in optimizer.param_groups
    ]
    return f"{type(optimizer).__name__}({'; '.join(groups)})"


def text_of(value: object) -> str:
    """Return the text by which a caller's function is known: without addresses in memory."""
    name = getattr(value, "__qualname__", None)
    return name if name is not None else re.sub(r" at 0x[0-9a-f]+", "", repr(value))
