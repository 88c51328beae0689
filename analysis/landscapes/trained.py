"""The final network of a run and the images it was trained on, on the device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from analysis.landscapes.finished import FinishedRun
from autogrow.batches.from_files import StreamedSet
from autogrow.batches.in_memory import DeviceSet
from autogrow.batches.sets import load_prepared, make_sets
from autogrow.errors import UserError, shown
from autogrow.networks.growable import GrowableNetwork, depth_of
from autogrow.networks.names import NetworkName
from autogrow.process.distributed import ALONE, World
from autogrow.runs.folder import WEIGHTS, read_network
from autogrow.seeds import derive


class ImageSample:
    """Images drawn from a set without replacement, normalised once; ``evaluate`` takes it as a set.

    They are the same ones whenever the set is the same.
    """

    def __init__(self, images: DeviceSet | StreamedSet, size: int) -> None:
        generator = torch.Generator().manual_seed(derive(0, "landscape images"))
        drawn = torch.randperm(len(images), generator=generator)[:size].sort().values
        parts = []
        start = 0
        for batch, _ in images.evaluation_batches(512):
            here = drawn[(drawn >= start) & (drawn < start + len(batch))] - start
            parts.append(batch[here.to(batch.device)])
            start += len(batch)
        self._images = torch.cat(parts).contiguous(memory_format=torch.channels_last)
        self.labels = images.labels[drawn.to(images.device)]
        self.device = images.device
        self.image_size = images.image_size

    def __len__(self) -> int:
        return len(self.labels)

    def evaluation_batches(
        self, batch_size: int, *, world: World = ALONE
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield this process's share of the images in order: (B, C, H, W), labels (B,)."""
        mine = world.share(len(self))
        yield from zip(
            self._images[mine].split(batch_size), self.labels[mine].split(batch_size), strict=True
        )


def final_network(run: FinishedRun, device: torch.device) -> GrowableNetwork:
    """Return the run's final network in evaluation mode; check that the weights are its."""
    network = read_network(run.folder / WEIGHTS)
    name = NetworkName(network.architecture, depth_of(network))
    wanted = run.summary.network
    if str(name) != wanted:
        raise UserError(f"{run.folder / WEIGHTS}: is a {name}; the run's network is {wanted}")
    return network.to(device, memory_format=torch.channels_last)


def training_images(
    run: FinishedRun, device: torch.device, data_root: Path | None, size: int | None
) -> DeviceSet:
    """Return the run's training images, not augmented: its subset, without those held out.

    Of more than ``size`` images, that many are drawn at random.

    Raises
    ------
    UserError
        If the data is missing or is not what the run was trained on.
    """
    spec = run.spec.model_copy(update={"repeats": 1})
    try:
        data = load_prepared(spec, data_root)
    except UserError as error:
        raise UserError(f"{run.folder}: {error}") from None
    if data.checksum != run.summary.data.checksum:
        raise UserError(
            f"{run.folder}: data {shown(spec.data)} is not what this run was trained on "
            "(its checksum differs)"
        )
    images = cast("DeviceSet | StreamedSet", make_sets(spec, data, device).train)
    sample = images if size is None or size >= len(images) else ImageSample(images, size)
    # Each of the three kinds of sets offers what evaluation asks of one.
    return cast("DeviceSet", sample)
