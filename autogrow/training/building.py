"""Builds the network of a run and its optimizer as the spec says, and grows them by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from autogrow.config.resolved import ResolvedAutogrow, ResolvedMorph, ResolvedSpec
from autogrow.data import DatasetInfo, ImageData
from autogrow.growth.algorithm import Depth
from autogrow.networks.by_name import network_by_name
from autogrow.networks.compiling import compile_sub_module, compile_sub_modules
from autogrow.networks.growable import (
    GrowableModule,
    GrowableNetwork,
    depth_of,
    seeded,
    stack_sub_module,
)
from autogrow.networks.initializers import draw_bn_weights, initialize
from autogrow.networks.names import is_library
from autogrow.seeds import derive
from autogrow.training.optimizer import SGD, Optimizer

if TYPE_CHECKING:
    from autogrow.batches.in_memory import Augmentation

GrowingSpec = ResolvedMorph | ResolvedAutogrow


def shape_of(spec: ResolvedSpec, data: ImageData | DatasetInfo) -> dict[str, Any]:
    """Return what ``network_by_name`` needs beside the network's name.

    The default shortcut is left out, so that files of weights stay as they have been.
    """
    if spec.architecture.own:
        return {}
    if is_library(spec.architecture.name):
        return {
            "image_channels": data.channels,
            "classes": data.n_classes,
            "stem": spec.stem,
            "image_size": data.image_size,
        }
    return {
        "image_channels": data.channels,
        "classes": data.n_classes,
        "stem": spec.stem,
        "width": spec.width,
        **({} if spec.shortcut == "B" else {"shortcut": spec.shortcut}),
    }


@dataclass(frozen=True)
class Given:
    """What the caller of a run gave as objects; None: the spec says what is used.

    Parameters
    ----------
    network
        At its seed depth; the run trains this object.
    optimizer
        Returns an optimizer of the parameters that it is given.
    augmentation
        As for :class:`autogrow.batches.in_memory.DeviceSet`.
    """

    network: GrowableModule | None = None
    optimizer: Callable[[Iterable[nn.Parameter]], Optimizer] | None = None
    augmentation: Augmentation | None = None


NOTHING = Given()


def build(
    spec: ResolvedSpec,
    data: ImageData,
    device: torch.device,
    *,
    given: Given = NOTHING,
    compiled: bool,
) -> GrowableModule:
    """Return the network that a run begins with, with its initial weights, on the device."""
    network = given.network or _named(spec, data)
    network.to(device).to(memory_format=torch.channels_last)
    if spec.sync_bn:
        nn.SyncBatchNorm.convert_sync_batchnorm(network)
    if compiled:
        compile_sub_modules(network)
    return network


def _named(spec: ResolvedSpec, data: ImageData) -> GrowableModule:
    with seeded(derive(spec.seed, "initial weights")):
        network = network_by_name(spec.first_network, **shape_of(spec, data))
    if spec.pretrained:
        _load_pretrained(spec, network)
    if isinstance(network, GrowableNetwork):
        _draw_bn_weights(spec, network.stem)
    for i, sub_network in enumerate(network.sub_networks):
        for j, sub_module in enumerate(sub_network):
            _draw_bn_weights(spec, sub_module, i, j)
    return network


def _load_pretrained(spec: ResolvedSpec, network: GrowableModule) -> None:
    from autogrow.networks.library_network import LibraryNetwork
    from autogrow.networks.pretrained import load_pretrained

    assert isinstance(network, LibraryNetwork)  # other networks were refused
    load_pretrained(network, Path(spec.pretrained))


def _draw_bn_weights(spec: ResolvedSpec, module: nn.Module, *place: int) -> None:
    """Draw weights of new BNs if the spec says so; not with ImageNet's stem, as released."""
    if spec.bn_weights == "uniform" and spec.stem == "small":
        draw_bn_weights(module, seed=derive(spec.seed, "BN weights", *place))


def new_optimizer(spec: ResolvedSpec, network: nn.Module, given: Given = NOTHING) -> Optimizer:
    """Return an optimizer of all parameters that has not taken a step."""
    if given.optimizer is not None:
        return given.optimizer(network.parameters())
    return SGD(
        network.parameters(),
        lr=spec.learning_rate,
        momentum=spec.momentum,
        weight_decay=spec.weight_decay,
    )


def stack_one(
    spec: GrowingSpec, network: GrowableModule, i: int, optimizer: Optimizer, *, compiled: bool
) -> None:
    """Stack a sub-module, initialized as the spec says, on sub-network i.

    The new sub-module's random numbers depend on the run's seed and its place alone.
    AdamInit, if the spec asks for it, follows later.
    """
    place = (i, depth_of(network)[i])
    seed = derive(spec.seed, "new sub-module", *place)
    sub_module = stack_sub_module(network, i, seed=seed, optimizer=optimizer)
    _draw_bn_weights(spec, sub_module, *place)
    noise = derive(spec.seed, "initializer", *place)
    below = network.sub_networks[i][-2]
    uniform = spec.uniform_noise
    initialize(sub_module, spec.initializer, seed=noise, below=below, uniform_noise=uniform)
    if spec.sync_bn:
        nn.SyncBatchNorm.convert_sync_batchnorm(sub_module)
    if compiled:
        compile_sub_module(sub_module)


def grow_to(
    depth: Depth,
    spec: GrowingSpec,
    network: GrowableModule,
    optimizer: Optimizer,
    *,
    compiled: bool,
) -> None:
    """Stack sub-modules, as :func:`stack_one` does, until the network has a depth."""
    for i, (now, then) in enumerate(zip(depth_of(network), depth, strict=True)):
        for _ in range(then - now):
            stack_one(spec, network, i, optimizer, compiled=compiled)
