"""Find named data sets: the places that are searched, and the layouts that are known."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Layout:
    """Files of a data set below a place.

    Attributes
    ----------
    folder
        Folder below the place; "" for the place itself.
    files
        All the files or folders that must be in it; each may also be there as ``.gz`` if `gz`.
    gz
        Whether compressed files are read too.
    """

    folder: str
    files: tuple[str, ...]
    gz: bool = False

    def present(self, place: Path) -> dict[str, list[str]]:
        """Return under which names each file is below `place`."""
        return {
            file: [
                name
                for name in (file, f"{file}.gz")[: 1 + self.gz]
                if (place / self.folder / name).exists()
            ]
            for file in self.files
        }


# As torchvision writes them, plus Debian's own folder for FashionMNIST.
LAYOUTS: dict[str, tuple[Layout, ...]] = {
    "MNIST": (Layout("MNIST/raw", IDX_FILES, gz=True),),
    "FashionMNIST": (
        Layout("FashionMNIST/raw", IDX_FILES, gz=True),
        Layout("fashion-mnist", IDX_FILES, gz=True),
    ),
    "CIFAR10": (
        Layout(
            "cifar-10-batches-py",
            (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta"),
        ),
    ),
    "CIFAR100": (Layout("cifar-100-python", ("train", "test", "meta")),),
    "SVHN": (Layout("", ("train_32x32.mat", "test_32x32.mat")),),
    # Folders, under the names that people give them; the last is the data set itself as a place.
    "ImageNet": tuple(
        Layout(folder, ("train", "val"))
        for folder in ("ImageNet", "imagenet", "ILSVRC2012", "ILSVRC/Data/CLS-LOC", "")
    ),
}


def data_root(root: Path | str | None) -> Path:
    """Return the folder that downloads go to and that is searched first.

    Parameters
    ----------
    root
        Wins if given; then the environment's AUTOGROW_DATA_ROOT, then ``./data``.

    Raises
    ------
    UserError
        If it exists but is not a folder.
    """
    chosen = Path(root or os.environ.get(ROOT_VARIABLE) or DEFAULT_ROOT)
    with reading(chosen, "a folder for data"):
        chosen = chosen.expanduser()
        exists = chosen.exists()
    if exists:
        require_folder(chosen, "a folder for data")
    return chosen


def places(root: Path | str | None) -> list[Path]:
    """Return every folder to search, in order, without repeats.

    After :func:`data_root` come the entries of AUTOGROW_DATA_PATH (separated as PATH is),
    or /usr/share/datasets if that is not set.
    """
    extra = os.environ.get(PATH_VARIABLE, DEFAULT_PATH).split(os.pathsep)
    found = [data_root(root), *(Path(entry) for entry in extra if entry)]
    return list(dict.fromkeys(found))


def locate(name: str, *, root: Path | str | None, download: bool) -> tuple[Path, Path]:
    """Find a named data set; the first place that has all of its files wins.

    Parameters
    ----------
    name
        A key of :data:`LAYOUTS`.
    root
        See :func:`data_root`.
    download
        Whether to download it into the root if no place has it.

    Returns
    -------
    place, folder : Path
        The place, and the folder of the files below it; of its copy on this machine's own
        disk, where AUTOGROW_SCRATCH asks for one.

    Raises
    ------
    UserError
        If no place has it (the message names all of them), a place has only some
        of its files, or the download fails.
    """
    searched = places(root)
    partial = None
    for place in searched:
        for layout in LAYOUTS[name]:
            with reading(place, "a folder of data sets"):
                present = layout.present(place)
            missing = [file for file, names in present.items() if not names]
            if not missing:
                place = staged(
                    place, layout.folder, [n for names in present.values() for n in names]
                )
                return place, place / layout.folder
            if len(missing) < len(layout.files) and partial is None:
                partial = (place / layout.folder, missing)
    how_to_get = DATASETS[name].how_to_get
    if download:
        fetch(name, searched[0])
        return locate(name, root=root, download=False)
    if partial:
        folder, missing = partial
        raise UserError(
            f"{printable(folder)}: found {name} without {', '.join(missing)}; "
            f"allowed: all of its files; get it: {how_to_get}"
        )
    where = ", ".join(printable(place.absolute()) for place in searched)
    raise UserError(f"{name}: not found; searched: {where}; get it: {how_to_get}")


def fetch(name: str, root: Path) -> None:
    """Download a data set into `root`, in torchvision's layout.

    Parameters
    ----------
    name
        MNIST, FashionMNIST, CIFAR10, CIFAR100 or SVHN.
    root
        Made if it does not exist.

    Raises
    ------
    UserError
        If it fails; the message says what was tried.
    """
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
