"""Growable networks (paper section 2.1), and the contract that makes one growable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from autogrow.errors import UserError, shown
from autogrow.networks.names import (
    LAYERS,
    Architecture,
    NetworkName,
    Shortcut,
    Stem,
    parse_network,
)
from autogrow.networks.sub_modules import BLOCKS, StemLayer


@runtime_checkable
class Growable(Protocol):
    """All that growth, initializers and checkpoints know of a network.

    Any ``nn.Module`` with these two members can be grown;
    :func:`autogrow.networks.any_module.growable` adds them to a module that lacks them. What the
    initializers treat in a sub-module is said by its attribute ``last_bn``, a module, or None for
    a plain sub-module, or by ``last_norms``, names of its parts.

    Examples
    --------
    >>> import autogrow
    >>> network = autogrow.build_network("Plain3Net-1-2-1", image_channels=3, classes=2)
    >>> isinstance(network, autogrow.Growable)
    True
    """

    @property
    def sub_networks(self) -> Sequence[nn.Sequential]:
        """The sub-networks in order, each a stack of its sub-modules."""

    def new_sub_module(self, i: int) -> nn.Module:
        """Return a new sub-module, default-initialized, that fits on top of sub-network i."""


class ParameterGroups(Protocol):
    """What growth needs of an optimizer."""

    param_groups: list[dict[str, Any]]
    defaults: dict[str, Any]

    @property
    def state(self) -> Any:
        """What it remembers of each parameter."""


def depth_of(network: Growable) -> tuple[int, ...]:
    """Return the number of sub-modules in each sub-network.

    Examples
    --------
    >>> import autogrow
    >>> network = autogrow.build_network("Plain3Net-1-2-1", image_channels=3, classes=2)
    >>> autogrow.depth_of(network)
    (1, 2, 1)
    """
    return tuple(len(sub_network) for sub_network in network.sub_networks)


class GrowableModule(nn.Module):
    """A :class:`Growable` module, as training handles it."""

    layers_each: int
    """Layers of a sub-module where a package says them; else they are counted."""

    @property
    def library_code(self) -> str | None:
        """Python code by which timm or torchvision builds this network, if one of them can."""
        return None

    if TYPE_CHECKING:

        @property
        def sub_networks(self) -> Sequence[nn.Sequential]:
            """The sub-networks in order."""

        def new_sub_module(self, i: int) -> nn.Module:
            """Return a new sub-module that fits on top of sub-network i."""

    def grown(self) -> None:
        """Take note that a sub-module was stacked."""


class GrowableNetwork(GrowableModule):
    """A network of the paper's four families (and Bottleneck4ResNet).

    ``width`` is the number of channels of the first sub-network; the others keep their ratio to
    it. With the ``imagenet`` stem the convolutions are initialized as torchvision's ResNets
    (Kaiming-normal, fan-out).
    """

    sub_networks: Sequence[nn.Sequential]

    def __init__(
        self,
        architecture: Architecture,
        depth: Sequence[int],
        *,
        image_channels: int,
        classes: int,
        stem: Stem,
        width: int,
        shortcut: Shortcut = "B",
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.block = BLOCKS[architecture.block]
        self.kaiming = stem == "imagenet"
        ratios = [c // architecture.channels[0] for c in architecture.channels]
        self.channels = [width * ratio for ratio in ratios]
        self.stem = StemLayer(image_channels, width, stem)
        # PyTorch's annotations do not say that this is a sequence of what it was given.
        self.sub_networks = nn.ModuleList(  # type: ignore[assignment]
            nn.Sequential(first) for first in self._first_sub_modules(shortcut)
        )
        self.head = nn.Linear(self.channels[-1] * self.block.expansion, classes)
        if self.kaiming:
            self._kaiming_init(self)
        for i, modules in enumerate(depth):
            for _ in range(modules - 1):
                self.sub_networks[i].append(self.new_sub_module(i))

    def _first_sub_modules(self, shortcut: Shortcut) -> Iterator[nn.Module]:
        yield self.block(self.channels[0], self.channels[0], 1, shortcut)
        for below, channels in pairwise(self.channels):
            yield self.block(below * self.block.expansion, channels, 2, shortcut)

    def new_sub_module(self, i: int) -> nn.Module:
        """Return a new sub-module, default-initialized, that fits on top of sub-network i."""
        sub_module = self.block(self.channels[i] * self.block.expansion, self.channels[i], 1)
        if self.kaiming:
            self._kaiming_init(sub_module)
        return sub_module

    @staticmethod
    def _kaiming_init(module: nn.Module) -> None:
        for part in module.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")

    @property
    def layers(self) -> int:
        """Number of layers as the paper counts: stem, sub-modules' convolutions, head."""
        return 2 + LAYERS[self.architecture.block] * sum(depth_of(self))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, classes) of normalised images (N, channels, H, W)."""
        x = self.stem(x)
        for sub_network in self.sub_networks:
            x = sub_network(x)
        return self.head(x.mean((2, 3)))


def build_network(
    name: NetworkName | str,
    *,
    image_channels: int,
    classes: int,
    stem: Stem | None = None,
    width: int | None = None,
    shortcut: Shortcut = "B",
) -> GrowableNetwork:
    """Return a network built directly at the depth of its name.

    Parameters
    ----------
    name
        As ``Basic3ResNet-2-2-2``.
    image_channels
        1 for grey images, 3 for RGB.
    classes
        Number of logits.
    stem, width
        By default the architecture's first stem and the paper's width.
    shortcut
        Where a residual sub-module changes the shape: a 1x1 convolution + BN (``B``) or a
        zero-padded identity (``A``).

    Raises
    ------
    UserError
        If the name is no network's.

    Examples
    --------
    >>> import autogrow
    >>> network = autogrow.build_network("Basic3ResNet-2-2-2", image_channels=1, classes=10)
    >>> autogrow.depth_of(network)
    (2, 2, 2)
    """
    if isinstance(name, str):
        name = parse_network(name)
    architecture = name.architecture
    if architecture.own:
        raise UserError(
            f"network: {shown(str(name))} is somebody's own, which its name alone cannot build; "
            "allowed: what trained it, with the network itself"
        )
    return GrowableNetwork(
        architecture,
        name.depth,
        image_channels=image_channels,
        classes=classes,
        stem=stem or architecture.stems[0],
        width=width or architecture.channels[0],
        shortcut=shortcut,
    )


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw initial weights from ``seed``; the caller's random state is left as it was.

    The CPU's generator alone: weights are drawn there before they move to a device.
    """
    state = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(state)


def stack_sub_module(
    network: Growable, i: int, *, seed: int, optimizer: ParameterGroups | None = None
) -> nn.Module:
    """Stack a new sub-module on top of sub-network i, in place (Algorithm 1, line 12).

    No other parameter, and no optimizer state of one, is touched or copied.

    Parameters
    ----------
    network
        The network to grow.
    i
        Sub-network to stack on, counted from 0.
    seed
        Seed of the new sub-module's initial weights.
    optimizer
        If given, the new parameters join its groups, see :func:`join_groups`.
    """
    below = network.sub_networks[i][-1]
    parameters = list(below.parameters())
    with seeded(seed):
        sub_module = network.new_sub_module(i)
    # In the network's own memory layout: another one would round its sums differently. 1x1 and
    # depthwise convolutions are contiguous in both layouts, and differ in their strides alone.
    channels_last = any(p.stride() != _default_stride(p) for p in parameters if p.dim() == 4)
    sub_module.to(parameters[0].device, parameters[0].dtype)
    sub_module.to(memory_format=torch.channels_last if channels_last else torch.contiguous_format)
    sub_module.train(below.training)
    network.sub_networks[i].append(sub_module)
    if isinstance(network, GrowableModule):
        network.grown()
    if optimizer is not None:
        join_groups(optimizer, sub_module, below)
    return sub_module


def join_groups(optimizer: ParameterGroups, sub_module: nn.Module, below: nn.Module) -> None:
    """Add a new sub-module's parameters to an optimizer's groups, whose settings they get.

    A parameter joins the group of the one that has its name in the sub-module below; without
    one there, or if the optimizer does not train it, the first group that trains a parameter
    of the sub-module below; if there is none, the first group. An optimizer of torch that has a
    state before its first step (Adagrad) gets one for the new parameters.
    """
    # A parameter group for each growth would cut the multi-tensor step into pieces.
    groups = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    pattern = {name: groups.get(id(p)) for name, p in below.named_parameters()}
    usual = next(filter(None, pattern.values()), optimizer.param_groups[0])
    for name, parameter in sub_module.named_parameters():
        group = pattern.get(name) or usual
        group["params"].append(parameter)
        if type(optimizer).__name__ == "Adagrad":
            kind: Any = type(optimizer)
            settings = {k: v for k, v in group.items() if k in optimizer.defaults}
            optimizer.state.update(kind([parameter], **settings).state)


def _default_stride(tensor: Tensor) -> tuple[int, ...]:
    return torch.empty(tensor.shape, device="meta").stride()
