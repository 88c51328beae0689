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

FACTORY = (
    "allowed: a function of parameters that returns a torch optimizer, as "
    "functools.partial(torch.optim.AdamW, lr=0.001)"
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
