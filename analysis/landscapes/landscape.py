"""A network that is moved along two directions in parameter space."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from autogrow.seeds import derive
from autogrow.training.epoch import Score


class Landscape:
    """The score of a network on the plane ``parameters + x * dx + y * dy``.

    Parameters are changed in place: no network is built. Buffers (the running
    statistics of Batch Normalization) stay as they are, as Li et al. (2018) keep them.
    ``measure`` returns the score of the network as it is; ``dx`` and ``dy`` are directions
    by the name of the parameter.
    """

    def __init__(
        self,
        network: nn.Module,
        dx: Mapping[str, Tensor],
        dy: Mapping[str, Tensor],
        measure: Callable[[nn.Module], Score],
    ) -> None:
        self.network = network
        self._measure = measure
        parameters = dict(network.named_parameters())
        self._parameters = [p.detach() for p in parameters.values()]
        self._centre = [p.clone() for p in self._parameters]
        # In the parameters' own memory layout, else every move would be a strided copy.
        self._dx, self._dy = (
            [torch.empty_like(p).copy_(d[n]) for n, p in parameters.items()] for d in (dx, dy)
        )

    @contextmanager
    @torch.no_grad()
    def moved(self, x: float, y: float) -> Iterator[None]:
        """Move the network to (x, y), and on leaving back to where it was, to the bit."""
        try:
            torch._foreach_add_(self._parameters, self._dx, alpha=x)
            torch._foreach_add_(self._parameters, self._dy, alpha=y)
            yield
        finally:
            torch._foreach_copy_(self._parameters, self._centre)

    def at(self, x: float, y: float) -> Score:
        """Return the score at (x, y); loss may be infinite or NaN far out."""
        with self.moved(x, y):
            return self._measure(self.network)


def random_direction(network: nn.Module, *, seed: int, axis: str) -> dict[str, Tensor]:
    """Return a Gaussian direction in which each filter has the norm of the network's filter.

    A filter is a convolution's output channel or a linear layer's row; parameters without
    filters (biases, those of Batch Normalization) get zero (Li et al. 2018, section 4). The
    noise depends on seed, axis (``x`` or ``y``) and the parameter's name and shape alone, so
    that networks of different depths share it where they share parameters.
    """
    direction = {}
    for name, parameter in network.named_parameters():
        if parameter.dim() < 2:
            direction[name] = torch.zeros(parameter.shape)
            continue
        # Drawn on the CPU, so that every device gets the same.
        generator = torch.Generator().manual_seed(derive(seed, f"direction {axis} {name}"))
        noise = torch.randn(parameter.shape, generator=generator).double()
        dims = tuple(range(1, parameter.dim()))
        wanted, found = (
            torch.linalg.vector_norm(p, dim=dims, keepdim=True)
            for p in (parameter.detach().cpu().double(), noise)
        )
        direction[name] = (noise * (wanted / found)).float()
    return direction
