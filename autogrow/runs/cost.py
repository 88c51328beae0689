"""What training computed, in multiply-adds, from a run's record of epochs. Pure: no torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from autogrow.growth.algorithm import Depth
from autogrow.networks.names import Architecture, parse_depth

if TYPE_CHECKING:
    from autogrow.training.metrics import Epoch, Phase

PASSES = 3
"""Cost of a training step in forward passes: a backward pass has two products for each of one."""


def training_flops(
    epochs: Iterable[Epoch],
    architecture: Architecture,
    images: int,
    forward: Callable[[Depth], int],
) -> Mapping[Phase, int]:
    """Return the multiply-adds of training in each phase; evaluation is not counted.

    An epoch costs three times (forward and backward) the multiply-adds of a forward pass at its
    depth, for each training image. AdamInit's epochs count as whole ones, although only the new
    sub-modules learn in them.

    Parameters
    ----------
    epochs
        All rows of metrics.csv.
    architecture
        The architecture that was trained.
    images
        Training images of an epoch.
    forward
        Multiply-adds of one image's forward pass, by depth.
    """
    spent: dict[Phase, int] = {}
    for epoch in epochs:
        cost = PASSES * images * forward(parse_depth(epoch.depth, architecture))
        spent[epoch.phase] = spent.get(epoch.phase, 0) + cost
    return spent
