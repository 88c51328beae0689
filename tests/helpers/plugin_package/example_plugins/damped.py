"""An initializer: a new sub-module begins close to the identity, but not quite."""

from __future__ import annotations

import torch
from torch import nn

import autogrow
from autogrow.networks.initializers import last_norms, parameters_of


class Damped(autogrow.Initializer):
    """Small noise in the last normalisation of each residual branch."""

    def initialize(
        self, sub_module: nn.Module, below: nn.Module | None, noise: torch.Generator
    ) -> None:
        """Draw weights and biases of standard deviation 0.01."""
        for parameter in parameters_of(last_norms(sub_module)):
            drawn = torch.randn(parameter.shape, generator=noise)
            parameter.copy_(0.01 * drawn)
