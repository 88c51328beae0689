"""Builds the network of a run and its optimizer as the spec says, and grows them by one."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from autogrow.config.resolved import ResolvedAutogrow, ResolvedMorph, ResolvedSpec
from autogrow.data import DatasetInfo, ImageData
from autogrow.networks.compiling import compile_sub_module, compile_sub_modules
from autogrow.networks.growable import (
    GrowableNetwork,
    build_network,
    depth_of,
    seeded,
    stack_sub_module,
)
from autogrow.networks.initializers import draw_bn_weights, initialize
from autogrow.networks.names import NetworkName
from autogrow.seeds import derive
from autogrow.training.optimizer import SGD

GrowingSpec = ResolvedMorph | ResolvedAutogrow


def shape_of(spec: ResolvedSpec, data: ImageData | DatasetInfo) -> dict[str, Any]:
    """Return what ``build_network`` needs beside the network's name.

    The default shortcut is left out, so that files of weights stay as they have been.
    """
    return {
        "image_channels": data.channels,
        "classes": data.n_classes,
        "stem": spec.stem,
        "width": spec.width,
        **({} if spec.shortcut == "B" else {"shortcut": spec.shortcut}),
    }


def build(
    spec: ResolvedSpec, name: NetworkName, data: ImageData, device: torch.device, *, compiled: bool
) -> GrowableNetwork:
    """Return a network with the run's initial weights, on the device."""
    with seeded(derive(spec.seed, "initial weights")):
        network = build_network(name, **shape_of(spec, data))
    _draw_bn_weights(spec, network.stem)
    for i, sub_network in enumerate(network.sub_networks):
        for j, sub_module in enumerate(sub_network):
            _draw_bn_weights(spec, sub_module, i, j)
    network.to(device).to(memory_format=torch.channels_last)
    if spec.sync_bn:
        nn.SyncBatchNorm.convert_sync_batchnorm(network)
    if compiled:
        compile_sub_modules(network)
    return network


def _draw_bn_weights(spec: ResolvedSpec, module: nn.Module, *place: int) -> None:
    """Draw weights of new BNs if the spec says so; not with ImageNet's stem, as released."""
    if spec.bn_weights == "uniform" and spec.stem == "small":
        draw_bn_weights(module, seed=derive(spec.seed, "BN weights", *place))


def new_optimizer(spec: ResolvedSpec, network: nn.Module) -> SGD:
    """Return an optimizer of all parameters that has not taken a step."""
    return SGD(
        network.parameters(),
        lr=spec.learning_rate,
        momentum=spec.momentum,
        weight_decay=spec.weight_decay,
    )


def stack_one(
    spec: GrowingSpec, network: GrowableNetwork, i: int, optimizer: SGD, *, compiled: bool
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
    initialize(sub_module, spec.initializer, seed=noise, uniform_noise=spec.uniform_noise)
    if spec.sync_bn:
        nn.SyncBatchNorm.convert_sync_batchnorm(sub_module)
    if compiled:
        compile_sub_module(sub_module)
