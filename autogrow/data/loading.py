"""Load a data set by name: the front door of the package."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from autogrow.data.checks import RawSplit, assemble, check_images, check_labels
from autogrow.data.containers import ImageData
from autogrow.data.image_folder import describe_folder, read_folder
from autogrow.data.imagenet import layout_info, load_imagenet, read_layout
from autogrow.data.mnist import load_mnist
from autogrow.data.npz import describe_npz, read_npz
from autogrow.data.packaged import PACKAGED, load_packaged
from autogrow.data.registry import DATASETS, DatasetInfo
from autogrow.data.torchvision_sets import load_torchvision
from autogrow.errors import UserError, allowed
from autogrow.files.reading import printable, reading

FORMS = ("folder:PATH", "npz:PATH", "imagenet:PATH")
_DESCRIBE: dict[str, Callable[[Path], tuple[int, int, int]]] = {
    "folder": describe_folder,
    "npz": describe_npz,
}
_READ: dict[str, Callable] = {"folder": read_folder, "npz": read_npz}


def load(name: str, *, root: Path | str | None = None, download: bool = False) -> ImageData:
    """Load a data set into memory and check it; large images stay in their files.

    Parameters
    ----------
    name
        A key of :data:`autogrow.data.DATASETS`, ``folder:PATH``, ``npz:PATH`` or
        ``imagenet:PATH``.
    root
        Folder that is searched first and downloaded to; None: the environment's
        AUTOGROW_DATA_ROOT, else ``./data``. Then AUTOGROW_DATA_PATH is searched,
        or /usr/share/datasets if that is not set.
    download
        Whether to download a named data set that no place has. Of no effect where
        there is nothing to download: data in packages, and a user's own.

    Returns
    -------
    ImageData
        The data set.

    Raises
    ------
    UserError
        If the name is unknown, the data is missing, damaged or not allowed, or a
        download fails.
    """
    form, path = _parse(name)
    if form == "imagenet":
        return read_layout(name, path)
    if form is not None:
        train, test, classes = _READ[form](path)
        # The facts follow from the arrays here, so that files are read once.
        entry = own_info(name, train.images.shape[1], train.images.shape[3], len(classes))
        return assemble(entry, train, test, classes)
    if name in PACKAGED:
        return load_packaged(name)
    if name in ("MNIST", "FashionMNIST"):
        return load_mnist(name, root=root, download=download)
    if name == "ImageNet":
        return load_imagenet(root)
    return load_torchvision(name, root=root, download=download)


def info(name: str) -> DatasetInfo:
    """Return what is known about a data set without loading its images.

    Parameters
    ----------
    name
        As for :func:`load`. For ``npz:PATH`` the headers and labels are read, for
        ``folder:PATH`` the names of the files and the headers of images, for
        ``imagenet:PATH`` the names of the classes.

    Returns
    -------
    DatasetInfo
        Size, channels, classes and how training treats the images.

    Raises
    ------
    UserError
        If the name is unknown, or a user's own data is missing or not allowed.
    """
    form, path = _parse(name)
    if form is None:
        return DATASETS[name]
    if form == "imagenet":
        return layout_info(name, path)
    return own_info(name, *_DESCRIBE[form](path))


def _parse(name: str) -> tuple[str | None, Path]:
    """Return the form and path of a user's own data, or None for a named data set."""
    if isinstance(name, str):
        form, colon, text = name.partition(":")
        if colon and f"{form}:PATH" in FORMS:
            if not text.strip():
                raise UserError(f"data: found {name!r}; allowed: {form}:PATH with a path")
            with reading(text, "a path"):
                return form, Path(text).expanduser()
        if name in DATASETS:
            return None, Path()
    raise UserError(f"data: found {printable(repr(name))}; allowed: {allowed([*DATASETS, *FORMS])}")


def own_info(name: str, image_size: int, channels: int, n_classes: int) -> DatasetInfo:
    """Return the facts of a user's own data: how training treats it follows from its size."""
    return DatasetInfo(
        name=name,
        image_size=image_size,
        channels=channels,
        n_classes=n_classes,
        in_package=False,
        # 4 pixels at 32, the proportion that the paper's data sets use.
        crop_padding=image_size // 8,
        # Mirroring would change the class of digits, letters, road signs.
        flip=False,
        how_to_get="your own data",
    )


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
