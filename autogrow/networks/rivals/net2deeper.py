"""Net2DeeperNet: a new sub-module begins as the identity (Chen et al., ICLR 2016)."""

from __future__ import annotations

import torch
from torch import nn

from autogrow.errors import UserError
from autogrow.networks.initializers import Initializer, last_norms, parameters_of


class Net2DeeperNet(Initializer):
    """Identity convolutions without a shortcut, and a residual branch of zeros with one.

    A plain sub-module (convolution, Batch Normalization, ReLU) gets the identity kernel, and its
    Batch Normalization the weight 1 and the bias 0. What comes in is not negative, so ReLU changes
    nothing; in training, Batch Normalization still brings each channel to mean 0 and variance 1.
    The paper sets weight and bias to the statistics of what comes in to undo that, which a new
    sub-module does not know before it has seen images: see docs/methods.md. A residual sub-module
    has its shortcut as the identity, and the last normalisation of its branch is zero.
    """

    def initialize(
        self, sub_module: nn.Module, below: nn.Module | None, noise: torch.Generator
    ) -> None:
        """Set the weights."""
        norms = last_norms(sub_module)
        if norms:
            for parameter in parameters_of(norms):
                parameter.zero_()
            return
        for module in sub_module.modules():
            if isinstance(module, nn.Conv2d):
                if module.in_channels != module.out_channels or module.groups != 1:
                    raise UserError(
                        "initializer: Net2DeeperNet found a convolution from "
                        f"{module.in_channels} to {module.out_channels} channels in "
                        f"{module.groups} groups; allowed: as many out as in, in one group"
                    )
                nn.init.dirac_(module.weight)
                if module.bias is not None:
                    module.bias.zero_()
