"""Regional compilation: sub-modules are compiled, not the network.

Equal sub-modules share one compiled function, so growing another equal one
compiles nothing; compiling the whole network would start again at each growth.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from autogrow.networks.growable import Growable


def compile_sub_modules(network: Growable, backend: str | Callable[..., Any] = "inductor") -> None:
    """Compile each sub-module of a network when it is first used, in place.

    Growth must give each later sub-module to :func:`compile_sub_module`. ``backend`` is
    that of ``torch.compile``.
    """
    for sub_network in network.sub_networks:
        for sub_module in sub_network:
            compile_sub_module(sub_module, backend)


def compile_sub_module(
    sub_module: nn.Module, backend: str | Callable[..., Any] = "inductor"
) -> None:
    """Compile one sub-module when it is first used, in place."""
    import torch._dynamo

    # The shapes, strides and modes of one network are more than the default limit, 8, beyond
    # which nothing is compiled.
    torch._dynamo.config.recompile_limit = 64
    sub_module.compile(backend=backend)
