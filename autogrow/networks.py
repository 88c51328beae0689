"""Growable networks (paper section 2.1), and the contract that makes one growable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from autogrow.names import LAYERS, Architecture, NetworkName, Stem
from autogrow.optimizer import SGD

BOTTLENECK_EXPANSION = 4


@runtime_checkable
class Growable(Protocol):
    """What growth, initializers and checkpoints know of a network, and all they know.

    Any ``nn.Module`` with these two members can be grown. A residual sub-module
    says which Batch Normalization is its last by an attribute ``last_bn``, which
    the initializers treat specially; one without it is a plain sub-module.
    """

    @property
    def sub_networks(self) -> Sequence[nn.Sequential]:
        """The sub-networks in order, each a stack of its sub-modules."""

    def new_sub_module(self, i: int) -> nn.Module:
        """Return a new sub-module, default-initialized, that fits on top of sub-network i."""


def depth_of(network: Growable) -> tuple[int, ...]:
    """Return the number of sub-modules in each sub-network."""
    return tuple(len(sub_network) for sub_network in network.sub_networks)


def _conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


class Shortcut(nn.Module):
    """1x1 convolution + BN where the residual block changes the shape."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv, self.bn = _conv_bn(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        return self.bn(self.conv(x))


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return Shortcut(inputs, outputs, stride)


class BasicBlock(nn.Module):
    """Residual sub-module of two 3x3 convolutions (He et al. 2016)."""

    expansion = 1

    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv_bn(inputs, channels, 3, stride)
        self.conv2, self.bn2 = _conv_bn(channels, channels, 3)
        self.shortcut = _shortcut(inputs, channels, stride)

    @property
    def last_bn(self) -> nn.BatchNorm2d:
        """The Batch Normalization before the addition."""
        return self.bn2

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, channels, H / stride, W / stride)."""
        out = self.bn1(self.conv1(x)).relu_()
        out = self.bn2(self.conv2(out))
        # In place: neither BN nor the addition needs this output for its gradient.
        return out.add_(self.shortcut(x)).relu_()


class BottleneckBlock(nn.Module):
    """Residual sub-module of 1x1, 3x3 and 1x1 convolutions; the stride is on the 3x3."""

    expansion = BOTTLENECK_EXPANSION

    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        outputs = channels * self.expansion
        self.conv1, self.bn1 = _conv_bn(inputs, channels, 1)
        self.conv2, self.bn2 = _conv_bn(channels, channels, 3, stride)
        self.conv3, self.bn3 = _conv_bn(channels, outputs, 1)
        self.shortcut = _shortcut(inputs, outputs, stride)

    @property
    def last_bn(self) -> nn.BatchNorm2d:
        """The Batch Normalization before the addition."""
        return self.bn3

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, 4 * channels, H / stride, W / stride)."""
        out = self.bn1(self.conv1(x)).relu_()
        out = self.bn2(self.conv2(out)).relu_()
        out = self.bn3(self.conv3(out))
        return out.add_(self.shortcut(x)).relu_()


class PlainLayer(nn.Module):
    """Plain sub-module: 3x3 convolution, Batch Normalization, ReLU."""

    expansion = 1

    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv, self.bn = _conv_bn(inputs, channels, 3, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, channels, H / stride, W / stride)."""
        return self.bn(self.conv(x)).relu_()


_BLOCKS = {"basic": BasicBlock, "bottleneck": BottleneckBlock, "plain": PlainLayer}


class StemLayer(nn.Module):
    """First layer: convolution, BN, ReLU, and for ImageNet a 3x3/2 max-pooling."""

    def __init__(self, image_channels: int, channels: int, stem: Stem) -> None:
        super().__init__()
        imagenet = stem == "imagenet"
        kernel, stride = (7, 2) if imagenet else (3, 1)
        self.conv, self.bn = _conv_bn(image_channels, channels, kernel, stride)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1) if imagenet else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, image_channels, H, W) to the first sub-network's input."""
        return self.pool(self.bn(self.conv(x)).relu_())


class GrowableNetwork(nn.Module):
    """A network of the paper's four families (and Bottleneck4ResNet).

    Parameters
    ----------
    architecture
        Kind of sub-module and channels of each sub-network.
    depth
        Sub-modules in each sub-network.
    image_channels, classes
        Of the data set.
    stem
        ``small`` or ``imagenet``; with ``imagenet`` the convolutions are
        initialized as torchvision's ResNets (Kaiming-normal, fan-out).
    width
        Channels of the first sub-network; the others keep their ratio to it.
    """

    def __init__(
        self,
        architecture: Architecture,
        depth: Sequence[int],
        *,
        image_channels: int,
        classes: int,
        stem: Stem,
        width: int,
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.block = _BLOCKS[architecture.block]
        self.kaiming = stem == "imagenet"
        ratios = [c // architecture.channels[0] for c in architecture.channels]
        self.channels = [width * ratio for ratio in ratios]
        self.stem = StemLayer(image_channels, width, stem)
        self.sub_networks = nn.ModuleList(
            nn.Sequential(self._first_sub_module(i)) for i in range(len(self.channels))
        )
        self.head = nn.Linear(self.channels[-1] * self.block.expansion, classes)
        if self.kaiming:
            self._kaiming_init(self)
        for i, modules in enumerate(depth):
            for _ in range(modules - 1):
                self.sub_networks[i].append(self.new_sub_module(i))

    def _first_sub_module(self, i: int) -> nn.Module:
        if i == 0:
            return self.block(self.channels[0], self.channels[0], 1)
        return self.block(self.channels[i - 1] * self.block.expansion, self.channels[i], 2)

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
    name: NetworkName,
    *,
    image_channels: int,
    classes: int,
    stem: Stem | None = None,
    width: int | None = None,
) -> GrowableNetwork:
    """Return a network built directly at the depth of its name.

    Parameters
    ----------
    name
        Architecture and depth; see :func:`autogrow.names.parse_network`.
    image_channels, classes
        Of the data set.
    stem, width
        Default: the architecture's first stem and the paper's width.
    """
    architecture = name.architecture
    return GrowableNetwork(
        architecture,
        name.depth,
        image_channels=image_channels,
        classes=classes,
        stem=stem or architecture.stems[0],
        width=width or architecture.channels[0],
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
    network: Growable, i: int, *, seed: int, optimizer: SGD | None = None
) -> nn.Module:
    """Stack a new sub-module on top of sub-network i, in place (Algorithm 1, line 12).

    Costs the new sub-module only: no other parameter, and no optimizer state of
    one, is touched or copied.

    Parameters
    ----------
    network
        The network to grow.
    i
        Sub-network to stack on, counted from 0.
    seed
        Seed of the new sub-module's initial weights.
    optimizer
        If given, the new parameters join its first parameter group.
    """
    parameters = list(network.sub_networks[i].parameters())
    with seeded(seed):
        sub_module = network.new_sub_module(i)
    # In the network's own memory layout: another one would round its sums differently.
    channels_last = any(not p.is_contiguous() for p in parameters if p.dim() == 4)
    sub_module.to(
        device=parameters[0].device,
        dtype=parameters[0].dtype,
        memory_format=torch.channels_last if channels_last else torch.contiguous_format,
    )
    sub_module.train(network.sub_networks[i].training)
    network.sub_networks[i].append(sub_module)
    if optimizer is not None:
        # Into the one group there is: a group a growth would cut the optimizer's
        # multi-tensor step into as many pieces.
        optimizer.param_groups[0]["params"].extend(sub_module.parameters())
    return sub_module
