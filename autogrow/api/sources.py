"""A caller's images as a data set: arrays, torch Datasets and DataLoaders."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset

from autogrow.batches.from_loaders import image_tensor, kind, label_of
from autogrow.data import (
    ImageData,
    LoadedSplit,
    Split,
    holdout,
    image_data,
    with_measured_statistics,
)
from autogrow.data.containers import checksum
from autogrow.errors import UserError, shown
from autogrow.seeds import derive

ALLOWED = "allowed: (images, labels), a torch Dataset or a DataLoader"


def caller_data(
    sets: Mapping[str, Any],
    *,
    classes: Sequence[str] | None,
    normalised: tuple[Sequence[float] | None, Sequence[float] | None],
    fraction: float,
    seed: int,
) -> ImageData:
    """Return a caller's images as a data set with a validation set.

    Parameters
    ----------
    sets
        ``train``, ``validation`` and ``test`` as for :func:`autogrow.grow`.
    classes
        Names of the classes; None: the Dataset's, or their numbers.
    normalised
        Mean and standard deviation by which a Dataset has normalised its images.
    fraction
        Share of the training images that validation takes where there is none of its own.
    seed
        The run's seed, by which they are drawn.

    Raises
    ------
    UserError
        If the images or labels are not what can be trained on.
    """
    if classes is not None and not all(isinstance(name, str) for name in classes):
        raise UserError(f"classes: found {shown(list(classes))}; allowed: a text for each class")
    parts, train = {name: part for name, part in sets.items() if part is not None}, sets["train"]
    if isinstance(train, ImageData):
        if len(parts) > 1 or classes is not None:
            raise UserError("train: found an ImageData; allowed: no other sets and classes beside")
        return train
    loaded = [isinstance(part, Dataset | DataLoader) for part in parts.values()]
    if any(loaded) and not all(loaded):
        found = ", ".join(f"{name} {kind(part)}" for name, part in parts.items())
        raise UserError(
            f"found {found}; allowed: arrays for all sets, or Datasets and DataLoaders for all, so "
            "that all are normalised alike"
        )
    drawn = (fraction, derive(seed, "subset"))
    if any(loaded):
        return _loaded(parts, classes, normalised, *drawn)
    if normalised != (None, None):
        raise UserError("mean, std: found for arrays; allowed: none, for they are measured")
    return _arrays(parts, classes, *drawn)


def _arrays(
    parts: dict[str, Any], classes: Sequence[str] | None, fraction: float, seed: int
) -> ImageData:
    for name, part in parts.items():
        if not isinstance(part, list | tuple) or len(part) != 2:
            raise UserError(f"{name}: found an object {kind(part)}; {ALLOWED}")
    train, validation, test = (parts.get(name) for name in ("train", "validation", "test"))
    other = test or validation or train
    assert train is not None
    assert other is not None
    both = validation if test else None
    data = image_data(*train, *other, validation=both, classes=classes)
    if validation:
        return data if test else replace(data, validation=data.test)
    if test:
        return data
    assert isinstance(data.train, Split)
    rest, held = holdout(data.train, fraction, seed=seed)
    divided = replace(data, train=rest, test=held, validation=held, checksum=checksum(rest, held))
    return with_measured_statistics(divided)


def _loaded(
    parts: dict[str, Any],
    classes: Sequence[str] | None,
    normalised: tuple[Sequence[float] | None, Sequence[float] | None],
    fraction: float,
    seed: int,
) -> ImageData:
    for name, part in parts.items():
        _check_length(part, name)
    names = _class_names(parts["train"], classes)
    if "validation" not in parts:
        parts = {**parts, **_divided(parts["train"], fraction, seed)}
    splits = {name: _split(part, name, len(names)) for name, part in parts.items()}
    train = splits["train"]
    for name, split in splits.items():
        ours, theirs = ((s.channels, s.image_size) for s in (train, split))
        if ours != theirs:
            raise UserError(
                f"{name}: found images of {theirs[1]} pixels and {theirs[0]} channels; allowed: "
                f"{ours[1]} and {ours[0]}, as in train"
            )
    mean, std = _statistics(_first_image(train.source, "train"), *normalised)
    text = " ".join(f"{name} {type(s.source).__name__} {len(s)}" for name, s in splits.items())
    return ImageData(
        name=f"python:{type(parts['train']).__name__}",
        train=train,
        test=splits.get("test", splits["validation"]),
        classes=names,
        mean=mean,
        std=std,
        statistics_source="own",
        crop_padding=0,
        flip=False,
        checksum=hashlib.sha256(text.encode()).hexdigest(),
        validation=splits["validation"],
    )


def _statistics(
    image: Tensor, mean: Sequence[float] | None, std: Sequence[float] | None
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return by what raw images, scaled to [0, 1], become those of a Dataset."""
    channels = len(image)
    if mean is None and std is None:
        if image.is_floating_point() and (image.min() < 0 or image.max() > 1):  # NaN is told later
            raise UserError(
                "train: found images with values outside 0 to 1; allowed: such images with mean= "
                "and std=, one number a channel, by which they were normalised: the saved network "
                "needs them for raw images"
            )
        return (0.0,) * channels, (1.0,) * channels
    for key, values in (("mean", mean), ("std", std)):
        if values is None or len(values) != channels or (key == "std" and min(values) <= 0):
            raise UserError(
                f"{key}: found {shown(values)}; allowed: {channels} numbers, one for each channel"
                + (", above 0" if key == "std" else "")
            )
    return tuple(map(float, mean or ())), tuple(map(float, std or ()))


def _dataset(source: Any) -> Any:
    return source.dataset if isinstance(source, DataLoader) else source


def _check_length(source: Any, name: str) -> None:
    dataset = _dataset(source)
    if isinstance(dataset, IterableDataset) or not hasattr(dataset, "__len__"):
        raise UserError(
            f"{name}: found a Dataset {kind(dataset)} without a length; allowed: one with a length "
            "(torch's map-style Dataset)"
        )
    if len(dataset) == 0:
        raise UserError(f"{name}: found an empty Dataset; allowed: one image or more")


def _divided(source: Any, fraction: float, seed: int) -> dict[str, Any]:
    """Return a Dataset without the images that are drawn for validation, and those."""
    if isinstance(source, DataLoader):
        raise UserError(
            "validation: found none beside a DataLoader; allowed: a validation set (only of "
            "arrays and Datasets validation images can be split off)"
        )
    n = len(source)
    held = max(1, round(fraction * n))
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()
    return {
        "train": Subset(source, sorted(order[held:])),
        "validation": Subset(source, sorted(order[:held])),
    }


def _split(source: Any, name: str, classes: int) -> LoadedSplit:
    image = _first_image(source, name)
    if image.ndim != 3 or image.shape[1] != image.shape[2]:
        raise UserError(
            f"{name}: found an image of shape {tuple(image.shape)}; allowed: square ones, (C, S, S)"
        )
    return LoadedSplit(source, _length(source), image.shape[1], image.shape[0], classes, name)


def _first_image(source: Any, name: str) -> Tensor:
    with torch.random.fork_rng(devices=[]):
        if not isinstance(source, DataLoader):
            return image_tensor(_pair(source[0], name)[0], name)
        images, _ = _pair(next(iter(source)), name)
    if not isinstance(images, Tensor) or images.ndim not in (3, 4):
        raise UserError(f"{name}: its images are {kind(images)}; allowed: tensors (N, C, H, W)")
    return image_tensor(images[0], name)


def _pair(item: Any, name: str) -> tuple[Any, Any]:
    if not isinstance(item, list | tuple) or len(item) != 2:
        raise UserError(f"{name}: its items are {kind(item)}; allowed: pairs (image, label)")
    return item[0], item[1]


def _length(source: Any) -> int:
    """Return how many images one pass has."""
    if not isinstance(source, DataLoader):
        return len(source)
    if source.batch_size is None:  # a batch sampler of the caller's own
        return len(source.dataset)  # type: ignore[arg-type]
    images = len(source.sampler)  # type: ignore[arg-type]
    return images - images % source.batch_size if source.drop_last else images


def _class_names(source: Any, classes: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of the classes: the caller's, the Dataset's, or numbers by its labels."""
    dataset = _dataset(source)
    known = classes if classes is not None else getattr(dataset, "classes", None)
    if known is not None:
        return tuple(str(name) for name in known)
    return tuple(str(i) for i in range(1 + max(_labels(dataset))))


def _labels(dataset: Any) -> Iterator[int]:
    """Yield all labels of a Dataset, which decodes its images if it has no ``targets``."""
    targets = getattr(dataset, "targets", None)
    if targets is not None:
        yield from (label_of(label, "train") for label in targets)
        return
    with torch.random.fork_rng(devices=[]):
        for i in range(len(dataset)):
            yield label_of(_pair(dataset[i], "train")[1], "train")
