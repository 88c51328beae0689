"""Random directions of a loss surface, filter-wise normalised (Li et al. 2018, section 4)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from autogrow.seeds import derive


def random_direction(network: nn.Module, *, seed: int, axis: str) -> dict[str, Tensor]:
    """Return a Gaussian direction in which each filter has the norm of the network's filter.

    Biases and the parameters of Batch Normalization get zero. The noise depends on
    seed, axis and the parameter's name and shape alone, so that networks of
    different depths share it where they share parameters.

    Parameters
    ----------
    network
        The network at the centre of the surface.
    seed
        Of the surface.
    axis
        ``x`` or ``y``.
    """
    return {
        name: filter_normalised(
            _noise(parameter, derive(seed, f"direction {axis} {name}")), parameter
        )
        for name, parameter in network.named_parameters()
    }


def _noise(parameter: Tensor, seed: int) -> Tensor:
    # Drawn on the CPU, so that every device gets the same.
    return torch.randn(parameter.shape, generator=torch.Generator().manual_seed(seed))


def filter_normalised(direction: Tensor, parameter: Tensor) -> Tensor:
    """Return the direction with each filter scaled to the norm of the parameter's filter.

    A filter is a convolution's output channel, or a linear layer's row; a parameter
    without filters (a bias, one of Batch Normalization) gets zero.
    """
    if parameter.dim() < 2:
        return torch.zeros_like(direction)
    dims = tuple(range(1, parameter.dim()))
    direction = direction.double()
    wanted = torch.linalg.vector_norm(parameter.detach().cpu().double(), dim=dims, keepdim=True)
    found = torch.linalg.vector_norm(direction, dim=dims, keepdim=True)
    return (direction * (wanted / found)).float()
