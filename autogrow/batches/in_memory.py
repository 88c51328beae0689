"""The data set as one uint8 tensor on the device, and its batches.

Augmentation is vectorised over a batch: one gather cuts every image's random
crop out of the zero-padded set; there is no Python per image.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from autogrow.process.distributed import ALONE, World
from autogrow.seeds import derive

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from autogrow.data import Split

    Augmentation = Callable[[Tensor], Tensor]


class DeviceSet:
    """Images of one split on the device, with everything needed to batch them.

    Parameters
    ----------
    split
        Images (N, H, W, C) uint8 and labels (N,).
    mean, std
        Per channel, of images scaled to [0, 1].
    device
        Where the data lives.
    crop_padding
        Zero padding in pixels around the raw image, out of which random crops are cut.
    flip
        Whether training batches are flipped horizontally at random.

    Attributes
    ----------
    augmentation
        Changes a training batch besides: uint8 images (B, C, H, W) of any augmentation before to
        as many of the same shape; torch's random numbers are seeded for each batch.
    """

    augmentation: Augmentation | None = None
    skipped, may_skip = 0, False
    """Damaged images left out: none, because all were decoded before."""
    least = 2
    """A last training batch of fewer images for each process joins the one before it."""

    def __init__(
        self,
        split: Split,
        mean: Sequence[float],
        std: Sequence[float],
        device: torch.device,
        *,
        crop_padding: int = 0,
        flip: bool = False,
    ) -> None:
        images = torch.from_numpy(split.images)
        p = crop_padding
        padded = torch.nn.functional.pad(images, (0, 0, p, p, p, p)) if p else images
        height, width = images.shape[1:3]
        self.padding = p
        self.flip = flip
        self._windows = padded.to(device).unfold(1, height, 1).unfold(2, width, 1)
        self.labels = torch.from_numpy(split.labels).to(device)
        self._mean, self._std = per_channel(mean, device), per_channel(std, device)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def device(self) -> torch.device:
        """Where the data lives."""
        return self.labels.device

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self._windows.shape[-2:]
        return height, width

    def training_batches(
        self, batch_size: int, *, seed: int, epoch: int, start: int = 0, world: World = ALONE
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield one epoch's shuffled, augmented batches: images (B, C, H, W), labels (B,).

        Order and augmentation depend on seed and epoch alone, so an interrupted
        run continues with the same batches.

        Parameters
        ----------
        batch_size
            Images in a batch; the last one may have fewer.
        seed, epoch
            From which order and augmentation are drawn.
        start
            How many batches to leave out, which were trained on before an interruption.
        world
            Each process gets its share of every batch.
        """
        n = len(self)
        permutation = data_order(n, seed, epoch)
        augmentation = _generator(seed, "augmentation", epoch)
        places = 2 * self.padding + 1
        offsets = torch.randint(places, (2, n), generator=augmentation)
        flips = torch.rand(n, generator=augmentation) < 0.5
        permutation, offsets, flips = (
            t.to(self.device, non_blocking=True) for t in (permutation, offsets, flips)
        )
        slices = batch_slices(n, batch_size, world, self.least)
        for step, mine in enumerate(slices[start:], start=start):
            index = permutation[mine]
            dy, dx = offsets[:, mine]
            images = self._windows[index, dy, dx]  # (B, C, H, W) uint8
            if self.flip:
                flipped = flips[mine].view(-1, 1, 1, 1)
                images = torch.where(flipped, images.flip(3), images)
            if self.augmentation:
                torch.manual_seed(derive(seed, "own augmentation", epoch, step, world.rank))
                images = self.augmentation(images)
            yield normalised(images, self._mean, self._std), self.labels[index]

    def evaluation_batches(
        self, batch_size: int, *, world: World = ALONE
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the images in order, not augmented: images (B, C, H, W), labels (B,).

        Each process gets its share of the set: together every image once.
        """
        p = self.padding
        mine = world.share(len(self))
        for start in range(mine.start, mine.stop, batch_size):
            stop = min(start + batch_size, mine.stop)
            images = normalised(self._windows[start:stop, p, p], self._mean, self._std)
            yield images, self.labels[start:stop]


def normalised(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Return uint8 images (B, C, H, W) scaled to [0, 1] and normalised, channels last."""
    # In the order of torchvision's ToTensor and Normalize: equal to the bit.
    x = images.float().contiguous(memory_format=torch.channels_last)
    return x.div_(255).sub_(mean).div_(std)


def per_channel(values: Sequence[float], device: torch.device) -> Tensor:
    """Return a value for each channel in a shape that fits batches of images."""
    return torch.tensor(values, dtype=torch.float32, device=device).view(1, -1, 1, 1)


def data_order(n: int, seed: int, epoch: int) -> Tensor:
    """Return the order in which an epoch takes ``n`` images."""
    return torch.randperm(n, generator=_generator(seed, "data order", epoch))


def batch_slices(n: int, batch_size: int, world: World, least: int) -> list[slice]:
    """Return which of ``n`` images in order are this process's share of each batch."""
    starts = list(range(0, n, batch_size))
    if len(starts) > 1 and n - starts[-1] < least * world.size:
        starts.pop()
    slices = []
    for start, stop in zip(starts, [*starts[1:], n], strict=True):
        share = world.share(stop - start)
        slices.append(slice(start + share.start, start + share.stop))
    return slices


def _generator(seed: int, purpose: str, epoch: int) -> torch.Generator:
    return torch.Generator().manual_seed(derive(seed, purpose, epoch))
