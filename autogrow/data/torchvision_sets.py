"""CIFAR10, CIFAR100 and SVHN through torchvision's own classes.

torchvision compares each file's MD5 before it unpickles anything, which makes
the pickles of the CIFAR sets safe to open.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from autogrow.data.checks import RawSplit, assemble
from autogrow.data.containers import ImageData
from autogrow.data.locating import locate
from autogrow.data.registry import DATASETS, DIGITS
from autogrow.errors import UserError
from autogrow.files.reading import check_md5, printable, reading


def load_torchvision(name: str, *, root: Path | str | None, download: bool) -> ImageData:
    """Load ``CIFAR10``, ``CIFAR100`` or ``SVHN`` (its train split, without extra).

    Parameters
    ----------
    name
        One of the three.
    root, download
        See :func:`autogrow.data.loading.load`.

    Returns
    -------
    ImageData
        32x32 RGB images.

    Raises
    ------
    UserError
        If a file is missing, damaged or not the published one.
    """
    place, folder = locate(name, root=root, download=download)
    from torchvision import datasets

    cls = getattr(datasets, name)
    if name == "SVHN":
        files = {part: [tuple(cls.split_list[part][1:])] for part in ("train", "test")}
        arguments = {part: {"split": part} for part in files}
    else:
        meta = (cls.meta["filename"], cls.meta["md5"])
        files = {
            "train": [*map(tuple, cls.train_list), meta],
            "test": [*map(tuple, cls.test_list), meta],
        }
        arguments = {"train": {"train": True}, "test": {"train": False}}

    parts: dict[str, Any] = {}
    for part, options in arguments.items():
        try:
            with reading(folder, f"the published files of {name}; delete them and get them again"):
                parts[part] = cls(str(place), download=False, **options)
                if name == "SVHN":  # torchvision turns it to (N, C, H, W)
                    parts[part].data = parts[part].data.transpose(0, 2, 3, 1)
        except UserError:
            # torchvision's message on a wrong checksum names no file: name it. It
            # checks the files of both splits, whichever is loaded.
            for file, md5 in (*files["train"], *files["test"]):
                check_md5(folder / file, md5)
            raise

    classes = DIGITS if name == "SVHN" else tuple(str(c) for c in parts["train"].classes)
    if len(classes) != DATASETS[name].n_classes:
        raise UserError(
            f"{printable(folder)}: found {len(classes)} class names; "
            f"allowed: the {DATASETS[name].n_classes} of {name}"
        )
    raw = []
    for part, data in parts.items():
        source = printable(folder / files[part][0][0])
        with reading(source, "integer labels, one per image"):
            labels = np.asarray(data.labels if name == "SVHN" else data.targets)
        raw.append(RawSplit(np.asarray(data.data), labels, source, source))
    return assemble(DATASETS[name], *raw, classes=classes)
