"""The containers that every loader returns, and the checksum that names them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np


@dataclass(frozen=True, eq=False)
class Split:
    """Images with their labels; compared by identity, because arrays have no single truth value.

    Attributes
    ----------
    images
        uint8, shape (N, H, W, C), values 0 to 255.
    labels
        int64, shape (N,), class indices.

    Examples
    --------
    >>> import numpy as np
    >>> import autogrow
    >>> split = autogrow.Split(np.zeros((2, 8, 8, 1), np.uint8), np.array([0, 1]))
    >>> len(split), split.image_size, split.channels
    (2, 8, 1)
    """

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    @property
    def image_size(self) -> int:
        """Height and width in pixels (images are square)."""
        return int(self.images.shape[1])

    @property
    def channels(self) -> int:
        """Number of channels: 1 for grey, 3 for RGB."""
        return int(self.images.shape[3])

    def take(self, indices: np.ndarray) -> Self:
        """Return the images and labels at `indices` (int64, shape (n,)) as a new split."""
        return replace(self, images=self.images[indices], labels=self.labels[indices])


@dataclass(frozen=True, eq=False)
class FileSplit:
    """Images that stay in their files; :mod:`autogrow.batches.from_files` decodes them.

    Attributes
    ----------
    folder
        The files' names are relative to it.
    files
        Names as bytes, shape (N,).
    labels
        int64, shape (N,), class indices.
    sizes
        int64, shape (N,), bytes of each file.
    image_size
        Height and width in pixels that images are cut to when they are read.
    """

    folder: Path
    files: np.ndarray
    labels: np.ndarray
    sizes: np.ndarray
    image_size: int = 224

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    @property
    def channels(self) -> int:
        """Number of channels: every image is read as RGB."""
        return 3

    def take(self, indices: np.ndarray) -> Self:
        """Return the files and labels at `indices` (int64, shape (n,)) as a new split."""
        return replace(
            self,
            files=self.files[indices],
            labels=self.labels[indices],
            sizes=self.sizes[indices],
        )

    def path(self, index: int) -> Path:
        """Return the path of a file."""
        return self.folder / os.fsdecode(self.files[index])


@dataclass(frozen=True, eq=False)
class LoadedSplit:
    """Images that a caller's torch ``Dataset`` or ``DataLoader`` gives, as it gives them.

    Attributes
    ----------
    source
        The Dataset or DataLoader; :mod:`autogrow.batches.from_loaders` reads it.
    images
        How many images one pass has.
    image_size, channels
        Of each image; it is square.
    classes
        Labels are 0 to ``classes - 1``.
    name
        What messages call it, as ``train``.
    """

    source: Any
    images: int
    image_size: int
    channels: int
    classes: int
    name: str

    def __len__(self) -> int:
        """Return the number of images."""
        return self.images


@dataclass(frozen=True, eq=False)
class ImageData:
    """A data set, in memory or in files, with what training has to know about it.

    Attributes
    ----------
    name
        The name it was asked for by, such as ``digits`` or ``npz:faces.npz``.
    train, test
        The two splits; same image size and channels.
    validation
        A split of its own that steers growing under ``holdout``; None: it is drawn from the
        training split. It may be the test split itself: then there is no other test set.
    classes
        Class names, indexed by label.
    mean, std
        Per channel, of images scaled to [0, 1]; what normalisation subtracts and divides by.
    statistics_source
        ``paper`` if `mean` and `std` are the constants of the authors' code, or of the package
        that adds the data set,
        ``measured`` if they were computed from the training split, ``own`` if images come as a
        caller's Dataset or DataLoader gives them.
    crop_padding
        Pixels of zero padding for the random crop; 0: no crop.
    flip
        Whether training images are mirrored at random.
    checksum
        SHA-256 (hexadecimal) of the splits, see :func:`checksum`; of images in files see
        :func:`autogrow.data.imagenet.read_layout`.
    report
        What a check of many files found, for the run's log; "": nothing to tell.

    Examples
    --------
    >>> import numpy as np
    >>> import autogrow
    >>> images, labels = np.zeros((4, 8, 8, 3), np.uint8), np.arange(4) % 2
    >>> data = autogrow.image_data(images, labels, images, labels)
    >>> data.channels, data.n_classes, len(data.test)
    (3, 2, 4)
    """

    name: str
    train: AnyImages
    test: AnyImages
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    statistics_source: str
    crop_padding: int
    flip: bool
    checksum: str
    report: str = ""
    validation: AnyImages | None = None

    @property
    def image_size(self) -> int:
        """Height and width in pixels (images are square)."""
        return self.train.image_size

    @property
    def channels(self) -> int:
        """Number of channels: 1 for grey, 3 for RGB."""
        return self.train.channels

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)


AnyImages = Split | FileSplit | LoadedSplit


def checksum(*splits: Split) -> str:
    """Return the SHA-256 of pixels, labels and shapes, the same on every platform."""
    digest = hashlib.sha256()
    for split in splits:
        # Fixed byte order, so that a big-endian machine agrees.
        for array in (split.images, split.labels.astype("<i8", copy=False)):
            # The shape goes in first: equal bytes in another shape are other data.
            digest.update(f"{array.dtype.str}{tuple(map(int, array.shape))}".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
