"""Load a data set by name: the front door of the package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autogrow.data.checks import RawData, RawSplit, assemble, own_info
from autogrow.data.containers import ImageData, LoadedSplit
from autogrow.data.image_folder import read_folder
from autogrow.data.imagenet import layout_info, read_layout
from autogrow.data.locating import locate
from autogrow.data.mnist import load_mnist
from autogrow.data.npz import KIND, read_npz
from autogrow.data.packaged import PACKAGED, SPLIT_SEED, load_packaged
from autogrow.data.plugin import DATA, is_added, load_added, named_info
from autogrow.data.registry import DATASETS, DatasetInfo
from autogrow.data.splits import divide, proportional_counts
from autogrow.data.torchvision_sets import load_torchvision
from autogrow.errors import UserError, allowed, shown
from autogrow.files.reading import file_sha256, printable, reading, require_digest

FORMS = ("folder:PATH", "npz:PATH", "imagenet:PATH")


def load(
    name: str,
    *,
    root: Path | str | None = None,
    download: bool = False,
    test_images: int = 0,
    sha256: str = "",
    resize: int = 0,
) -> ImageData:
    """Load a data set into memory and check it; large images stay in their files.

    Parameters
    ----------
    name
        A key of :data:`autogrow.data.DATASETS`, a name that an installed package adds,
        ``folder:PATH``, ``npz:PATH`` or ``imagenet:PATH``.
    root
        Folder that is searched first and downloaded to; None: the environment's
        AUTOGROW_DATA_ROOT, else ``./data``. Then AUTOGROW_DATA_PATH is searched,
        or /usr/share/datasets if that is not set.
    download
        Whether to download a named data set that no place has. Of no effect where
        there is nothing to download: data in packages, and a user's own.
    test_images
        How many images the test set has, always the same ones, as large a share of every class;
        0: all. Of ``digits`` and ``MNIST5000`` all others are for training; 0: 360 and 1,000.
    sha256
        Of ``npz:PATH`` alone: the SHA-256 that the file must have; empty: any.
    resize
        Of ``folder:PATH`` alone: the shorter side of each image is resized to this many pixels,
        and its central square is taken; 0: all images are squares of one size.

    Raises
    ------
    UserError
        If the name is unknown, the data is missing, damaged or not allowed, or a
        download fails.
    """
    form, path = _parse(name)
    if name in PACKAGED:
        return load_packaged(name, test_images)
    if form == "npz" and sha256:
        require_digest(path, "SHA-256", file_sha256(path, KIND), sha256, "as data_sha256 says")
    if form is None:
        data = _named(name, root, download)
    elif form == "imagenet":
        data = read_layout(name, path)
    else:
        raw = _read(form, path, resize)
        data = assemble(own_info(name, raw), raw)
    if not test_images:
        return data
    assert not isinstance(data.test, LoadedSplit)  # which only a caller's own data has
    counts = proportional_counts(data.test.labels, test_images)
    return replace(data, test=divide(data.test, counts, seed=SPLIT_SEED)[1])


def _named(name: str, root: Path | str | None, download: bool) -> ImageData:
    if is_added(name):
        return load_added(name)
    if name in ("MNIST", "FashionMNIST"):
        return load_mnist(name, root=root, download=download)
    if name == "ImageNet":
        # Never downloaded: only registered users may have it.
        return read_layout(name, locate(name, root=root, download=False)[1])
    return load_torchvision(name, root=root, download=download)


def info(name: str, *, resize: int = 0) -> DatasetInfo:
    """Return what is known about a data set without loading its images.

    Parameters
    ----------
    name
        As for :func:`load`. For ``npz:PATH`` the headers and labels are read, for
        ``folder:PATH`` the names of the files and the headers of images, for
        ``imagenet:PATH`` the names of the classes.
    resize
        As for :func:`load`.

    Raises
    ------
    UserError
        If the name is unknown, or a user's own data is missing or not allowed.
    """
    form, path = _parse(name)
    known = named_info(name)
    if known is not None:
        return known
    if form == "imagenet":
        return layout_info(name, path)
    assert form is not None  # else it is known
    return own_info(name, _read(form, path, resize, headers_only=True))


def _read(form: str, path: Path, resize: int, *, headers_only: bool = False) -> RawData:
    if form == "folder":
        return read_folder(path, headers_only=headers_only, resize=resize)
    return read_npz(path, headers_only=headers_only)


def _parse(name: str) -> tuple[str | None, Path]:
    """Return the form and path of a user's own data, or None for a named data set."""
    form, colon, text = name.partition(":")
    if colon and f"{form}:PATH" in FORMS:
        if not text.strip():
            raise UserError(f"data: found {shown(name)}; allowed: {form}:PATH with a path")
        with reading(text, "a path"):
            return form, Path(text).expanduser()
    if name in DATASETS or is_added(name):
        return None, Path()
    raise UserError(
        f"data: found {printable(repr(name))}; allowed: {allowed([*DATA.names, *FORMS])}, or one "
        f"that an installed package adds as an entry point of {DATA.group}"
    )


def image_data(
    x_train: Any,
    y_train: Any,
    x_test: Any,
    y_test: Any,
    *,
    validation: tuple[Any, Any] | None = None,
    classes: Sequence[str] | None = None,
    name: str = "arrays",
) -> ImageData:
    """Return a data set made of the caller's own arrays or tensors.

    Parameters
    ----------
    x_train, x_test
        uint8 images, (N, H, W, C) or (N, H, W), or as torch has them (N, C, H, W)
        with 1 or 3 channels.
    y_train, y_test
        Integer labels (N,), 0 to C - 1.
    validation
        Images and labels that steer growing under the protocol ``holdout``; None: they are
        drawn from the training images.
    classes
        Names of the classes, by label; None: their numbers.
    name
        What the run's record calls it.

    Raises
    ------
    UserError
        If a dtype, shape or label is not allowed.

    Examples
    --------
    >>> import numpy as np
    >>> import autogrow
    >>> images, labels = np.zeros((6, 8, 8), np.uint8), np.arange(6) % 2
    >>> data = autogrow.image_data(images, labels, images, labels, classes=["cat", "dog"])
    >>> data.image_size, data.channels, data.classes
    (8, 1, ('cat', 'dog'))
    """
    given = {"train": (x_train, y_train), "test": (x_test, y_test)}
    if validation is not None:
        given["validation"] = validation
    train, test, *others = (
        RawSplit(
            as_images(x, f"{name}: x_{part}"),
            _array(y, f"{name}: y_{part}"),
            f"{name}: x_{part}",
            f"{name}: y_{part}",
        )
        for part, (x, y) in given.items()
    )
    raw = RawData(train, test, tuple(classes) if classes else None, *others)
    return assemble(own_info(name, raw), raw)


def _array(values: Any, source: str) -> np.ndarray:
    if hasattr(values, "detach"):  # a tensor, without importing torch to ask
        values = values.detach().cpu().numpy()
    try:
        array = np.asarray(values)
    except ValueError:  # lists of different lengths
        array = np.asarray(None)
    if array.dtype == object:
        raise UserError(
            f"{source}: found {_kind(values)}; allowed: a numpy array or a tensor of numbers"
        )
    return array


def _kind(value: Any) -> str:
    return f"{'an' if type(value).__name__[0] in 'AEIOaeio' else 'a'} {type(value).__name__}"


def as_images(values: Any, source: str) -> np.ndarray:
    """Return the caller's arrays or tensors of images as an array (N, H, W, C).

    A UserError, which names ``source``, says where they are no numbers.
    """
    images = _array(values, source)
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim == 4 and images.shape[3] not in (1, 3) and images.shape[1] in (1, 3):
        images = images.transpose(0, 2, 3, 1)
    return images
