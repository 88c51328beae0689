"""Layers, parameters and FLOPs of a network.

One FLOP is one multiply-add of a convolution or linear layer, as He et al. (2016),
the paper's Figure 4 and torchvision's model table count. PyTorch's formulas count two, hence
the half. Hooks apply them: ``FlopCounterMode`` would import PyTorch's compiler, which takes a
second of every short run. It counts networks other than the paper's, whose attention
multiplies matrices outside of layers; on the meta device, where no kernel hides them.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import torch
from torch import Tensor, nn

from autogrow.networks.by_name import network_by_name
from autogrow.networks.growable import GrowableModule, GrowableNetwork, depth_of
from autogrow.networks.names import LAYERS, NetworkName, Shortcut, Stem

# Where triton cannot be imported it warns of kernels that our networks do not have.
logging.getLogger("torch.utils.flop_counter").setLevel(logging.ERROR)
_flop_counter = import_module("torch.utils.flop_counter")


@dataclass(frozen=True)
class Cost:
    """Cost of a part: ``stem``, ``sub-network i``, ``head`` or ``total``.

    Networks other than the paper's have ``other parts`` in place of stem and head. Layers are
    convolutions and linear layers, and count as in the paper, without the shortcuts'; FLOPs are
    those of one image's forward pass.
    """

    part: str
    sub_modules: int
    layers: int
    parameters: int
    flops: int


def network_costs(
    name: NetworkName,
    *,
    image_size: int,
    image_channels: int,
    classes: int,
    stem: Stem | None = None,
    width: int | None = None,
    shortcut: Shortcut = "B",
) -> list[Cost]:
    """Return the costs of stem, each sub-network, head and, last, the whole network.

    Nothing is computed or allocated: the network is built on the meta device. ``image_size`` is
    the side of the images in pixels; the rest is as for
    :func:`autogrow.networks.by_name.network_by_name`.
    """
    with torch.device("meta"):
        network = network_by_name(
            name,
            image_channels=image_channels,
            classes=classes,
            stem=stem,
            width=width,
            shortcut=shortcut,
            image_size=image_size,
        )
        image = torch.empty(1, image_channels, image_size, image_size)
    return costs_of(network.eval(), image)


def costs_of(network: GrowableModule, image: Tensor) -> list[Cost]:
    """Return the costs of a network's parts and, last, of the whole.

    The network is in evaluation mode; the image (1, C, H, W), of any content, is on its device.
    """
    if not isinstance(network, GrowableNetwork):
        return _costs_of_any(network, image)
    counts = _counted(network, image)

    def cost(part: str, module: nn.Module, sub_modules: int, layers: int) -> Cost:
        parameters = sum(p.numel() for p in module.parameters())
        flops = sum(counts.get(layer, 0) for layer in module.modules()) // 2
        return Cost(part, sub_modules, layers, parameters, flops)

    depth = depth_of(network)
    per_sub_module = LAYERS[network.architecture.block]
    return [
        cost("stem", network.stem, 0, 1),
        *(
            cost(f"sub-network {i}", network.sub_networks[i], d, d * per_sub_module)
            for i, d in enumerate(depth)
        ),
        cost("head", network.head, 0, 1),
        cost("total", network, sum(depth), network.layers),
    ]


def _costs_of_any(network: GrowableModule, image: Tensor) -> list[Cost]:
    """Return the costs of sub-networks, of all other parts and, last, of the whole."""
    total, each = _counted_of_any(network, image)
    known = getattr(network, "layers_each", None)

    def layers_of(stage: nn.Sequential) -> int:
        return _layers(stage) if known is None else known * len(stage)

    inside = [
        Cost(f"sub-network {i}", len(stage), layers_of(stage), _parameters(stage), sum(flops))
        for i, (stage, flops) in enumerate(zip(network.sub_networks, each, strict=True))
    ]
    counted = sum(_layers(stage) for stage in network.sub_networks)

    def outside(whole: int, key: str) -> int:
        return whole - sum(getattr(cost, key) for cost in inside)

    others = _layers(network) - counted
    layers, parameters = others + sum(c.layers for c in inside), _parameters(network)
    sub_modules = sum(depth_of(network))
    return [
        *inside,
        Cost("other parts", 0, others, outside(parameters, "parameters"), outside(total, "flops")),
        Cost("total", sub_modules, layers, parameters, total),
    ]


def _parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def _layers(module: nn.Module) -> int:
    """Return the number of convolutions and linear layers; those of blocks' shortcuts are none.

    Libraries call a shortcut ``downsample`` or ``shortcut``.
    """
    shortcuts = {
        part
        for sequential in module.modules()
        if isinstance(sequential, nn.Sequential)
        for block in sequential
        for name, shortcut in block.named_children()
        if name in ("downsample", "shortcut")
        for part in shortcut.modules()
    }
    layers = (m for m in module.modules() if isinstance(m, nn.Conv2d | nn.Linear))
    return sum(layer not in shortcuts for layer in layers)


def _counted_of_any(network: GrowableModule, image: Tensor) -> tuple[int, list[list[int]]]:
    """Return the multiply-adds of a network and of each sub-module in its sub-networks."""
    names = {module: name for name, module in network.named_modules()}
    places = [
        [names[sub_module] for sub_module in sub_network] for sub_network in network.sub_networks
    ]
    abstract = copy.deepcopy(network).to("meta").eval()
    with _flop_counter.FlopCounterMode(display=False) as counter, torch.no_grad():
        abstract(image.to("meta"))
    root, counts = type(network).__name__, counter.get_flop_counts()

    def count(place: str) -> int:
        return sum(counts.get(place, {}).values()) // 2

    return count(root), [[count(f"{root}.{p}") for p in stage] for stage in places]


def flops_of(network: GrowableModule, image: Tensor) -> int:
    """Return the multiply-adds of one image's forward pass; the arguments are as for the costs."""
    return costs_of(network, image)[-1].flops


def flops_by_depth(network: GrowableModule, image: Tensor) -> Callable[[tuple[int, ...]], int]:
    """Return a function that tells what each depth up to a network's own costs.

    The arguments are as for :func:`costs_of`; it counts multiply-adds of one image's forward pass.
    """
    if isinstance(network, GrowableNetwork):
        counts = _counted(network, image)

        def cost(module: nn.Module) -> int:
            return sum(counts.get(layer, 0) for layer in module.modules()) // 2

        ends = cost(network.stem) + cost(network.head)
        each = [
            [cost(sub_module) for sub_module in sub_network] for sub_network in network.sub_networks
        ]
    else:
        total, each = _counted_of_any(network, image)
        ends = total - sum(map(sum, each))
    return lambda depth: ends + sum(sum(s[:d]) for s, d in zip(each, depth, strict=True))


def _counted(network: nn.Module, image: Tensor) -> dict[nn.Module, int]:
    """Return twice the multiply-adds of each convolution and linear layer."""
    counts: dict[nn.Module, int] = {}

    def count(layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        [x] = inputs
        if isinstance(layer, nn.Conv2d):
            counts[layer] = _flop_counter.conv_flop_count(
                [*x.shape], [*layer.weight.shape], [*output.shape]
            )
        elif isinstance(layer, nn.Linear):
            counts[layer] = _flop_counter.addmm_flop(
                layer.bias.shape, x.shape, layer.weight.t().shape
            )

    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_hook(count) for layer in layers]
    with torch.enable_grad():  # without, BN is folded and its convolution not called as a layer
        network(image)
    for handle in handles:
        handle.remove()
    return counts
