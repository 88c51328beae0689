"""Growing a network by one sub-module, in a training loop of one's own."""

from __future__ import annotations

from typing import Any

from torch import nn

from autogrow.config.pydantic_errors import validated
from autogrow.config.spec import AutogrowSpec
from autogrow.errors import UserError, shown
from autogrow.networks.contract import check_network
from autogrow.networks.growable import depth_of, stack_sub_module
from autogrow.networks.initializer_names import INITIALIZERS
from autogrow.networks.initializers import initialize
from autogrow.seeds import derive


def grow_sub_module(
    network: nn.Module,
    i: int,
    optimizer: Any = None,
    *,
    initializer: str = "GauInit",
    seed: int = 0,
) -> nn.Module:
    """Stack a new sub-module, initialized, on sub-network i (Algorithm 1, line 12), and return it.

    Everything else stays as it is: parameters, and what the optimizer remembers of them. The new
    parameters join the groups of the optimizer that have the parameters of the sub-module below.

    Parameters
    ----------
    network
        One that keeps the contract of :class:`autogrow.Growable`; it is grown in place.
    i
        The sub-network, from 0, as ``Event.sub_network`` says.
    optimizer
        One of torch, or one that has ``param_groups`` and ``state`` as torch's have; None: none.
    initializer
        ``GauInit``, ``UniInit`` or ``ZeroInit``, of the last normalisation (section 2.2), or
        another one's name. AdamInit is a training of its own; :func:`autogrow.grow` carries it out.
    seed
        With the place of the sub-module it fixes all random numbers.

    Raises
    ------
    UserError
        If the network cannot be grown, or there is no such sub-network or initializer.

    Examples
    --------
    >>> import torch
    >>> import autogrow
    >>> network = autogrow.build_network("Basic3ResNet-1-1-1", image_channels=1, classes=10)
    >>> optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    >>> block = autogrow.grow_sub_module(network, 1, optimizer)
    >>> autogrow.depth_of(network)
    (1, 2, 1)
    """
    check_network(network)
    growing: Any = network
    depth = depth_of(growing)
    if not 0 <= i < len(depth):
        raise UserError(f"i: found {shown(i)}; allowed: 0 to {len(depth) - 1}, a sub-network")
    chosen = {"network": "Basic3ResNet", "data": "digits", "initializer": initializer}
    validated(AutogrowSpec, chosen, "grow_sub_module")
    if INITIALIZERS.find(initializer).adam:
        raise UserError(
            f"initializer: found {shown(initializer)}; allowed: one that needs no training, as "
            "GauInit, UniInit or ZeroInit"
        )
    if optimizer is not None and not hasattr(optimizer, "param_groups"):
        raise UserError(f"optimizer: found {shown(optimizer)}; allowed: an optimizer of torch")
    place = (i, depth[i])
    new_seed = derive(seed, "new sub-module", *place)
    sub_module = stack_sub_module(growing, i, seed=new_seed, optimizer=optimizer)
    noise, below = derive(seed, "initializer", *place), growing.sub_networks[i][-2]
    initialize(sub_module, initializer, seed=noise, below=below)
    return sub_module
