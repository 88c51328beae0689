"""Layers, parameters and FLOPs of a network.

One FLOP is one multiply-add, as He et al. (2016), the paper's Figure 4 and
torchvision's model table count. PyTorch's counter counts two, hence the half.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from autogrow.names import LAYERS, NetworkName, Stem
from autogrow.networks import build_network, depth_of


@dataclass(frozen=True)
class Cost:
    """Cost of a network or a part of it.

    Parameters
    ----------
    part
        ``stem``, ``sub-network i``, ``head`` or ``total``.
    sub_modules, layers, parameters
        Counts; layers as the paper counts them (no shortcut convolutions).
    flops
        Multiply-adds of one image's forward pass.
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
) -> list[Cost]:
    """Return the costs of stem, each sub-network, head and, last, the whole network.

    Nothing is computed or allocated: the network is built on the meta device.

    Parameters
    ----------
    name
        The network.
    image_size
        Side of the images in pixels.
    image_channels, classes, stem, width
        As for :func:`autogrow.networks.build_network`.
    """
    with torch.device("meta"):
        network = build_network(
            name, image_channels=image_channels, classes=classes, stem=stem, width=width
        ).eval()
        image = torch.empty(1, image_channels, image_size, image_size)
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(image)
    counts = counter.get_flop_counts()
    root = type(network).__name__

    def flops(path: str) -> int:
        return sum(counts.get(f"{root}.{path}" if path else root, {}).values()) // 2

    costs = [Cost("stem", 0, 1, _parameters(network.stem), flops("stem"))]
    for i, (modules, sub_network) in enumerate(
        zip(depth_of(network), network.sub_networks, strict=True)
    ):
        layers = modules * LAYERS[name.architecture.block]
        path = f"sub_networks.{i}"
        costs.append(
            Cost(f"sub-network {i}", modules, layers, _parameters(sub_network), flops(path))
        )
    costs.append(Cost("head", 0, 1, _parameters(network.head), flops("head")))
    costs.append(Cost("total", sum(name.depth), network.layers, _parameters(network), flops("")))
    return costs


def _parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())
