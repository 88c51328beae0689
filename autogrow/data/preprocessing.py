"""Data sets changed on request: cut and smaller images, measured statistics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from autogrow.data.containers import ImageData, Split, checksum
from autogrow.errors import UserError


def with_measured_statistics(data: ImageData) -> ImageData:
    """Return the data set with mean and standard deviation measured from its training split."""
    if not isinstance(data.train, Split):
        if data.name == "ImageNet":
            return data
        raise UserError(
            f"normalisation: found 'measured'; allowed for {data.name}: released, as its images "
            "come"
        )
    mean, std = measure_statistics(data.train.images)
    return replace(data, mean=mean, std=std, statistics_source="measured")


def trimmed(data: ImageData, pixels: int) -> ImageData:
    """Return the data set without some pixels on each side of its images.

    Mean and standard deviation are measured again. A UserError says where nothing would be left
    or images are in files.
    """
    if pixels == 0:
        return data
    most = 0 if _in_files(data) else (data.image_size - 1) // 2
    if pixels > most:
        raise UserError(f"trim: found {pixels}; allowed for {data.name}: up to {most}")
    inside = slice(pixels, data.image_size - pixels)
    return _changed(data, lambda images: images[:, inside, inside], data.crop_padding)


def downscaled(data: ImageData, factor: int) -> ImageData:
    """Return the data set with every ``factor`` x ``factor`` pixels averaged into one.

    Mean and standard deviation are measured again, because averaging makes images smoother.
    A UserError says where the factor does not divide the image size or images are in files.
    """
    if factor == 1:
        return data
    if _in_files(data):
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
    return _changed(data, lambda images: _average(images, factor), -(-data.crop_padding // factor))


def _in_files(data: ImageData) -> bool:
    return not (isinstance(data.train, Split) and isinstance(data.test, Split))


def _changed(
    data: ImageData, change: Callable[[np.ndarray], np.ndarray], crop_padding: int
) -> ImageData:
    """Return a data set in memory with other images, and statistics measured from them."""
    splits: dict[str, Any] = {
        part: Split(np.ascontiguousarray(change(split.images)), split.labels)
        for part in ("train", "test", "validation")
        if isinstance(split := getattr(data, part), Split)
    }
    if data.validation is data.test:
        splits["validation"] = splits["test"]
    other = replace(data, **splits, crop_padding=crop_padding, checksum=checksum(*splits.values()))
    return with_measured_statistics(other)


def _average(images: np.ndarray, factor: int) -> np.ndarray:
    n, height, width, channels = images.shape
    blocks = images.reshape(n, height // factor, factor, width // factor, factor, channels)
    means = blocks.mean(axis=(2, 4), dtype=np.float32)
    return np.rint(means).astype(np.uint8)


# Values histogrammed at a time: bincount widens uint8 to int64, so a whole data
# set at once would need eight times its size.
BLOCK = 1 << 22


def measure_statistics(images: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Measure the mean and standard deviation per channel on the [0, 1] scale.

    The 256 possible values of uint8 images are counted exactly, then weighted in float64, so
    the result depends neither on the order of the images nor on the block size. A constant
    channel has a standard deviation of 1, because images are divided by it.
    """
    values = np.arange(256, dtype=np.float64) / 255.0
    per_block = max(1, BLOCK // int(np.prod(images.shape[1:3])))
    means, stds = [], []
    for channel in range(images.shape[3]):
        counts = np.zeros(256, dtype=np.int64)
        for start in range(0, len(images), per_block):
            block = images[start : start + per_block, :, :, channel]
            counts += np.bincount(block.ravel(), minlength=256)
        total = counts.sum()
        mean = float((counts * values).sum() / total)
        # Centred before squaring: E[x^2] - E[x]^2 loses digits when std << mean.
        std = float(np.sqrt((counts * (values - mean) ** 2).sum() / total))
        # A constant channel can leave a rounding error instead of an exact 0.
        constant = np.count_nonzero(counts) == 1
        means.append(mean)
        stds.append(1.0 if constant else std)
    return tuple(means), tuple(stds)
