"""Decode image files to uint8 tensors, in worker processes.

A request has all that its result depends on: the file, and the numbers from which the
augmentation is drawn. So neither the worker that serves it nor their number matters.

Training decodes by torchvision and resizes uint8 tensors: a CPU core does 868 of ImageNet's
photographs a second, against 591 on Pillow's images. Where torchvision has no decoder (0.29
deprecates it), Pillow gives the same pixels. Resizing differs from Pillow's by up to one grey
level. So evaluation, which has few images, keeps to Pillow and gives exactly what
``torchvision.datasets.ImageFolder`` with the usual transforms gives.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from functools import cache
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, dataloader

from autogrow.data.image_header import opened
from autogrow.data.imagenet import damage
from autogrow.data.photographs import IMAGENET_RESIZE, central_square
from autogrow.process.memory import LOST_WORKER, lost_worker
from autogrow.process.signals import outlive_one_sigterm
from autogrow.seeds import derive

JPEG = b"\xff\xd8\xff"


class Request(NamedTuple):
    """An image to decode and cut to a square of ``size`` pixels.

    Its augmentation is drawn from seed, epoch and number of the image (``draw``; None: not
    augmented); ``flip`` says whether half of the draws mirror it.
    """

    path: str
    label: int
    size: int
    draw: tuple[int, int, int] | None = None
    flip: bool = False


class Decoded(NamedTuple):
    """The results of some requests.

    Images are uint8, shape (n, H, W, 3), with int64 labels, shape (n,); ``damaged`` has path and
    reason of each file that could not be decoded.
    """

    images: Tensor
    labels: Tensor
    damaged: list[tuple[str, str]]


def decode(request: Request) -> Tensor:
    """Return one image as uint8, shape (3, H, W); a damaged one raises what its decoder does."""
    content = Path(request.path).read_bytes()
    if request.draw is None:
        shorter_side = round(IMAGENET_RESIZE * request.size)
        return _tensor(central_square(_pillow(content), shorter_side, request.size))
    seed, epoch, number = request.draw
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed, which seeds GPUs too.
        torch.default_generator.manual_seed(derive(seed, "augmentation", epoch, number))
        return _augmentation(request.size, request.flip)(_fast(content))


@cache
def _augmentation(size: int, flip: bool) -> Callable[[Tensor], Tensor]:
    from torchvision.transforms import v2

    crop = v2.RandomResizedCrop(size)
    return v2.Compose([crop, v2.RandomHorizontalFlip()]) if flip else crop


def _fast(content: bytes) -> Tensor:
    """Decode by torchvision what it can, with Pillow's result, and the rest by Pillow."""
    if content.startswith(JPEG):
        with opened(io.BytesIO(content)):
            pass  # torchvision has no limit
        # Whatever it cannot decode, Pillow is the judge of what is damaged.
        with suppress(ImportError, RuntimeError), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            from torchvision.io import ImageReadMode, decode_jpeg

            data = torch.frombuffer(bytearray(content), dtype=torch.uint8)
            return decode_jpeg(data, ImageReadMode.RGB)
    return _tensor(_pillow(content))


def _pillow(content: bytes) -> Any:
    """Decode as ``torchvision.datasets.ImageFolder`` does."""
    with opened(io.BytesIO(content)) as image:
        return image.convert("RGB")


def _tensor(image: Any) -> Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


class _Files(Dataset):
    """Serves requests from what they contain alone."""

    def __getitems__(self, requests: Sequence[Request]) -> Decoded:
        images, labels, damaged = [], [], []
        for request in requests:
            try:
                images.append(decode(request).permute(1, 2, 0))
                labels.append(request.label)
            except Exception as error:  # a decoder raises a dozen types on damage
                damaged.append((request.path, damage(error)))
        stacked = torch.stack(images) if images else torch.empty(0, dtype=torch.uint8)
        return Decoded(stacked, torch.tensor(labels, dtype=torch.int64), damaged)


def decoded(
    tasks: Iterable[list[Request]], workers: int, *, pinned: bool = False
) -> Generator[Decoded]:
    """Yield the result of each task, in their order, while workers decode the next.

    Workers (0: this process decodes) live as long as this iterator: close it unless you take it
    to its end. Pinned results make copies to a GPU that wait for nothing.

    Raises
    ------
    InterruptedRunError
        If a worker is killed, most often for want of memory.
    """
    import torchvision.transforms.v2  # noqa: F401 (once, not by each worker)

    # Where there is no shared memory at all, its `__del__` would fail.
    dataloader._MultiProcessingDataLoaderIter._shutdown = True
    loader = DataLoader(
        _Files(),
        batch_sampler=tasks,
        collate_fn=_as_it_is,  # `__getitems__` returns a whole batch
        num_workers=workers,
        worker_init_fn=_begin_worker,
        pin_memory=pinned,
        generator=torch.Generator(),  # else it draws from the global one
    )
    try:
        yield from loader
    except (RuntimeError, OSError) as error:
        if isinstance(error, RuntimeError) and LOST_WORKER not in str(error):
            raise
        raise lost_worker(error) from None


def _begin_worker(worker: int) -> None:
    outlive_one_sigterm(worker)
    # Where shared memory is full the queue would print a traceback, and this run would wait for
    # the result that it has lost.
    Queue._on_queue_feeder_error = staticmethod(lambda *_: os._exit(1))  # type: ignore[attr-defined]


def _as_it_is(value: Any) -> Any:
    return value


def default_workers() -> int:
    """Return how many workers a process starts: one for each CPU it may use, up to 16.

    The processes of one run on this machine share its CPUs.
    """
    try:
        cpus = len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        cpus = os.cpu_count() or 1
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # torchrun's
    return max(1, min(16, cpus // here))
