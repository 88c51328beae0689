"""SGD with momentum, as torch.optim.SGD, without its second of imports.

Constructing any torch.optim optimizer imports PyTorch's compiler, about a
second of a short job's time; a sweep has hundreds of short jobs. The arithmetic
is torch.optim's own fused function, so the results are the same to the bit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd


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
        self.param_groups: list[dict[str, Any]] = [
            {
                "params": list(parameters),
                "lr": lr,
                "momentum": momentum,
                "weight_decay": weight_decay,
            }
        ]
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
            buffers = [self._momentum_buffer(p) for p in parameters]
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

    def _momentum_buffer(self, parameter: nn.Parameter) -> Tensor:
        """Return its momentum; zero before its first step, which then is its gradient."""
        state = self.state.setdefault(parameter, {})
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        return state["momentum_buffer"]


class Optimizer(Protocol):
    """What training an epoch needs of an optimizer: torch.optim's or :class:`SGD`."""

    def zero_grad(self) -> None:
        """Forget the gradients."""

    def step(self) -> None:
        """Update the parameters."""
