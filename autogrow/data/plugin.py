"""Data sets that installed packages add."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from autogrow.data.registry import DATASETS, DatasetInfo
from autogrow.errors import UserError, shortened, shown
from autogrow.plugins import Registry

if TYPE_CHECKING:
    from autogrow.data.containers import ImageData


@dataclass(frozen=True)
class DataPlugin:
    """A data set of a package, which an entry point of ``autogrow.data`` gives a name.

    Parameters
    ----------
    info
        What is known before it is loaded: size, channels, classes, numbers of images, crops and
        flips, and mean and standard deviation, or None to measure them.
    load
        Returns the images, as :func:`autogrow.image_data` makes them of arrays.

    Examples
    --------
    >>> import numpy as np
    >>> import autogrow
    >>> def load():
    ...     images, labels = np.zeros((6, 8, 8), np.uint8), np.arange(6) % 2
    ...     return autogrow.image_data(images, labels, images, labels)
    >>> info = autogrow.DatasetInfo("Blank", image_size=8, channels=1, n_classes=2, images=(6, 6))
    >>> len(autogrow.DataPlugin(info, load).load().train)
    6
    """

    info: DatasetInfo
    load: Callable[[], ImageData]


def _fault(found: Any) -> str | None:
    if not isinstance(found, DataPlugin):
        return "is no data set: an autogrow.DataPlugin"
    if not isinstance(found.info, DatasetInfo):
        return "has an info that is no autogrow.DatasetInfo"
    if found.info.one_set:
        return "is one_set, as only data sets of autogrow itself can be"
    return None if callable(found.load) else "has a load that is no function"


DATA = Registry("data set", "autogrow.data", dict.fromkeys(DATASETS, ""), _fault)


def is_added(name: str) -> bool:
    """Return whether an installed package adds a data set of this name."""
    return ":" not in name and name not in DATASETS and name in DATA.added


def named_info(name: str) -> DatasetInfo | None:
    """Return what is known about a data set that has a name; None for data at a path.

    Raises
    ------
    UserError
        If an installed package adds it, and that does not work.
    """
    if not is_added(name):
        return DATASETS.get(name)
    plugin: DataPlugin = DATA.find(name)
    return replace(plugin.info, name=name)


def load_added(name: str) -> ImageData:
    """Return the images of a data set that an installed package adds, checked as all others.

    Raises
    ------
    UserError
        If they cannot be loaded, or are not what the package says of them.
    """
    from autogrow.data.checks import RawData, RawSplit, assemble
    from autogrow.data.containers import ImageData, Split

    info, plugin = named_info(name), DATA.find(name)
    assert info is not None
    where = f"data: {name} of {DATA.origin(name)}"
    try:
        loaded = plugin.load()
    except UserError:
        raise
    except Exception as error:  # whatever somebody's module raises
        raise UserError(
            f"{where} cannot be loaded: {type(error).__name__}: {shortened(str(error))}; allowed: "
            "a load that returns autogrow.image_data(...)"
        ) from None
    if not isinstance(loaded, ImageData) or not isinstance(loaded.train, Split):
        raise UserError(
            f"{where}: load returned {shown(loaded)}; allowed: what autogrow.image_data returns"
        )
    parts = {"train": loaded.train, "test": loaded.test, "validation": loaded.validation}
    train, test, *others = (
        RawSplit(part.images, part.labels, f"{name}: {key} images", f"{name}: {key} labels")
        for key, part in parts.items()
        if isinstance(part, Split)
    )
    counts = (len(loaded.train), len(loaded.test))
    found, told = (*counts, loaded.n_classes), (*info.images, info.n_classes)
    if found != told:
        raise UserError(
            f"{where}: found {found[0]} + {found[1]} images of {found[2]} classes; allowed: "
            f"{told[0]} + {told[1]} images of {told[2]} classes, as its info says"
        )
    return assemble(info, RawData(train, test, loaded.classes, *others))
