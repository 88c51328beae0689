"""Batches of images that are decoded while they are used.

A :class:`StreamedSet` takes the place of a :class:`autogrow.batches.in_memory.DeviceSet`:
training batches are random resized crops, evaluation batches the central crops. Images travel
as uint8 and are normalised on the device.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from autogrow.batches.decoding import Decoded, Request, decoded
from autogrow.batches.in_memory import batch_slices, data_order, normalised, per_channel
from autogrow.data.imagenet import broken_files
from autogrow.errors import UserError
from autogrow.process.distributed import ALONE, World

if TYPE_CHECKING:
    from autogrow.data import FileSplit

CHUNK = 32
"""Images in a worker's task: the first batch comes soon, and shared memory stays small."""


def _on_stderr(message: str) -> None:
    print(message, file=sys.stderr)  # noqa: T201


class StreamedSet:
    """Images of one split in their files, with everything needed to batch them.

    Parameters
    ----------
    split
        Files and labels.
    mean, std
        Per channel, of images scaled to [0, 1].
    device
        Where batches go.
    workers
        Processes that decode; 0: this one does.
    flip
        Whether training images are mirrored at random.
    skip_damaged
        Whether batches go without images that cannot be decoded: ``skipped`` counts those of
        the last pass, and ``tell`` is called once for each.

    Raises
    ------
    UserError
        If a quick look finds broken files that are not to be skipped.
    """

    padding, may_skip = 0, True
    least = 2

    def __init__(
        self,
        split: FileSplit,
        mean: Sequence[float],
        std: Sequence[float],
        device: torch.device,
        *,
        workers: int,
        flip: bool = False,
        skip_damaged: bool = False,
    ) -> None:
        self.flip = flip
        self.skipped = 0
        self.tell: Callable[[str], None] = _on_stderr
        self.labels = torch.from_numpy(split.labels).to(device)
        self._split = split
        self._workers = workers
        self._skip_damaged = skip_damaged
        self._reported: set[str] = set()
        self._mean, self._std = per_channel(mean, device), per_channel(std, device)
        if not skip_damaged:
            for index, reason in broken_files(split):
                self._skip(str(split.path(index)), reason)

    def __len__(self) -> int:
        return len(self._split)

    @property
    def device(self) -> torch.device:
        """Where batches go."""
        return self.labels.device

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self._split.image_size, self._split.image_size

    def training_batches(
        self, batch_size: int, *, seed: int, epoch: int, start: int = 0, world: World = ALONE
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield one epoch's shuffled, augmented batches: images (B, C, H, W), labels (B,).

        Parameters are those of :meth:`autogrow.batches.in_memory.DeviceSet.training_batches`. An
        image's augmentation depends on seed, epoch and its place in the set.

        Raises
        ------
        UserError
            For a damaged image, if those are not skipped; if all of a batch are damaged.
        """
        order = data_order(len(self), seed, epoch)
        slices = batch_slices(len(self), batch_size, world, self.least)
        batches = [order[part] for part in slices[start:]]
        for images, labels in self._batches(batches, (seed, epoch)):
            if len(labels) == 0:
                raise UserError(
                    f"{self._split.folder}: found a batch of nothing but damaged images; "
                    "allowed: whole images, or larger batches"
                )
            yield images, labels

    def evaluation_batches(
        self, batch_size: int, *, world: World = ALONE
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the images in order, not augmented: images (B, C, H, W), labels (B,).

        Each process gets its share of the set: together every image once.
        """
        mine = world.share(len(self))
        batches = torch.arange(mine.start, mine.stop).split(batch_size)
        for images, labels in self._batches(batches if len(batches[0]) else ()):
            if len(labels):
                yield images, labels

    def _batches(
        self, batches: Sequence[Tensor], draw: tuple[int, int] | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        self.skipped = 0
        split = self._split

        def request(index: int) -> Request:
            own_draw = (*draw, index) if draw else None
            label = int(split.labels[index])
            return Request(str(split.path(index)), label, split.image_size, own_draw, self.flip)

        tasks = (
            [request(index) for index in chunk.tolist()]
            for batch in batches
            for chunk in batch.split(CHUNK)
        )
        # The garbage collector may end the queues to the workers before it ends the workers, and
        # then wait for them.
        pinned = self.device.type == "cuda"
        with closing(decoded(tasks, self._workers, pinned=pinned)) as results:
            for batch in batches:
                parts = list(islice(results, -(-len(batch) // CHUNK)))
                for path, reason in (bad for part in parts for bad in part.damaged):
                    self._skip(path, reason)
                yield self._on_device([part for part in parts if len(part.labels)])

    def _on_device(self, parts: Sequence[Decoded]) -> tuple[Tensor, Tensor]:
        if not parts:
            return self.labels.new_empty(0), self.labels.new_empty(0)
        images, labels = (
            torch.cat([tensor.to(self.device, non_blocking=True) for tensor in tensors])
            for tensors in ([p.images for p in parts], [p.labels for p in parts])
        )
        return normalised(images.permute(0, 3, 1, 2), self._mean, self._std), labels

    def _skip(self, path: str, reason: str) -> None:
        if not self._skip_damaged:
            raise UserError(
                f"{path}: damaged ({reason}); allowed: an image that can be decoded, or "
                "skip_damaged to train without those that cannot"
            )
        self.skipped += 1
        if path not in self._reported:
            self._reported.add(path)
            self.tell(f"{path}: damaged ({reason}); skipped")
