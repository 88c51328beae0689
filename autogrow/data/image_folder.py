"""Read a user's own folder of image files into memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from autogrow.data.checks import RawData, RawSplit
from autogrow.data.class_folders import class_names, list_classes, require_classes
from autogrow.data.image_header import opened
from autogrow.data.photographs import central_square
from autogrow.errors import UserError, allowed
from autogrow.files.reading import printable, reading, require_folder

MODES = {"L": 1, "RGB": 3}  # Pillow's mode to channels
ANY_SIZE = (
    "; or images of any size with --resize N, which makes them squares of N pixels, or as "
    "imagenet:PATH, which leaves them in their files"
)
KIND = "a folder with train/<class>/* and val/<class>/* or test/<class>/*"


def read_folder(path: Path, *, headers_only: bool = False, resize: int = 0) -> RawData:
    """Read every image below ``train/<class>`` and ``val/<class>`` or ``test/<class>``.

    If grey and RGB images are mixed, all become RGB. With `headers_only` images have their
    shape but no content, and headers are read up to the first RGB image. With `resize` each
    becomes its central square of that many pixels; without, all must have one size.
    """
    require_folder(path, KIND)
    with reading(path, KIND):
        parts = [part for part in ("train", "val", "test") if (path / part).is_dir()]
    if parts not in (["train", "val"], ["train", "test"]):
        raise UserError(
            f"{printable(path)}: found {allowed(parts).replace(' or ', ' and ') or 'none'} of "
            f"train, val and test; allowed: train, and one of val and test"
        )
    train, test = (path / part for part in parts)
    classes = class_names(train)
    require_classes(test, classes, train)
    listed = {
        train: list_classes(train, classes),
        test: list_classes(test, classes, may_be_empty=True),
    }
    files = {
        folder: [folder / c / name for c in classes for name, _ in inside[c]]
        for folder, inside in listed.items()
    }
    images, shape = _read_images(
        [*files[train], *files[test]], headers_only=headers_only, resize=resize
    )
    test_from = len(files[train])
    raw_train, raw_test = (
        RawSplit(
            _stack(part, (len(files[folder]), *shape), headers_only=headers_only),
            np.repeat(np.arange(len(classes)), [len(listed[folder][c]) for c in classes]),
            images_from=printable(folder),
            labels_from=printable(folder),
        )
        for folder, part in ((train, images[:test_from]), (test, images[test_from:]))
    )
    return RawData(raw_train, raw_test, tuple(classes))


def _read_images(
    files: list[Path], *, headers_only: bool, resize: int
) -> tuple[list[np.ndarray], tuple[int, int, int]]:
    """Return the images, (H, W) or (H, W, 3), and the shape that all of them fit into."""
    images = []
    channels = 1
    first = (0, 0)
    for file in files:
        name = printable(file)
        with reading(file, "an undamaged image file"), opened(file, f"{name}: ") as image:
            if image.mode not in MODES:
                raise UserError(
                    f"{name}: found image mode {image.mode}; allowed: 8-bit grey (L) or RGB, "
                    "without palette or transparency"
                )
            mode, size = image.mode, (resize, resize) if resize else image.size
            if not headers_only:
                square = central_square(image, resize, resize) if resize else image
                images.append(np.array(square, dtype=np.uint8))
        if file is files[0]:
            first = size
        if size != first:
            raise UserError(
                f"{name}: found {size[0]}x{size[1]} pixels; allowed: "
                f"{first[0]}x{first[1]}, as {printable(files[0])}{ANY_SIZE}"
            )
        if size[0] != size[1]:
            raise UserError(
                f"{name}: found {size[0]}x{size[1]} pixels; allowed: squares of one size{ANY_SIZE}"
            )
        channels = max(channels, MODES[mode])
        if headers_only and channels == 3:
            break
    return images, (first[1], first[0], channels)


def _stack(images: list[np.ndarray], shape: tuple[int, ...], *, headers_only: bool) -> np.ndarray:
    """Stack images of one size to (N, H, W, C); grey ones are repeated to RGB if C = 3."""
    if headers_only:
        return np.broadcast_to(np.uint8(0), shape)
    stacked = np.empty(shape, dtype=np.uint8)
    for index, image in enumerate(images):
        stacked[index] = image if image.ndim == 3 else image[:, :, None]
    return stacked
