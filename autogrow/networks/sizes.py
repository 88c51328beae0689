"""What growth makes of a network's size: parameters and FLOPs of any depth, as plain numbers."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from autogrow.networks.flops import flops_of
from autogrow.networks.growable import GrowableModule, depth_of


class Size(NamedTuple):
    """Parameters, and FLOPs of one image's forward pass (a FLOP is one multiply-add)."""

    parameters: int
    flops: int


@dataclass(frozen=True)
class Sizes:
    """The sizes that a network can grow to.

    Attributes
    ----------
    depth, size
        Depth and size of the network itself.
    each
        What one more sub-module of each sub-network adds: those that are stacked on one
        sub-network are equal.
    """

    depth: tuple[int, ...]
    size: Size
    each: Sequence[Size]

    def at(self, depth: tuple[int, ...]) -> Size:
        """Return the size at a depth."""
        more = [d - known for d, known in zip(depth, self.depth, strict=True)]
        parameters, flops = (
            own + sum(m * one for m, one in zip(more, ones, strict=True))
            for own, ones in zip(self.size, zip(*self.each, strict=True), strict=True)
        )
        return Size(parameters, flops)


def sizes_of_growth(network: GrowableModule, image: Tensor) -> Sizes:
    """Return the sizes that a network can grow to.

    Nothing is computed, and no memory taken: all is counted on copies on the meta device.

    Parameters
    ----------
    network
        A growable ``nn.Module``; it is left as it is.
    image
        One image (1, C, H, W) of any content, on any device.
    """
    image = image.to("meta")

    def size(grown: int | None = None) -> Size:
        counted = copy.deepcopy(network).to("meta")
        if grown is not None:
            with torch.device("meta"):
                sub_module = counted.new_sub_module(grown).to("meta")
            counted.sub_networks[grown].append(sub_module)
        parameters = sum(p.numel() for p in counted.parameters())
        return Size(parameters, flops_of(counted.eval(), image))

    before = size()
    grown = [size(i) for i in range(len(network.sub_networks))]
    each = [Size(*(b - a for a, b in zip(before, after, strict=True))) for after in grown]
    return Sizes(depth_of(network), before, each)
