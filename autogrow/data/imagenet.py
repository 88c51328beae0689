"""Images that stay in their files, in ImageNet's layout.

``train/<class>/*`` and either ``val/<class>/*`` or all of val's files in ``val``
itself with a file that labels them (:mod:`autogrow.data.val_labels`). Here files
are listed and looked at from outside, which takes seconds for 1.3 million;
:mod:`autogrow.batches.from_files` decodes them while training.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from autogrow.data.containers import FileSplit, ImageData
from autogrow.data.image_folder import FORMATS, SUFFIXES
from autogrow.data.locating import locate
from autogrow.data.registry import DATASETS, DatasetInfo
from autogrow.data.val_labels import read_val_labels
from autogrow.errors import UserError, allowed
from autogrow.files.reading import printable, require_folder

KIND = "a folder with train/<class>/* and val/<class>/*, or a val of labelled files"
LISTERS = 16  # threads: on a network file system most of the time is waiting
HEADERS = 64  # files of a split that are opened before training

Files = list[tuple[str, int]]  # name and size, sorted by name


def load_imagenet(root: Path | str | None) -> ImageData:
    """List the files of ImageNet below the data root; see :func:`read_layout`.

    Raises
    ------
    UserError
        If it is not there, or not as it should be.
    """
    # Never downloaded: it is given out to registered users alone.
    _, folder = locate("ImageNet", root=root, download=False)
    return read_layout("ImageNet", folder)


def layout_info(name: str, folder: Path) -> DatasetInfo:
    """Return the facts of a user's own folder in ImageNet's layout: its images are treated alike.

    Raises
    ------
    UserError
        If there is no ``train`` folder with two classes.
    """
    require_folder(folder, KIND)
    imagenet = DATASETS["ImageNet"]
    return DatasetInfo(
        name=name,
        image_size=imagenet.image_size,
        channels=imagenet.channels,
        n_classes=len(_class_names(folder / "train")),
        in_package=False,
        mean=imagenet.mean,
        std=imagenet.std,
        flip=imagenet.flip,
        in_files=True,
        how_to_get="your own data",
    )


def read_layout(name: str, folder: Path) -> ImageData:
    """List every image of both splits and check all that can be told without decoding.

    The checksum is the SHA-256 of the sorted list of ``train/<class>/<file>`` and
    ``val/<class>/<file>``, each with its size in bytes: not of the contents, which
    would take hours. A flat val is listed under the classes of its labels, so both
    layouts of the same files have the same checksum and order.

    Parameters
    ----------
    name
        What the data set is called.
    folder
        The one that has ``train`` and ``val`` in it.

    Raises
    ------
    UserError
        If the layout is not as above, a class is empty or in one split only, or a
        file's name is not that of an image.
    """
    start = time.perf_counter()
    require_folder(folder, KIND)
    classes = _class_names(folder / "train")
    train = _list_classes(folder / "train", classes)
    if _has_folders(folder / "val"):
        _check_same_classes(folder, classes)
        val = _list_classes(folder / "val", classes)
        inside = {c: f"val/{c}/" for c in classes}
    else:
        val = _by_label(folder, classes)
        inside = dict.fromkeys(classes, "val/")
    digest = hashlib.sha256()
    for part, files in (("train", train), ("val", val)):
        for c in classes:
            listed = (f"{part}/{c}/{file}\t{size}\n" for file, size in files[c])
            digest.update("".join(listed).encode(errors="surrogateescape"))
    data = ImageData(
        name=name,
        train=_split(folder, train, {c: f"train/{c}/" for c in classes}),
        test=_split(folder, val, inside),
        classes=tuple(classes),
        mean=DATASETS["ImageNet"].mean,
        std=DATASETS["ImageNet"].std,
        statistics_source="paper",
        crop_padding=0,
        flip=True,
        checksum=digest.hexdigest(),
        report=_report(name, folder, train, val, time.perf_counter() - start),
    )
    return data


def broken_files(split: FileSplit) -> Iterator[tuple[int, str]]:
    """Yield which files are found broken at a glance, and how: empty ones, and of a sample more.

    The headers of ``HEADERS`` files, evenly spread, are read.
    """
    from PIL import Image

    for index in np.flatnonzero(split.sizes == 0):
        yield int(index), "the file is empty"
    for index in np.unique(np.linspace(0, len(split) - 1, HEADERS).astype(int)):
        if split.sizes[index]:
            try:
                with Image.open(split.path(index), formats=FORMATS):
                    pass
            except Exception as error:  # a parser raises a dozen types on damage
                yield int(index), damage(error)


def damage(error: Exception) -> str:
    """Return what a decoder's error says of a file, in a few words."""
    if type(error).__name__ == "UnidentifiedImageError":  # names but an object in memory
        return f"no {allowed(FORMATS)} image"
    return printable(f"{type(error).__name__}: {error}")


def _class_names(folder: Path) -> list[str]:
    """Return the names of the class folders, sorted; hidden entries do not count."""
    require_folder(folder, "the folder of the training images, with a folder for each class")
    names, files = [], []
    for entry in _entries(folder):
        (names if _is_folder(entry) else files).append(entry.name)
    if files:
        raise UserError(
            f"{printable(folder / min(files))}: found a file beside class folders{_more(files)}; "
            "allowed: class folders only"
        )
    if len(names) < 2:
        raise UserError(
            f"{printable(folder)}: found {len(names)} class folders; allowed: 2 or more"
        )
    return sorted(names)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:  # not `reading`, whose filter of warnings is not for threads
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise UserError(
            f"{printable(folder)}: cannot be read ({error.strerror}); allowed: a folder"
        ) from None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, for one
        return False


def _has_folders(folder: Path) -> bool:
    require_folder(folder, "the folder of the validation images")
    entries = _entries(folder)
    if not entries:
        raise UserError(f"{printable(folder)}: found zero images; allowed: one or more")
    return any(_is_folder(entry) for entry in entries)


def _check_same_classes(folder: Path, train: list[str]) -> None:
    val = _class_names(folder / "val")
    for absent, here, there in (("val", train, val), ("train", val, train)):
        missing = sorted({*here} - {*there})
        if missing:
            other = "val" if absent == "train" else "train"
            raise UserError(
                f"{printable(folder / absent)}: found no class folder {printable(missing[0])}"
                f"{_more(missing)}, which {printable(folder / other)} has; "
                "allowed: the same class folders in both"
            )


def _list_classes(folder: Path, classes: list[str]) -> dict[str, Files]:
    """Return the files of each class; the first mistake in the order of the classes is told."""
    with ThreadPoolExecutor(LISTERS) as pool:
        listed = list(pool.map(lambda c: list_files(folder / c), classes))
    return dict(zip(classes, listed, strict=True))


def list_files(folder: Path) -> Files:
    """Return names and sizes of the images in a folder, by name.

    Raises
    ------
    UserError
        If there is none, or something else is there.
    """
    files, others = [], []
    for entry in _entries(folder):
        try:
            status = entry.stat()
        except OSError as error:  # a link to nothing, for one
            raise UserError(
                f"{printable(Path(entry.path))}: cannot be read ({error.strerror}); "
                "allowed: an image file"
            ) from None
        if not stat.S_ISREG(status.st_mode) or not entry.name.lower().endswith(SUFFIXES):
            others.append(entry)
        files.append((entry.name, status.st_size))
    if others:
        first = min(others, key=lambda entry: entry.name)
        found = "a folder" if _is_folder(first) else "another type"
        raise UserError(
            f"{printable(Path(first.path))}: found {found}{_more(others)}; "
            f"allowed: image files {allowed(SUFFIXES)}"
        )
    if not files:
        raise UserError(f"{printable(folder)}: found no image; allowed: one or more")
    return sorted(files)


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
            f"{printable(empty[0])}{_more(empty)}; allowed: one or more of each class of train"
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


def _more(things: list) -> str:
    return f" (and {len(things) - 1:,} more)" if len(things) > 1 else ""
