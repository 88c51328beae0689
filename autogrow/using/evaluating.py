"""How well a trained network does on a data set: accuracy and loss, over all and by class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from autogrow import data as datasets
from autogrow.batches.decoding import default_workers
from autogrow.batches.from_files import StreamedSet
from autogrow.data import FileSplit, ImageData, Split
from autogrow.data.photographs import IMAGENET_RESIZE
from autogrow.data.plugin import named_info
from autogrow.errors import UserError, allowed, shown
from autogrow.runs.description import readable
from autogrow.runs.folder import read_spec
from autogrow.using.loading import TrainedNetwork
from autogrow.using.preparing import Preparation, raw_images


@dataclass(frozen=True)
class ClassScore:
    """How many images a class has, and how many of them were classified correctly."""

    name: str
    images: int
    correct: int

    @property
    def accuracy(self) -> float | None:
        """Accuracy in percent; None without images."""
        return round(100 * self.correct / self.images, 4) if self.images else None


@dataclass(frozen=True)
class Evaluation:
    """How well a network does on the test set of a data set; the loss is the mean cross-entropy."""

    data: str
    loss: float
    classes: tuple[ClassScore, ...]

    @property
    def images(self) -> int:
        """Number of images."""
        return sum(c.images for c in self.classes)

    @property
    def accuracy(self) -> float:
        """Accuracy in percent."""
        return round(100 * sum(c.correct for c in self.classes) / self.images, 4)

    def to_json(self) -> dict[str, Any]:
        """Return all numbers as plain values."""
        classes = [{**vars(c), "accuracy": c.accuracy} for c in self.classes]
        return {
            "data": self.data,
            "images": self.images,
            "accuracy": self.accuracy,
            "loss": self.loss,
            "classes": classes,
        }


@torch.inference_mode()
def evaluate_on(
    trained: TrainedNetwork,
    name: str | None = None,
    *,
    data_root: Path | None = None,
    workers: int | None = None,
) -> Evaluation:
    """Evaluate a network on the test set of a data set, prepared as its description says.

    Parameters
    ----------
    trained
        What :func:`autogrow.load` returned.
    name
        As ``--data``: a data set's name, ``folder:PATH``, ``npz:PATH`` or ``imagenet:PATH``; None:
        the run's own data set.
    data_root
        Where named data sets are looked for first.
    workers
        Processes that decode images in files; None: one for each CPU, up to 16.

    Raises
    ------
    UserError
        If the data is missing or damaged, has classes that the network does not know, or other
        channels than the network takes.
    """
    own = read_spec(trained.folder) if name is None else None
    name = own.data if own else str(name)
    description = trained.description
    size = description.raw_size
    if name.startswith("folder:") and description.shorter_side not in (None, size):
        raise UserError(
            f"data: found {shown(name)}; allowed for a network that was trained on photographs in "
            "their files: imagenet:PATH"
        )
    data = datasets.load(
        name,
        root=data_root,
        test_images=own.test_images if own else 0,
        resize=size if name.startswith("folder:") else 0,
    )
    to_label = torch.from_numpy(_labels(trained, data))
    classes = len(trained.class_names)
    loss, images, correct = 0.0, torch.zeros(classes), torch.zeros(classes)
    for batch, there in _batches(trained, data, workers):
        labels = to_label[there]
        logits = trained.network(batch).float().cpu()
        loss += float(cross_entropy(logits, labels, reduction="sum"))
        images += torch.bincount(labels, minlength=classes)
        hits = labels[logits.argmax(1) == labels]
        correct += torch.bincount(hits, minlength=classes)
    counts = zip(trained.class_names, images.tolist(), correct.tolist(), strict=True)
    scores = tuple(ClassScore(name, int(n), int(hits)) for name, n, hits in counts)
    return Evaluation(name, loss / int(images.sum()), scores)


def _labels(trained: TrainedNetwork, data: ImageData) -> np.ndarray:
    """Return the network's label for each of the data set's, by the names of the classes."""
    known = {name: label for label, name in enumerate(trained.class_names)}
    names = readable(data.classes)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UserError(
            f"{data.name}: found class {shown(unknown[0])}, which the network does not know; "
            f"allowed: {allowed(map(shown, trained.class_names[:20]))}"
        )
    if data.channels != trained.description.channels:
        raise UserError(
            f"{data.name}: found images of {data.channels} channels; allowed: "
            f"{trained.description.channels}, as the network was trained on"
        )
    return np.array([known[name] for name in names])


def _batches(
    trained: TrainedNetwork, data: ImageData, workers: int | None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield prepared images (B, C, H, W) on the device, and the data set's labels (B,)."""
    description, split = trained.description, data.test
    if isinstance(split, FileSplit):
        yield from _streamed(trained, data.name, split, workers)
        return
    assert isinstance(split, Split)  # a named data set is of no other kind
    prepare = Preparation(description).to(trained.device)
    entry = named_info(data.name)
    p = entry.zero_padding if entry else 0
    images = split.images[:, p : -p or None, p : -p or None]  # as they are in the files
    for start in range(0, len(split), trained.batch_size):
        part = slice(start, start + trained.batch_size)
        raw = raw_images(images[part], description)
        yield prepare(raw.to(trained.device)), torch.from_numpy(split.labels[part])


def _streamed(
    trained: TrainedNetwork, name: str, split: FileSplit, workers: int | None
) -> Iterator[tuple[Tensor, Tensor]]:
    description = trained.description
    size = description.image_size
    if description.shorter_side != round(IMAGENET_RESIZE * size) or description.channels != 3:
        raise UserError(
            f"data: found {shown(name)}; allowed for this network, which was not trained on "
            "photographs in their files: folder:PATH"
        )
    images = StreamedSet(
        replace(split, image_size=size),
        description.mean,
        description.std,
        trained.device,
        workers=default_workers() if workers is None else workers,
    )
    for batch, labels in images.evaluation_batches(trained.batch_size):
        yield batch, labels.cpu()
