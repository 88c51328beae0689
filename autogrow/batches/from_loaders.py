"""Batches of a caller's torch Dataset or DataLoader, checked as they come.

Torch's random numbers are seeded before each batch is drawn, from the run's seed, the epoch and
the batch. A source that draws from them, and does so in this process or in workers that it
starts for each epoch, gives the same batches when an interrupted run continues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from autogrow.batches.in_memory import batch_slices, data_order
from autogrow.data import LoadedSplit
from autogrow.errors import UserError, shown
from autogrow.process.distributed import ALONE, World
from autogrow.seeds import derive

PAIR = "allowed: pairs (image, label)"
SHAPES = "allowed: tensors (C, H, W), arrays (H, W, C) or (H, W), or pictures of Pillow"


class LoadedSet:
    """Images of one split that a Dataset or DataLoader gives.

    uint8 images are scaled to [0, 1]; float images are taken as they come.

    Parameters
    ----------
    split
        Where the images come from, and what they must be like.
    device
        Where the batches go.
    """

    padding = 0
    flip = False
    skipped, may_skip = 0, False
    least = 2
    """As for :class:`autogrow.batches.in_memory.DeviceSet`; a DataLoader makes its own batches."""
    tell: Callable[[str], None] = print
    """As for images in files; never called, for no image is left out."""

    def __init__(self, split: LoadedSplit, device: torch.device) -> None:
        self._split = split
        self.device = device

    def __len__(self) -> int:
        return len(self._split)

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self._split.image_size, self._split.image_size

    def training_batches(
        self, batch_size: int, *, seed: int, epoch: int, start: int = 0, world: World = ALONE
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield one epoch's batches: images (B, C, H, W) float, labels (B,).

        A Dataset is shuffled as images in memory are; a DataLoader makes batches as it does.
        The arguments are as for :class:`autogrow.batches.in_memory.DeviceSet`.
        """
        source = self._split.source
        if isinstance(source, DataLoader):
            yield from self._from_loader(source, (seed, epoch), start, world)
            return
        order = data_order(len(self), seed, epoch)
        slices = batch_slices(len(self), batch_size, world, self.least)
        for step, mine in enumerate(slices[start:], start=start):
            torch.manual_seed(derive(seed, "own data", epoch, step, world.rank))
            yield self._checked(*self._fetched(order[mine].tolist()))

    def evaluation_batches(
        self, batch_size: int, *, world: World = ALONE
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield all images once: images (B, C, H, W) float, labels (B,)."""
        source = self._split.source
        if isinstance(source, DataLoader):
            yield from self._from_loader(source, (0, 0), 0, world)
            return
        mine = world.share(len(self))
        for first in range(mine.start, mine.stop, batch_size):
            indices = range(first, min(first + batch_size, mine.stop))
            torch.manual_seed(derive(0, "own data", 0, first))
            yield self._checked(*self._fetched(indices))

    def _from_loader(
        self, loader: DataLoader[Any], draw: tuple[int, int], start: int, world: World
    ) -> Iterator[tuple[Tensor, Tensor]]:
        seed, epoch = draw
        if loader.generator is not None:
            loader.generator.manual_seed(derive(seed, "own order", epoch))
        torch.manual_seed(derive(seed, "own order", epoch))
        batches, step = iter(loader), 0
        while True:
            torch.manual_seed(derive(seed, "own data", epoch, step))
            try:
                batch = next(batches)
            except StopIteration:
                return
            if step >= start:
                images, labels = self._pair(batch)
                mine = world.share(len(labels))
                yield self._checked(images[mine], labels[mine])
            step += 1

    def _pair(self, batch: Any) -> tuple[Tensor, Tensor]:
        name = self._split.name
        if not isinstance(batch, list | tuple) or len(batch) != 2:
            raise UserError(f"{name}: its batches are {kind(batch)}; {PAIR}")
        images, labels = batch
        if not isinstance(images, Tensor) or not isinstance(labels, Tensor):
            found = f"{kind(images)} and {kind(labels)}"
            raise UserError(f"{name}: its batches are of {found}; allowed: two tensors")
        return images[:, None] if images.ndim == 3 else images, labels

    def _fetched(self, indices: Any) -> tuple[Tensor, Tensor]:
        name, items = self._split.name, [self._split.source[int(i)] for i in indices]
        images, labels = [], []
        for item in items:
            if not isinstance(item, list | tuple) or len(item) != 2:
                raise UserError(f"{name}: its items are {kind(item)}; {PAIR}")
            images.append(image_tensor(item[0], name))
            labels.append(label_of(item[1], name))
        if len({(image.shape, image.dtype) for image in images}) > 1:
            found = sorted({str(tuple(image.shape)) for image in images})
            raise UserError(f"{name}: its images differ: {found}; allowed: one shape and dtype")
        return torch.stack(images), torch.tensor(labels)

    def _checked(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        split, name = self._split, self._split.name
        wanted = (split.channels, split.image_size, split.image_size)
        if images.ndim != 4 or tuple(images.shape[1:]) != wanted:
            raise UserError(f"{name}: found images {tuple(images.shape)}; allowed: (N, *{wanted})")
        if labels.is_floating_point() or labels.shape != images.shape[:1]:
            raise UserError(
                f"{name}: found {labels.dtype} labels {tuple(labels.shape)} for {len(images)} "
                "images; allowed: one integer each"
            )
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < split.classes:
            worst = int(labels.min() if labels.min() < 0 else labels.max())
            raise UserError(f"{name}: found label {worst}; allowed: 0 to {split.classes - 1}")
        if images.dtype == torch.uint8:
            images = images.float().div_(255)
        if not images.is_floating_point():
            raise UserError(f"{name}: found {images.dtype} images; allowed: uint8 or float")
        if not bool(images.isfinite().all()):
            raise UserError(f"{name}: found images with values that are not finite; allowed: none")
        images = images.to(self.device, torch.float32, non_blocking=True)
        images = images.contiguous(memory_format=torch.channels_last)
        return images, labels.to(self.device, torch.int64, non_blocking=True)


def kind(value: Any) -> str:
    """Return what a value is, for a message."""
    return f"of the type {type(value).__name__}"


def image_tensor(image: Any, name: str) -> Tensor:
    """Return one image of a Dataset as a tensor (C, H, W).

    Raises
    ------
    UserError
        If it is no image.
    """
    if isinstance(image, Tensor):
        return image[None] if image.ndim == 2 else image
    try:
        array = np.array(image)
    except (TypeError, ValueError):
        array = np.array(None)
    if array.ndim == 2:
        array = array[..., None]
    if array.dtype.kind not in "uif" or array.ndim != 3:
        raise UserError(f"{name}: its images are {kind(image)}; {SHAPES}")
    return torch.from_numpy(array).permute(2, 0, 1)


def label_of(label: Any, name: str) -> int:
    """Return one label of a Dataset; a UserError if it is no whole number."""
    try:
        number = label.item() if hasattr(label, "item") else label
    except (RuntimeError, ValueError):  # of more than one number
        number = label
    if isinstance(number, bool) or not isinstance(number, int):
        raise UserError(f"{name}: found the label {shown(label)}; allowed: a whole number")
    return number
