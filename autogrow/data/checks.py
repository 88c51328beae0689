"""Check loaded arrays and make an :class:`ImageData` of them.

Every loader ends here, so every data set, named or a user's own, has passed the
same checks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autogrow.data.containers import ImageData, Split, checksum
from autogrow.data.preprocessing import measure_statistics
from autogrow.data.registry import DatasetInfo
from autogrow.errors import UserError
from autogrow.files.reading import printable


@dataclass(frozen=True, eq=False)
class RawSplit:
    """Arrays as they were read, with where they came from.

    Attributes
    ----------
    images
        Meant to be uint8, shape (N, H, W, C).
    labels
        Meant to be integers, shape (N,).
    images_from, labels_from
        File, folder or key, for messages.
    """

    images: np.ndarray
    labels: np.ndarray
    images_from: str
    labels_from: str


def assemble(
    entry: DatasetInfo, train: RawSplit, test: RawSplit, classes: tuple[str, ...]
) -> ImageData:
    """Check both splits and make the data set.

    Parameters
    ----------
    entry
        The data set's facts; `zero_padding` is applied here.
    train, test
        What was read.
    classes
        Class names, indexed by label.

    Returns
    -------
    ImageData
        The checked data set.

    Raises
    ------
    UserError
        If a split is empty, images and labels disagree in number, a dtype or
        shape is wrong, a label is not a class, a class has no training image, or
        the splits differ in image size or channels.
    """
    for split in (train, test):
        check_images(split.images.dtype, split.images.shape, split.images_from)
        check_labels(split.labels, split.labels_from)
        if len(split.images) != len(split.labels):
            raise UserError(
                f"{split.labels_from}: found {len(split.labels)} labels for "
                f"{len(split.images)} images of {split.images_from}; allowed: one per image"
            )
        _check_range(split, len(classes))
    check_every_class(train.labels, len(classes), train.labels_from, classes)
    check_same_shape(train.images.shape, test.images.shape, test.images_from)
    size = train.images.shape[1] + 2 * entry.zero_padding
    if (size, train.images.shape[3]) != (entry.image_size, entry.channels):
        raw = entry.image_size - 2 * entry.zero_padding
        raise UserError(
            f"{train.images_from}: found images of {_shape_text(train.images.shape)}; "
            f"allowed for {entry.name}: {_shape_text((0, raw, raw, entry.channels))}"
        )

    splits = [
        Split(
            images=zero_pad(np.ascontiguousarray(split.images), entry.zero_padding),
            labels=np.ascontiguousarray(split.labels, dtype=np.int64),
        )
        for split in (train, test)
    ]
    if entry.mean is None or entry.std is None:
        mean, std = measure_statistics(splits[0].images)
        source = "measured"
    else:
        mean, std, source = entry.mean, entry.std, "paper"
    return ImageData(
        name=entry.name,
        train=splits[0],
        test=splits[1],
        classes=tuple(classes),
        mean=mean,
        std=std,
        statistics_source=source,
        crop_padding=entry.crop_padding,
        flip=entry.flip,
        checksum=checksum(*splits),
    )


def check_images(dtype: np.dtype, shape: tuple[int, ...], source: str) -> None:
    """Check the dtype and shape of images, without needing the images themselves.

    Parameters
    ----------
    dtype, shape
        Of the array; allowed are uint8 and (N, H, W, C) with H = W.
    source
        Where it comes from, for the message.

    Raises
    ------
    UserError
        If either is not allowed, or there is no image.
    """
    if dtype != np.uint8:
        raise UserError(f"{source}: found {printable(dtype)} images; allowed: uint8, 0 to 255")
    if len(shape) != 4:
        raise UserError(f"{source}: found images of shape {shape}; allowed: (N, H, W, C)")
    if shape[0] == 0:
        raise UserError(f"{source}: found zero images; allowed: one or more")
    if shape[1] != shape[2] or 0 in shape:
        raise UserError(
            f"{source}: found images of {_shape_text(shape)}; "
            "allowed: square images (N, H, W, C) with H = W"
        )


def check_labels(labels: np.ndarray, source: str) -> None:
    """Check that labels are integers in one dimension.

    Parameters
    ----------
    labels
        The array.
    source
        Where it comes from, for the message.

    Raises
    ------
    UserError
        If they are not, or one is negative.
    """
    if labels.dtype.kind not in "iu":
        raise UserError(f"{source}: found {printable(labels.dtype)} labels; allowed: integers")
    if labels.ndim != 1:
        raise UserError(f"{source}: found labels of shape {labels.shape}; allowed: (N,)")
    if len(labels) and labels.min() < 0:
        raise UserError(f"{source}: found label {labels.min()}; allowed: 0 or more")


def check_every_class(
    labels: np.ndarray, n_classes: int, source: str, names: tuple[str, ...] | None = None
) -> None:
    """Check that every class from 0 to `n_classes` - 1 occurs among training labels.

    Parameters
    ----------
    labels
        Checked training labels.
    n_classes
        May be absurdly large (a damaged label), so nothing of that size is made.
    source
        Where the labels come from, for the message.
    names
        Class names, if known.

    Raises
    ------
    UserError
        If a class does not occur, or there are fewer than two classes.
    """
    present = np.unique(labels)
    if len(present) < n_classes:
        gaps = (index for index, label in enumerate(present) if index != label)
        missing = next(gaps, len(present))
        name = f" ({printable(names[missing])})" if names else ""
        raise UserError(
            f"{source}: found no training image of class {missing}{name}; "
            f"allowed: one or more of each class from 0 to {n_classes - 1}"
        )
    if n_classes < 2:
        raise UserError(f"{source}: found {n_classes} class; allowed: two or more")


def check_same_shape(train: tuple[int, ...], test: tuple[int, ...], source: str) -> None:
    """Check that two image arrays agree in height, width and channels.

    Parameters
    ----------
    train, test
        Shapes (N, H, W, C).
    source
        Where the test images come from, for the message.

    Raises
    ------
    UserError
        If they differ.
    """
    if train[1:] != test[1:]:
        raise UserError(
            f"{source}: found images of {_shape_text(test)}; "
            f"allowed: {_shape_text(train)}, as in the training split"
        )


def zero_pad(images: np.ndarray, pixels: int) -> np.ndarray:
    """Surround every image of (N, H, W, C) with `pixels` zeros on each side."""
    if pixels == 0:
        return images
    n, height, width, channels = images.shape
    shape = (n, height + 2 * pixels, width + 2 * pixels, channels)
    padded = np.zeros(shape, dtype=images.dtype)
    padded[:, pixels:-pixels, pixels:-pixels] = images
    return padded


def _check_range(split: RawSplit, n_classes: int) -> None:
    largest = int(split.labels.max())
    if largest >= n_classes:
        raise UserError(
            f"{split.labels_from}: found label {largest}; allowed: 0 to {n_classes - 1}"
        )


def _shape_text(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[2]} pixels and {shape[3]} channel{'s' * (shape[3] != 1)}"
