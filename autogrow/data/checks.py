"""Check the arrays that a loader has read and make an :class:`ImageData` of them.

Every loader of images in memory ends here, so all data sets pass the same checks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from autogrow.data.containers import ImageData, Split, checksum
from autogrow.data.preprocessing import measure_statistics
from autogrow.data.registry import DatasetInfo
from autogrow.errors import UserError
from autogrow.files.reading import printable


@dataclass(frozen=True, eq=False)
class RawSplit:
    """Arrays as they were read: uint8 (N, H, W, C) and integers (N,), not checked yet.

    Messages name `images_from` and `labels_from`: a file, a folder or a key.
    """

    images: np.ndarray
    labels: np.ndarray
    images_from: str
    labels_from: str


class RawData(NamedTuple):
    """The splits as they were read; without `classes` the labels number them."""

    train: RawSplit
    test: RawSplit
    classes: tuple[str, ...] | None = None
    validation: RawSplit | None = None

    @property
    def splits(self) -> list[RawSplit]:
        """Training and test split and, if there is one, the validation split."""
        return [self.train, self.test, *([] if self.validation is None else [self.validation])]


def own_info(name: str, raw: RawData) -> DatasetInfo:
    """Check a user's own data and return its facts: its size decides how training treats it."""
    classes = _check(raw)
    size, channels = raw.train.images.shape[2:]
    return DatasetInfo(
        name,
        size,
        channels,
        len(classes),
        images=(len(raw.train.labels), len(raw.test.labels)),
        # 4 pixels at 32, the proportion that the paper's data sets use.
        crop_padding=size // 8,
        # Mirroring would change the class of digits, letters and road signs.
        flip=False,
    )


def assemble(entry: DatasetInfo, raw: RawData) -> ImageData:
    """Check both splits and make the data set; the zero padding of `entry` is applied here."""
    classes = _check(raw)
    shape = raw.train.images.shape
    inner = entry.image_size - 2 * entry.zero_padding
    if shape[2:] != (inner, entry.channels):
        raise UserError(
            f"{raw.train.images_from}: found images of {_shape_text(shape)}; "
            f"allowed for {entry.name}: {_shape_text((0, inner, inner, entry.channels))}"
        )
    p = entry.zero_padding
    train, test, *validation = (
        Split(
            np.ascontiguousarray(np.pad(split.images, ((0, 0), (p, p), (p, p), (0, 0)))),
            np.ascontiguousarray(split.labels, dtype=np.int64),
        )
        for split in raw.splits
    )
    if entry.mean is None or entry.std is None:
        mean, std = measure_statistics(train.images)
        source = "measured"
    else:
        mean, std, source = entry.mean, entry.std, "paper"
    return ImageData(
        name=entry.name,
        train=train,
        test=test,
        classes=classes,
        mean=mean,
        std=std,
        statistics_source=source,
        crop_padding=entry.crop_padding,
        flip=entry.flip,
        checksum=checksum(train, test, *validation),
        validation=validation[0] if validation else None,
    )


def _check(raw: RawData) -> tuple[str, ...]:
    """Check everything that does not depend on which data set it is; return the classes."""
    train, *others = raw.splits
    for split in raw.splits:
        _check_split(split)
    for split in others:
        if train.images.shape[1:] != split.images.shape[1:]:
            raise UserError(
                f"{split.images_from}: found images of {_shape_text(split.images.shape)}; "
                f"allowed: {_shape_text(train.images.shape)}, as in the training split"
            )
    largest = {split.labels_from: int(split.labels.max()) for split in raw.splits}
    n_classes = len(raw.classes) if raw.classes else 1 + max(largest.values())
    for source, label in largest.items():
        if label >= n_classes:
            raise UserError(f"{source}: found label {label}; allowed: 0 to {n_classes - 1}")
    # A damaged label may be absurdly large, so nothing of the size `n_classes` is made.
    present = np.unique(train.labels)
    if len(present) < n_classes:
        missing = next((i for i, label in enumerate(present) if i != label), len(present))
        name = f" ({printable(raw.classes[missing])})" if raw.classes else ""
        raise UserError(
            f"{train.labels_from}: found no training image of class {missing}{name}; "
            f"allowed: one or more of each class from 0 to {n_classes - 1}"
        )
    if n_classes < 2:
        raise UserError(f"{train.labels_from}: found {n_classes} class; allowed: two or more")
    return raw.classes or tuple(map(str, range(n_classes)))


def _check_split(split: RawSplit) -> None:
    images, labels = split.images, split.labels
    source = split.images_from
    if images.dtype != np.uint8:
        raise UserError(
            f"{source}: found {printable(images.dtype)} images; allowed: uint8, 0 to 255"
        )
    if images.ndim != 4:
        raise UserError(f"{source}: found images of shape {images.shape}; allowed: (N, H, W, C)")
    if len(images) == 0:
        raise UserError(f"{source}: found zero images; allowed: one or more")
    if images.shape[1] != images.shape[2] or images.size == 0:
        raise UserError(
            f"{source}: found images of {_shape_text(images.shape)}; "
            "allowed: square images (N, H, W, C) with H = W"
        )
    source = split.labels_from
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise UserError(
            f"{source}: found {printable(labels.dtype)} labels of shape {labels.shape}; "
            "allowed: integers of shape (N,)"
        )
    if len(labels) != len(images):
        raise UserError(
            f"{source}: found {len(labels)} labels for {len(images)} images of "
            f"{split.images_from}; allowed: one per image"
        )
    if labels.min() < 0:
        raise UserError(f"{source}: found label {labels.min()}; allowed: 0 or more")


def _shape_text(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[2]} pixels and {shape[3]} channel{'s' * (shape[3] != 1)}"
