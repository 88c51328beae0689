"""Mean and standard deviation of images, for normalisation."""

from __future__ import annotations

import numpy as np

from autogrow.errors import UserError

# Values histogrammed at a time: bincount widens uint8 to int64, so a whole data
# set at once would need eight times its size.
BLOCK = 1 << 22


def measure_statistics(images: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Measure the mean and standard deviation per channel on the [0, 1] scale.

    The 256 possible values are counted exactly, then weighted in float64, so the
    result depends neither on the order of the images nor on the block size.

    Parameters
    ----------
    images
        uint8, shape (N, H, W, C), at least one image.

    Returns
    -------
    mean, std : tuple of float
        One value per channel. The standard deviation is that of the population;
        where it is 0 (a constant channel) it becomes 1, because images are
        divided by it.

    Raises
    ------
    UserError
        If `images` is not a non-empty uint8 array of four dimensions.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.size == 0:
        raise UserError(
            f"images: found {images.dtype} of shape {images.shape}; "
            "allowed: uint8 (N, H, W, C) with at least one image"
        )
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
