"""The bounds of a run's growth, from its spec and its data. Imports torch only to count sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from autogrow.config.resolved import ResolvedAutogrow
from autogrow.errors import UserError
from autogrow.growth.algorithm import Depth
from autogrow.growth.bounds import Bound, BoundName, CostBound, EpochBound, TimeBound
from autogrow.runs.folder import require_finished
from autogrow.runs.measurements import MEASUREMENTS, read_measurements
from autogrow.runs.summary import SUMMARY, read_summary

if TYPE_CHECKING:
    from autogrow.data import DatasetInfo, ImageData
    from autogrow.networks.growable import GrowableModule
    from autogrow.networks.sizes import Sizes

SECONDS = 3600


def sizes_of(
    spec: ResolvedAutogrow,
    data: ImageData | DatasetInfo,
    network: GrowableModule | None = None,
) -> Sizes:
    """Return the sizes that a run's network can grow to; by default the one that the spec names."""
    import torch

    from autogrow.networks.by_name import network_by_name
    from autogrow.networks.sizes import sizes_of_growth
    from autogrow.training.building import shape_of

    with torch.device("meta"):
        image = torch.empty(1, data.channels, data.image_size, data.image_size)
        if network is None:
            network = network_by_name(spec.first_network, **shape_of(spec, data))
    return sizes_of_growth(network, image)


def bounds_without_clock(
    spec: ResolvedAutogrow,
    data: ImageData | DatasetInfo,
    network: GrowableModule | None = None,
) -> list[Bound]:
    """Return the bounds that the same growth always meets in the same epochs.

    The arguments are as for :func:`sizes_of`.
    """
    bounds: list[Bound] = []
    if spec.max_parameters or spec.max_flops:
        sizes = sizes_of(spec, data, network)
        if spec.max_parameters:
            parameters = CostBound(
                "max_parameters", spec.max_parameters, lambda depth: sizes.at(depth).parameters
            )
            bounds.append(parameters)
        if spec.max_flops:
            bounds.append(CostBound("max_flops", spec.max_flops, lambda d: sizes.at(d).flops))
    if spec.max_epochs:
        bounds.append(EpochBound(spec.max_epochs))
    return bounds


def bounds_with_clock(
    spec: ResolvedAutogrow, latency: Callable[[Depth], float], elapsed: Sequence[float]
) -> list[Bound]:
    """Return the bounds that depend on what is measured.

    Parameters
    ----------
    latency
        Tells the milliseconds of a forward pass at a depth.
    elapsed
        ``elapsed[e]``: seconds that the first e epochs of growing took.
    """
    bounds: list[Bound] = []
    if spec.max_latency_ms:
        bounds.append(CostBound("max_latency_ms", spec.max_latency_ms, latency, measured=True))
    if spec.max_hours:
        bounds.append(TimeBound(SECONDS * spec.max_hours, elapsed))
    return bounds


def bounds_of_finished(folder: Path, spec: ResolvedAutogrow) -> tuple[list[Bound], list[Bound]]:
    """Return the bounds of the finished run in a folder: those without a clock, those with one.

    Those with a clock answer from what the run has recorded.

    Raises
    ------
    UserError
        If a file of the run is damaged.
    """
    from autogrow.data import DatasetInfo

    if not any(getattr(spec, name) for name in get_args(BoundName)):
        return [], []
    if MEASUREMENTS in require_finished(folder, SUMMARY).files:
        require_finished(folder, MEASUREMENTS)
    data, measured = read_summary(folder / SUMMARY).data, read_measurements(folder)
    facts = DatasetInfo(data.name, data.image_size, data.image_channels, data.classes)
    clock = bounds_with_clock(spec, measured.latency, (0.0, *measured.seconds))
    return bounds_without_clock(spec, facts), clock


COSTS: dict[BoundName, str] = {
    "max_parameters": "has {} parameters",
    "max_flops": "has {} FLOPs",
    "max_latency_ms": "takes {} ms",
}


def check_seed(spec: ResolvedAutogrow, bounds: Sequence[Bound]) -> None:
    """Refuse a bound on the network's cost that its seed exceeds.

    Raises
    ------
    UserError
        Naming the bound, what the seed network costs, and what is allowed.
    """
    for bound in bounds:
        if isinstance(bound, CostBound):
            cost = bound.cost(spec.first_network.depth)
            if cost > bound.most:
                seed = f"{spec.first_network} {COSTS[bound.name].format(cost)}"
                raise UserError(
                    f"{bound.name}: found {bound.most}, but the seed network {seed}; allowed: "
                    f"{cost} or more (0: no bound), or a smaller seed network"
                )
