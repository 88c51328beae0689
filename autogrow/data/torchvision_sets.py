"""CIFAR10, CIFAR100 and SVHN through torchvision's own classes.

Each file's MD5 is compared before torchvision unpickles anything, which makes the pickles
of the CIFAR sets safe to open.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from autogrow.data.checks import RawData, RawSplit, assemble
from autogrow.data.containers import ImageData
from autogrow.data.locating import locate
from autogrow.data.registry import DATASETS, DIGITS
from autogrow.files.reading import printable, reading, require_md5


def load_torchvision(name: str, *, root: Path | str | None, download: bool) -> ImageData:
    """Load ``CIFAR10``, ``CIFAR100`` or ``SVHN`` (its train split, without extra)."""
    place, folder = locate(name, root=root, download=download)
    from torchvision import datasets

    cls = getattr(datasets, name)
    # torchvision compares the checksums too, but its message names no file.
    if name == "SVHN":
        published = [cls.split_list[part][1:] for part in ("train", "test")]
    else:
        published = [*cls.train_list, *cls.test_list, (cls.meta["filename"], cls.meta["md5"])]
    for file, md5 in published:
        require_md5(folder / file, md5)
    source = printable(folder)
    with reading(folder, f"the published files of {name}; delete them and get them again"):
        if name == "SVHN":
            loaded = [cls(str(place), split=part) for part in ("train", "test")]
            train, test = (
                # torchvision turns it to (N, C, H, W).
                RawSplit(part.data.transpose(0, 2, 3, 1), part.labels, source, source)
                for part in loaded
            )
            classes = DIGITS
        else:
            loaded = [cls(str(place), train=part) for part in (True, False)]
            train, test = (
                RawSplit(part.data, np.array(part.targets), source, source) for part in loaded
            )
            classes = tuple(loaded[0].classes)
    return assemble(DATASETS[name], RawData(train, test, classes))
