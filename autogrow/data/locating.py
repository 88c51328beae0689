"""Find named data sets in the places that are searched."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

from autogrow.data.registry import DATASETS
from autogrow.data.scratch import staged
from autogrow.errors import UserError
from autogrow.files.reading import printable, reading, require_folder

ROOT_VARIABLE = "AUTOGROW_DATA_ROOT"
PATH_VARIABLE = "AUTOGROW_DATA_PATH"
DEFAULT_ROOT = "data"
DEFAULT_PATH = "/usr/share/datasets"  # where Debian's dataset-* packages install

IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


# Folders below a place and the files that each must have: as torchvision writes them, plus
# Debian's own folder for FashionMNIST.
LAYOUTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "MNIST": (("MNIST/raw",), IDX_FILES),
    "FashionMNIST": (("FashionMNIST/raw", "fashion-mnist"), IDX_FILES),
    "CIFAR10": (
        ("cifar-10-batches-py",),
        (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta"),
    ),
    "CIFAR100": (("cifar-100-python",), ("train", "test", "meta")),
    "SVHN": (("",), ("train_32x32.mat", "test_32x32.mat")),
    # Under the names that people give it; the last is the data set itself as a place.
    "ImageNet": (
        ("ImageNet", "imagenet", "ILSVRC2012", "ILSVRC/Data/CLS-LOC", ""),
        ("train", "val"),
    ),
}


def places(root: Path | str | None) -> list[Path]:
    """Return every folder to search; downloads go to the first, the data root.

    The data root is `root`, else AUTOGROW_DATA_ROOT, else ``./data``. Then come the entries of
    AUTOGROW_DATA_PATH, or /usr/share/datasets if that is not set.
    """
    first = Path(root or os.environ.get(ROOT_VARIABLE) or DEFAULT_ROOT)
    with reading(first, "a folder for data"):
        first = first.expanduser()
        exists = first.exists()
    if exists:
        require_folder(first, "a folder for data")
    extra = os.environ.get(PATH_VARIABLE, DEFAULT_PATH).split(os.pathsep)
    return list(dict.fromkeys([first, *(Path(entry) for entry in extra if entry)]))


def locate(name: str, *, root: Path | str | None, download: bool) -> tuple[Path, Path]:
    """Return the first place that has all files of a named data set, and their folder below it.

    Both are those of the copy where AUTOGROW_SCRATCH asks for one. With `download` a set that
    no place has is downloaded into the root.
    """
    searched = places(root)
    folders, files = LAYOUTS[name]
    partial = None
    for place in searched:
        for folder in folders:
            with reading(place, "a folder of data sets"):
                present = {file: _forms(place / folder / file) for file in files}
            missing = [file for file, forms in present.items() if not forms]
            if not missing:
                place = staged(
                    place, folder, [form for forms in present.values() for form in forms]
                )
                return place, place / folder
            if len(missing) < len(files) and partial is None:
                partial = (place / folder, missing)
    how_to_get = DATASETS[name].how_to_get
    if download:
        fetch(name, searched[0])
        return locate(name, root=root, download=False)
    if partial:
        incomplete, missing = partial
        raise UserError(
            f"{printable(incomplete)}: found {name} without {', '.join(missing)}; "
            f"allowed: all of its files; get it: {how_to_get}"
        )
    where = ", ".join(printable(place.absolute()) for place in searched)
    raise UserError(f"{name}: not found; searched: {where}; get it: {how_to_get}")


def is_there(name: str, *, root: Path | str | None = None) -> bool:
    """Return whether a place has all files of a named data set; none of them is read."""
    folders, files = LAYOUTS[name]
    for place in places(root):
        with reading(place, "a folder of data sets"):
            if any(all(_forms(place / folder / file) for file in files) for folder in folders):
                return True
    return False


def _forms(file: Path) -> list[str]:
    """Return the names under which a file is there: it may be compressed."""
    return [form.name for form in (file, _packed(file)) if form.exists()]


def _packed(file: Path) -> Path:
    return file.with_name(f"{file.name}.gz")


def plain_or_packed(file: Path) -> Path:
    """Return the form in which a file is read where it may have two."""
    return file if file.exists() else _packed(file)


def fetch(name: str, root: Path) -> None:
    """Download a data set into `root`, in torchvision's layout."""
    from torchvision import datasets

    cls = getattr(datasets, name)
    # Of the other sets torchvision downloads both splits at once.
    splits: list[dict[str, Any]] = [{"split": s} for s in ("train", "test")]
    try:
        root.mkdir(parents=True, exist_ok=True)
        # torchvision reports progress on stdout, which belongs to our own output.
        with contextlib.redirect_stdout(sys.stderr):
            for options in splits if name == "SVHN" else [{}]:
                cls(str(root), download=True, **options)
    except Exception as error:  # network, proxy, TLS, disk, archive: all the same to a user
        raise UserError(
            f"{name}: download to {printable(root)} failed "
            f"({printable(f'{type(error).__name__}: {error}')}); allowed: a machine with network "
            f"access, or the files copied to {printable(root)} by hand"
        ) from error
