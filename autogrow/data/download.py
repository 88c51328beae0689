"""Download of the named data sets, by torchvision."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from autogrow.data.reading import printable
from autogrow.errors import UserError


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
    splits = [{"split": "train"}, {"split": "test"}] if name == "SVHN" else [{"train": True}]
    try:
        root.mkdir(parents=True, exist_ok=True)
        # torchvision reports progress on stdout, which belongs to our own output.
        with contextlib.redirect_stdout(sys.stderr):
            for options in splits:
                cls(str(root), download=True, **options)
    except Exception as error:  # network, proxy, TLS, disk, archive: all the same to a user
        raise UserError(
            f"{name}: download to {printable(root)} failed "
            f"({printable(f'{type(error).__name__}: {error}')}); "
            f"tried: {', '.join(_addresses(cls))}; allowed: a machine with network access, "
            f"or the files copied to {printable(root)} by hand"
        ) from error


def _addresses(cls: type) -> list[str]:
    """Return the addresses that a torchvision class downloads from."""
    if hasattr(cls, "mirrors"):
        return list(cls.mirrors)
    if hasattr(cls, "split_list"):
        return [cls.split_list[part][0] for part in ("train", "test")]
    return [cls.url]
