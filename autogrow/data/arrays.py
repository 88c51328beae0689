"""A caller's own arrays or tensors as a data set."""

from __future__ import annotations

from typing import Any

import numpy as np

from autogrow.data.checks import RawSplit, assemble, check_images, check_labels
from autogrow.data.images import ImageData
from autogrow.data.loading import own_info
from autogrow.errors import UserError


def image_data(
    x_train: Any, y_train: Any, x_test: Any, y_test: Any, *, name: str = "arrays"
) -> ImageData:
    """Return a data set made of the caller's own arrays or tensors.

    Parameters
    ----------
    x_train, x_test
        uint8 images, (N, H, W, C) or (N, H, W), or as torch has them (N, C, H, W)
        with 1 or 3 channels.
    y_train, y_test
        Integer labels (N,), 0 to C - 1.
    name
        What the run's record calls it.

    Raises
    ------
    UserError
        If a dtype, shape or label is not allowed.
    """
    train, test = (
        RawSplit(_images(x, f"{name}: x_{part}"), _array(y), f"x_{part}", f"y_{part}")
        for part, x, y in (("train", x_train, y_train), ("test", x_test, y_test))
    )
    for split in (train, test):
        check_labels(split.labels, split.labels_from)
        if split.labels.size == 0:
            raise UserError(f"{name}: {split.labels_from}: found 0 labels; allowed: 1 or more")
    classes = int(max(train.labels.max(), test.labels.max())) + 1
    if not 2 <= classes <= len(train.labels):
        raise UserError(
            f"{name}: labels: found {classes - 1} as the largest; allowed: 0 to C - 1 for C "
            "classes, 2 or more, each with a training image"
        )
    info = own_info(name, train.images.shape[1], train.images.shape[3], classes)
    return assemble(info, train, test, tuple(map(str, range(classes))))


def _array(values: Any) -> np.ndarray:
    if hasattr(values, "detach"):  # a tensor, without importing torch to ask
        values = values.detach().cpu().numpy()
    return np.asarray(values)


def _images(values: Any, source: str) -> np.ndarray:
    images = _array(values)
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim == 4 and images.shape[3] not in (1, 3) and images.shape[1] in (1, 3):
        images = images.transpose(0, 2, 3, 1)
    check_images(images.dtype, images.shape, source)
    return images
