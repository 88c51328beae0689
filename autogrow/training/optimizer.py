"""SGD with momentum, as torch.optim.SGD, without its second of imports.

Constructing any torch.optim optimizer imports PyTorch's compiler, about a second of a short
job's time; a sweep has hundreds of short jobs. The arithmetic is torch.optim's own fused
function, so the results are the same to the bit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd


class Optimizer(Protocol):
    """What training needs of an optimizer: our SGD's, and all of torch's but L-BFGS."""

    param_groups: list[dict[str, Any]]
    defaults: dict[str, Any]

    @property
    def state(self) -> Any:
        """What it remembers of each parameter."""

    def zero_grad(self) -> None:
        """Forget the gradients."""

    def step(self) -> Any:
        """Update the parameters."""


def set_rate(optimizer: Optimizer, rate: float, largest: float) -> None:
    """Set the learning rate of all groups.

    ``rate`` is that of a group which began with ``largest``; others keep their ratio to it.
    """
    for group in optimizer.param_groups:
        first = group.setdefault("initial_lr", float(group["lr"]))  # torch's schedulers' name
        group["lr"] = first / largest * rate


class SGD:
    """SGD with momentum and weight decay on one group of parameters.

    Has the parts of ``torch.optim.SGD``'s interface that growth and checkpoints
    use: ``param_groups``, ``state`` with ``momentum_buffer``, ``zero_grad``, ``step``.

    Parameters
    ----------
    parameters
        To be trained; more may join ``param_groups[0]["params"]`` later.
    lr, momentum, weight_decay
        As for ``torch.optim.SGD``.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], *, lr: float, momentum: float, weight_decay: float
    ) -> None:
        self.defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        self.param_groups: list[dict[str, Any]] = [{"params": list(parameters), **self.defaults}]
        self.state: dict[nn.Parameter, dict[str, Tensor]] = {}

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.param_groups[0]["params"]:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter that has a gradient, all in one fused kernel."""
        [group] = self.param_groups
        parameters = [p for p in group["params"] if p.grad is not None]
        buffers: list[Tensor | None] = []
        if group["momentum"]:
            for parameter in parameters:
                # Zero before the first step, after which it is the gradient.
                if parameter not in self.state:
                    self.state[parameter] = {"momentum_buffer": torch.zeros_like(parameter)}
                buffers.append(self.state[parameter]["momentum_buffer"])
        sgd(
            parameters,
            [p.grad for p in parameters],
            buffers,
            weight_decay=group["weight_decay"],
            momentum=group["momentum"],
            lr=group["lr"],
            dampening=0.0,
            nesterov=False,
            maximize=False,
            fused=True,
        )
