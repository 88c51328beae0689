"""The bounds of a run's growth, with what the run measures to keep them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from autogrow.config.resolved import ResolvedAutogrow
from autogrow.data import ImageData
from autogrow.growth.algorithm import Depth, Event
from autogrow.growth.bounds import BoundName
from autogrow.networks.growable import stack_sub_module
from autogrow.process.distributed import World
from autogrow.runs.bounding import bounds_with_clock, bounds_without_clock, check_seed, sizes_of
from autogrow.runs.frontier import frontier_points, write_frontier
from autogrow.runs.measurements import Measurements
from autogrow.training.building import Given, build
from autogrow.training.latency import median_latency
from autogrow.training.metrics import Epoch


class RunBounds:
    """The bounds of a run's growth.

    Parameters
    ----------
    spec
        The resolved spec.
    data
        The images, as the run sees them.
    device
        Where latency is measured.
    folder
        The run's folder; what an interrupted run measured is taken from there.
    world
        The processes of the run.
    given
        What the caller of the run gave.

    Raises
    ------
    UserError
        If the seed network exceeds a bound already, or the folder's measurements are damaged.
    """

    def __init__(
        self,
        spec: ResolvedAutogrow,
        data: ImageData,
        device: torch.device,
        folder: Path,
        world: World,
        given: Given,
    ) -> None:
        self._spec = spec
        self._data = data
        self._device = device
        self._folder = folder
        self._world = world
        self._given = given
        self._elapsed = [0.0]
        self._measurements = Measurements(folder, world, self._measured)
        if spec.max_latency_ms:  # not kept yet: a seed network that is too slow leaves no folder
            self._measurements.latency(spec.first_network.depth, keep=False)
        self.all = [
            *bounds_without_clock(spec, data, given.network),
            *bounds_with_clock(spec, self.latency, self._elapsed),
        ]
        check_seed(spec, self.all)

    def keep(self) -> None:
        """Write down what was measured of the seed network, so that it is not measured again."""
        if self._spec.max_latency_ms:
            self._measurements.write()

    def latency(self, depth: Depth) -> float:
        """Return the milliseconds of a forward pass at a depth; each is measured once."""
        return self._measurements.latency(depth)

    def take_in(self, epochs: Sequence[Epoch], number: int) -> None:
        """Take in how long an epoch of growing took, with its twin, and AdamInit before it."""
        if self._spec.max_hours:
            before = (("growing", number), ("twin", number), ("adaminit", number - 1))
            seconds = sum(e.seconds for e in epochs if (e.phase, e.epoch) in before)
            self._elapsed.append(self._measurements.elapsed(number, self._elapsed[-1] + seconds))

    def finish(self, epochs: Sequence[Epoch]) -> None:
        """Write what the depths that growing passed cost and gave, if the spec asks for it."""
        spec = self._spec
        if spec.frontier:
            sizes = sizes_of(spec, self._data, self._given.network)
            points = frontier_points(epochs, spec.architecture, sizes.at, self.latency)
            if self._world.first:
                title = f"{spec.network} growing on {spec.data}"
                write_frontier(self._folder, title, spec.latency_batch, points)

    def told(self, event: Event) -> str | None:
        """Return what a run's log says of a sub-network that a bound has stopped."""
        name = bound_of(event)
        if name is None:
            return None
        bound = getattr(self._spec, name)
        where = f"epoch {event.epoch}: sub-network {event.sub_network}"
        if name == "max_depth":
            return f"{where} has grown to max_depth ({bound})"
        return f"{where} grows no more, or {name} ({bound:,}) would be passed"

    def _measured(self, depth: Depth) -> float:
        spec, data = self._spec, self._data
        given = replace(self._given, network=copy.deepcopy(self._given.network))
        network = build(spec, data, self._device, given=given, compiled=False)
        for i, then in enumerate(depth):  # a caller's network may be deeper by now
            del network.sub_networks[i][then:]
            while len(network.sub_networks[i]) < then:
                stack_sub_module(network, i, seed=0)
        shape = (spec.latency_batch, data.channels, data.image_size, data.image_size)
        images = torch.zeros(shape, device=self._device)
        images = images.contiguous(memory_format=torch.channels_last)
        return median_latency(network, images, spec.precision)


def bound_of(event: Event) -> BoundName | str | None:
    """Return the setting of the bound that has stopped a sub-network; None of other events."""
    if event.event == "cap":
        return "max_depth"
    return event.event if event.event.startswith("max_") else None


def bounded(events: Sequence[Event]) -> dict[str, list[int]]:
    """Return the sub-networks that each bound has stopped."""
    stopped: dict[str, list[int]] = {}
    for event in events:
        name = bound_of(event)
        if name is not None and event.sub_network is not None:
            stopped.setdefault(name, []).append(event.sub_network)
    return stopped
