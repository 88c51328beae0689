"""The two containers that every loader returns, and the checksum that names them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Split:
    """Images with their labels.

    Compared by identity: two arrays have no single truth value.

    Attributes
    ----------
    images
        uint8, shape (N, H, W, C), values 0 to 255.
    labels
        int64, shape (N,), class indices.
    """

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class ImageData:
    """A data set in memory, with what training has to know about it.

    Attributes
    ----------
    name
        The name it was asked for by, such as ``digits`` or ``npz:faces.npz``.
    train, test
        The two splits; same image size and channels.
    classes
        Class names, indexed by label.
    mean, std
        Per channel, of images scaled to [0, 1]; what normalisation subtracts and divides by.
    statistics_source
        ``paper`` if `mean` and `std` are the constants of the authors' code,
        ``measured`` if they were computed from the training split.
    crop_padding
        Pixels of zero padding for the random crop; 0: no crop.
    flip
        Whether training images are mirrored at random.
    checksum
        SHA-256 (hexadecimal) of both splits, see :func:`checksum`.
    """

    name: str
    train: Split
    test: Split
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    statistics_source: str
    crop_padding: int
    flip: bool
    checksum: str

    @property
    def image_size(self) -> int:
        """Height and width in pixels (images are square)."""
        return int(self.train.images.shape[1])

    @property
    def channels(self) -> int:
        """Number of channels: 1 for grey, 3 for RGB."""
        return int(self.train.images.shape[3])

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)


def checksum(train: Split, test: Split) -> str:
    """Return the SHA-256 of the pixels, labels and shapes of both splits.

    Parameters
    ----------
    train, test
        The splits, in this order.

    Returns
    -------
    str
        64 hexadecimal digits; the same on every platform and numpy version.
    """
    digest = hashlib.sha256()
    for split in (train, test):
        # Fixed byte order, so that a big-endian machine agrees.
        for array in (split.images, split.labels.astype("<i8", copy=False)):
            # The shape goes in first: equal bytes in another shape are other data.
            digest.update(f"{array.dtype.str}{tuple(map(int, array.shape))}".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
