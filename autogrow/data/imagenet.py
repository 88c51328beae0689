"""List images that stay in their files, in ImageNet's layout.

:mod:`autogrow.batches.from_files` decodes the files while training.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from autogrow.data.class_folders import (
    Files,
    class_names,
    has_folders,
    list_classes,
    list_files,
    more,
    require_classes,
)
from autogrow.data.containers import FileSplit, ImageData
from autogrow.data.image_header import FORMATS, opened
from autogrow.data.registry import DATASETS, IMAGENET_MEAN, IMAGENET_STD, DatasetInfo
from autogrow.data.val_labels import read_val_labels
from autogrow.errors import UserError, allowed
from autogrow.files.reading import printable, require_folder

KIND = "a folder with train/<class>/* and val/<class>/*, or a val of labelled files"
HEADERS = 64  # files of a split that are opened before training


def layout_info(name: str, folder: Path) -> DatasetInfo:
    """Return the facts of a user's own folder: its images are treated as ImageNet's are."""
    require_folder(folder, KIND)
    return replace(
        DATASETS["ImageNet"],
        name=name,
        n_classes=len(class_names(folder / "train")),
        imagenet_schedule=False,
    )


def read_layout(name: str, folder: Path) -> ImageData:
    """List every image of both splits and check all that needs no decoding.

    The folder has ``train/<class>/*`` and either ``val/<class>/*`` or all of val's files in
    ``val`` itself, labelled by a file (:mod:`autogrow.data.val_labels`). The checksum covers
    class, name and size of every file, not the contents, which would take hours to read.
    A flat val is listed under the classes of its labels, so that both layouts of the same
    files have the same checksum and order.
    """
    start = time.perf_counter()
    require_folder(folder, KIND)
    classes = class_names(folder / "train")
    train = list_classes(folder / "train", classes)
    if has_folders(folder / "val"):
        require_classes(folder / "val", classes, folder / "train")
        val = list_classes(folder / "val", classes)
        inside = {c: f"val/{c}/" for c in classes}
    else:
        val = _by_label(folder, classes)
        inside = dict.fromkeys(classes, "val/")
    digest = hashlib.sha256()
    for part, files in (("train", train), ("val", val)):
        for c in classes:
            listed = (f"{part}/{c}/{file}\t{size}\n" for file, size in files[c])
            digest.update("".join(listed).encode(errors="surrogateescape"))
    return ImageData(
        name=name,
        train=_split(folder, train, {c: f"train/{c}/" for c in classes}),
        test=_split(folder, val, inside),
        classes=tuple(classes),
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        statistics_source="paper",
        crop_padding=0,
        flip=True,
        checksum=digest.hexdigest(),
        report=_report(name, folder, train, val, time.perf_counter() - start),
    )


def broken_files(split: FileSplit) -> Iterator[tuple[int, str]]:
    """Yield empty files and, of ``HEADERS`` evenly spread files, those with a broken header."""
    for index in np.flatnonzero(split.sizes == 0):
        yield int(index), "the file is empty"
    for index in np.unique(np.linspace(0, len(split) - 1, HEADERS).astype(int)):
        if split.sizes[index]:
            try:
                with opened(split.path(index)):
                    pass
            except Exception as error:  # a parser raises a dozen types on damage
                yield int(index), damage(error)


def damage(error: Exception) -> str:
    """Return in a few words what a decoder's error says about a file."""
    if type(error).__name__ == "UnidentifiedImageError":  # names but an object in memory
        return f"no {allowed(FORMATS)} image"
    if isinstance(error, UserError):
        return str(error)
    return printable(f"{type(error).__name__}: {error}")


def _by_label(folder: Path, classes: list[str]) -> dict[str, Files]:
    """Return the files of a flat val by the class that their labels give."""
    files = list_files(folder / "val")
    labels = read_val_labels(folder, [name for name, _ in files], classes)
    found: dict[str, Files] = {c: [] for c in classes}
    for (name, size), label in zip(files, labels, strict=True):
        found[label].append((name, size))
    empty = [c for c in classes if not found[c]]
    if empty:
        raise UserError(
            f"{printable(folder / 'val')}: found no image that is labelled "
            f"{printable(empty[0])}{more(empty)}; allowed: one or more of each class of train"
        )
    return found


def _split(folder: Path, files: dict[str, Files], inside: dict[str, str]) -> FileSplit:
    names = [os.fsencode(inside[c] + file) for c in files for file, _ in files[c]]
    return FileSplit(
        folder=folder,
        files=np.array(names),
        labels=np.repeat(np.arange(len(files)), [len(listed) for listed in files.values()]),
        sizes=np.array([size for listed in files.values() for _, size in listed], dtype=np.int64),
    )


def _report(
    name: str, folder: Path, train: dict[str, Files], val: dict[str, Files], seconds: float
) -> str:
    counts = [[len(files) for files in part.values()] for part in (train, val)]
    sizes = [size for part in (train, val) for files in part.values() for _, size in files]
    a_class = [f"{min(c):,}" + (f" to {max(c):,}" if max(c) > min(c) else "") for c in counts]
    expected = DATASETS["ImageNet"].n_classes
    other = name == "ImageNet" and len(train) != expected
    known = f" (the published ImageNet has {expected:,})" if other else ""
    empty = sizes.count(0)
    return (
        f"{name}: found {sum(counts[0]):,} training and {sum(counts[1]):,} validation images of "
        f"{len(train):,} classes{known} in {printable(folder)}: {a_class[0]} training and "
        f"{a_class[1]} validation images a class, {sum(sizes) / 1e9:.1f} GB"
        + (f", {empty:,} of the files empty" if empty else "")
        + f"; listed in {seconds:.1f} s, not decoded"
    )
