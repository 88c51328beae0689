"""A network: two stages of residual blocks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import autogrow


class Block(nn.Module):
    """A convolution with Batch Normalization and a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.last_bn = nn.BatchNorm2d(channels)  # what the initializers treat

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.last_bn(self.conv(x)))


class TwoStages(nn.Module):
    """Two sub-networks with a pooling between them."""

    def __init__(self, depth: tuple[int, ...], channels: int, classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, 8, 3, padding=1)
        self.sub_networks = nn.ModuleList(
            nn.Sequential(*(Block(8) for _ in range(d))) for d in depth
        )
        self.head = nn.Linear(8, classes)

    def new_sub_module(self, i: int) -> nn.Module:
        """Return a new block that fits on top of sub-network i."""
        return Block(8)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.max_pool2d(self.sub_networks[0](self.stem(x)), 2)
        return self.head(self.sub_networks[1](x).mean((2, 3)))


TWO_STAGES = autogrow.NetworkPlugin(
    sub_networks=2,
    build=lambda depth, images: TwoStages(depth, images.channels, images.classes),
    learning_rate=0.05,
    layers=1,
)
