"""Read the labels of a flat folder of validation images."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from autogrow.errors import UserError
from autogrow.files.reading import printable, read_text, reading, require_file

LABELS = ("val_labels.txt", "LOC_val_solution.csv")
"""``FILE CLASS`` a line, as a user writes it; and Kaggle's file of ImageNet."""

TRUTH = "ILSVRC2012_validation_ground_truth.txt"
META = "meta.mat"
DEVKITS = ("ILSVRC2012_devkit_t12/data", "devkit/data", "data", "")
LARGEST = 64 * 2**20  # bytes of a text file of labels
ABOVE = 4  # folders in which Kaggle's file is looked for: it lies above ILSVRC/Data/CLS-LOC


def read_val_labels(folder: Path, files: Sequence[str], classes: Sequence[str]) -> list[str]:
    """Return the class of each validation image; `files` are sorted.

    ``val_labels.txt`` in the data set's folder wins, then the two files of ImageNet's devkit
    (also beside the folder), then Kaggle's ``LOC_val_solution.csv`` (also above it).
    """
    own, kaggle = LABELS
    if (folder / own).exists():
        return _named(folder / own, files, classes)
    for place in (folder, folder.absolute().parent):
        for devkit in DEVKITS:
            if (place / devkit / TRUTH).exists():
                return _numbered(place / devkit, files, classes)
    for place in (folder, *folder.absolute().parents[: ABOVE - 1]):
        if (place / kaggle).exists():
            return _named(place / kaggle, files, classes)
    raise UserError(
        f"{printable(folder / 'val')}: found images without class folders; allowed: class folders, "
        f"or beside val: {own} ('FILE CLASS' a line), the devkit's {DEVKITS[0]}, or {kaggle}"
    )


def _named(path: Path, files: Sequence[str], classes: Sequence[str]) -> list[str]:
    """Read lines of an image's name, with or without its suffix, and its class."""
    wanted = dict.fromkeys(files) | {name.rpartition(".")[0]: name for name in files}
    known = {*classes}
    labels: dict[str, str] = {}
    for number, line in enumerate(_lines(path), start=1):
        words = re.split(r"[,\s]+", line.strip())
        if words in ([""], ["ImageId", "PredictionString"]):
            continue
        where = f"{printable(path)}: line {number}"
        if len(words) < 2:
            raise UserError(f"{where}: found {printable(repr(line))}; allowed: FILE CLASS")
        name, label = words[:2]
        if name not in wanted:
            raise UserError(
                f"{where}: found {printable(name)}, which is not in val; allowed: its images"
            )
        if label not in known:
            raise UserError(
                f"{where}: found class {printable(label)}, which is not in train; "
                "allowed: names of train's class folders"
            )
        name = wanted[name] or name
        if labels.setdefault(name, label) != label:
            raise UserError(f"{where}: found {printable(name)} again; allowed: each image once")
    missing = next((name for name in files if name not in labels), None)
    if missing is not None:
        raise UserError(
            f"{printable(path)}: found no line for {printable(missing)}, "
            f"{len(labels)} lines for {len(files)} images; allowed: a line for each image of val"
        )
    return [labels[name] for name in files]


def _numbered(devkit: Path, files: Sequence[str], classes: Sequence[str]) -> list[str]:
    """Read the devkit's numbers, in the order of the images' names, and their classes."""
    path = devkit / TRUTH
    names = _class_names(devkit / META)
    lines = [line.strip() for line in _lines(path) if line.strip()]
    if len(lines) != len(files):
        raise UserError(
            f"{printable(path)}: found {len(lines)} labels for {len(files)} images of val; "
            "allowed: one per image"
        )
    known, labels = {*classes}, []
    for number, line in enumerate(lines, start=1):
        label = names.get(line)
        if label not in known:
            named = f" ({printable(label)})" if label else ""
            raise UserError(
                f"{printable(path)}: line {number}: found {printable(repr(line))}{named}; "
                f"allowed: numbers that {META} has, of train's classes"
            )
        labels.append(label)
    return labels


def _class_names(path: Path) -> dict[str, str]:
    """Return the class's name of each number that stands for a class, not a group of them."""
    require_file(path, "the devkit's classes")
    from scipy.io import loadmat

    with reading(path, "the devkit's undamaged file of classes"):
        table = loadmat(path, squeeze_me=True)["synsets"]
        rows = zip(table["ILSVRC2012_ID"], table["WNID"], table["num_children"], strict=True)
        return {str(int(number)): str(name) for number, name, below in rows if not int(below)}


def _lines(path: Path) -> list[str]:
    require_file(path, "a text file of labels")
    return read_text(path, "a text file of labels", LARGEST).splitlines()
