"""A user's own data as a folder of image files.

``train/<class>/*`` and either ``val/<class>/*`` or ``test/<class>/*``. Classes
and files are taken in the order of their names, so that labels do not depend on
the file system.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from autogrow.data.checks import RawSplit
from autogrow.errors import UserError, allowed
from autogrow.files.reading import printable, reading, require_folder

FORMATS = ("PNG", "JPEG", "BMP", "WEBP")  # all that Pillow may try: fewer parsers, fewer surprises
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
MODES = {"L": 1, "RGB": 3}  # Pillow's mode to channels
MAX_SIDE = 4096  # pixels; a damaged header must not make us allocate gigabytes
KIND = "a folder with train/<class>/* and val/<class>/* or test/<class>/*"

Files = dict[str, list[Path]]  # class name to its image files


def read_folder(path: Path) -> tuple[RawSplit, RawSplit, tuple[str, ...]]:
    """Read every image of both splits.

    Parameters
    ----------
    path
        The folder that has ``train`` in it.

    Returns
    -------
    train, test : RawSplit
        Grey sets have one channel; if grey and RGB images are mixed, all become RGB.
    classes : tuple of str
        Names of the class folders, sorted.

    Raises
    ------
    UserError
        If the layout is not as above, a file cannot be read as an image of mode L
        or RGB, or an image's size differs from the first one's.
    """
    train, test, test_folder = _list_files(path)
    images: dict[str, list[np.ndarray]] = {"train": [], "test": []}
    first: tuple[Path, tuple[int, int]] | None = None
    for part, files in (("train", train), ("test", test)):
        for file in _in_order(files):
            array = _read_image(file)
            size = (array.shape[1], array.shape[0])
            first = first or (file, size)
            if size != first[1]:
                raise UserError(
                    f"{printable(file)}: found {size[0]}x{size[1]} pixels; allowed: "
                    f"{first[1][0]}x{first[1][1]}, as {printable(first[0])}"
                )
            images[part].append(array)
    channels = max(array.shape[2] for part in images.values() for array in part)
    raw = [
        RawSplit(
            images=_stack(images[part], channels),
            labels=np.repeat(np.arange(len(files)), [len(files[name]) for name in files]),
            images_from=printable(folder),
            labels_from=printable(folder),
        )
        for part, files, folder in (("train", train, path / "train"), ("test", test, test_folder))
    ]
    return raw[0], raw[1], tuple(train)


def describe_folder(path: Path) -> tuple[int, int, int]:
    """Return the image size, channels and number of classes from image headers alone.

    Stops at the first RGB image; a grey set has every header read, as any image
    could make it RGB.

    Parameters
    ----------
    path
        See :func:`read_folder`.

    Raises
    ------
    UserError
        If the layout or a header is not allowed, or the first image is not square.
    """
    train, test, _ = _list_files(path)
    size: tuple[int, int] | None = None
    channels = 1
    for file in (*_in_order(train), *_in_order(test)):
        mode, found = _read_image_header(file)
        size = size or found
        if found[0] != found[1]:
            raise UserError(
                f"{printable(file)}: found {found[0]}x{found[1]} pixels; allowed: square images"
            )
        channels = max(channels, MODES[mode])
        if channels == 3:
            break
    return size[0], channels, len(train)


def _list_files(path: Path) -> tuple[Files, Files, Path]:
    """Return the files of both splits by class, and the test split's folder."""
    require_folder(path, KIND)
    with reading(path, KIND):
        parts = [part for part in ("train", "val", "test") if (path / part).is_dir()]
    if parts not in (["train", "val"], ["train", "test"]):
        raise UserError(
            f"{printable(path)}: found {allowed(parts).replace(' or ', ' and ') or 'none'} of "
            f"train, val and test; allowed: train, and one of val and test"
        )
    folders = path / parts[0], path / parts[1]
    train, test = (_list_split(folder) for folder in folders)
    different = sorted(set(train) ^ set(test))
    if different:
        name = different[0]
        there, absent = folders if name in train else folders[::-1]
        raise UserError(
            f"{printable(absent)}: found no class folder {printable(name)}, which "
            f"{printable(there)} has; allowed: the same class folders in both"
        )
    empty = next((name for name, files in train.items() if not files), None)
    if empty is not None:
        raise UserError(
            f"{printable(folders[0] / empty)}: found no training image; allowed: one or more"
        )
    if not any(test.values()):
        raise UserError(f"{printable(folders[1])}: found zero images; allowed: one or more")
    return train, test, folders[1]


def _list_split(folder: Path) -> Files:
    """Return the image files of each class folder, both sorted by name."""
    files: Files = {}
    for entry in _visible(folder):
        with reading(entry, "a class folder"):
            is_folder = entry.is_dir()
        if not is_folder:
            raise UserError(
                f"{printable(entry)}: found a file beside class folders; "
                "allowed: class folders only"
            )
        files[entry.name] = _visible(entry)
        for file in files[entry.name]:
            with reading(file, "an image file"):
                is_file = file.is_file()
            if not is_file or file.suffix.lower() not in SUFFIXES:
                raise UserError(
                    f"{printable(file)}: found {'another type' if is_file else 'no regular file'}; "
                    f"allowed: image files {allowed(SUFFIXES)}"
                )
    if len(files) < 2:
        raise UserError(
            f"{printable(folder)}: found {len(files)} class folders; allowed: two or more"
        )
    return files


def _visible(folder: Path) -> list[Path]:
    """Return the entries of a folder by name, without hidden ones such as .DS_Store."""
    with reading(folder, "a folder"):
        names = sorted(os.listdir(folder))  # noqa: PTH208 (iterdir builds a path per entry first)
    return [folder / name for name in names if not name.startswith(".")]


def _in_order(files: Files) -> Iterator[Path]:
    for paths in files.values():
        yield from paths


def _read_image_header(file: Path) -> tuple[str, tuple[int, int]]:
    """Return Pillow's mode and the (width, height) of an image file, both checked."""
    from PIL import Image

    with reading(file, "an undamaged image file"), Image.open(file, formats=FORMATS) as image:
        mode, size = image.mode, image.size
    _check_image(file, mode, size)
    return mode, size


def _read_image(file: Path) -> np.ndarray:
    """Return an image as uint8, shape (H, W, C) with C = 1 or 3."""
    from PIL import Image

    with reading(file, "an undamaged image file"), Image.open(file, formats=FORMATS) as image:
        # Before the pixels are decoded: up to here only the header has been read.
        _check_image(file, image.mode, image.size)
        array = np.array(image, dtype=np.uint8)
    return array[:, :, None] if array.ndim == 2 else array


def _check_image(file: Path, mode: str, size: tuple[int, int]) -> None:
    if mode not in MODES:
        raise UserError(
            f"{printable(file)}: found image mode {mode}; allowed: 8-bit grey (L) or RGB, "
            "without palette or transparency"
        )
    if max(size) > MAX_SIDE:
        raise UserError(
            f"{printable(file)}: found {size[0]}x{size[1]} pixels; "
            f"allowed: up to {MAX_SIDE}x{MAX_SIDE}"
        )


def _stack(images: list[np.ndarray], channels: int) -> np.ndarray:
    """Stack images of one size to (N, H, W, C); grey ones are repeated to RGB if C = 3."""
    stacked = np.empty((len(images), *images[0].shape[:2], channels), dtype=np.uint8)
    for index, image in enumerate(images):
        stacked[index] = image  # one channel broadcasts to three
    return stacked
