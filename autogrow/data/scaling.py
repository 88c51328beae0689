"""Data sets changed on request: smaller images, statistics measured anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from autogrow.data.images import FileSplit, ImageData, Split, checksum
from autogrow.data.statistics import measure_statistics
from autogrow.errors import UserError


def with_measured_statistics(data: ImageData) -> ImageData:
    """Return the data set with mean and standard deviation measured from its training split.

    Raises
    ------
    UserError
        If the images are in files; ImageNet's own constants were measured on it already.
    """
    if isinstance(data.train, FileSplit):
        if data.name == "ImageNet":
            return data
        raise UserError(
            f"normalisation: found 'measured'; allowed for {data.name}: released (ImageNet's)"
        )
    mean, std = measure_statistics(data.train.images)
    return replace(data, mean=mean, std=std, statistics_source="measured")


def downscaled(data: ImageData, factor: int) -> ImageData:
    """Return the data set with every ``factor`` x ``factor`` pixels averaged into one.

    Mean and standard deviation are measured anew: averaging makes images smoother.

    Parameters
    ----------
    data
        The data set; for a factor of 1 it is returned as it is.
    factor
        Must divide the image size.

    Raises
    ------
    UserError
        If the factor does not divide the image size, or the images are in files.
    """
    if factor == 1:
        return data
    if isinstance(data.train, FileSplit):
        raise UserError(
            f"downscale: found {factor}; allowed for {data.name}: 1 (its images are cut to "
            f"{data.image_size}x{data.image_size} pixels)"
        )
    size = data.image_size
    if size % factor:
        divisors = [d for d in range(1, size) if size % d == 0]
        raise UserError(
            f"downscale: {factor} does not divide {data.name}'s image size {size}; "
            f"allowed: {', '.join(map(str, divisors))}"
        )
    train, test = (_average(split, factor) for split in (data.train, data.test))
    smaller = replace(
        data,
        train=train,
        test=test,
        crop_padding=-(-data.crop_padding // factor),
        checksum=checksum(train, test),
    )
    return with_measured_statistics(smaller)


def _average(split: Split, factor: int) -> Split:
    n, height, width, channels = split.images.shape
    blocks = split.images.reshape(n, height // factor, factor, width // factor, factor, channels)
    means = blocks.mean(axis=(2, 4), dtype=np.float32)
    return Split(np.rint(means).astype(np.uint8), split.labels)
