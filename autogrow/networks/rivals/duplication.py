"""Duplication: a new sub-module begins as a copy of the one below it (progressive stacking)."""

from __future__ import annotations

import torch
from torch import nn

from autogrow.networks.initializers import Initializer


class Duplication(Initializer):
    """Copy every weight and statistic of the sub-module below that has the same shape.

    Gong et al. (2019) stack copies of trained layers; Wu et al. (2024) do so block by block, and
    leave a block random where the one below changes the shape. Here, what fits is copied: of a
    sub-module that changes the shape, its later layers.
    """

    def initialize(
        self, sub_module: nn.Module, below: nn.Module | None, noise: torch.Generator
    ) -> None:
        """Copy what fits."""
        there = {} if below is None else below.state_dict()
        for name, tensor in sub_module.state_dict().items():
            if name in there and there[name].shape == tensor.shape:
                tensor.copy_(there[name])
