"""Image data sets for classification: named ones, and a user's own.

Names are loaded on first use: commands that list data sets need no numpy. torchvision, Pillow and
the rest are imported by the functions that need them, because a short run should not spend most
of its time on imports.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autogrow.data.containers import AnyImages, FileSplit, ImageData, LoadedSplit, Split
    from autogrow.data.loading import image_data, info, load
    from autogrow.data.plugin import DATA, DataPlugin, named_info
    from autogrow.data.preprocessing import (
        downscaled,
        measure_statistics,
        trimmed,
        with_measured_statistics,
    )
    from autogrow.data.registry import DATASETS, DatasetInfo
    from autogrow.data.splits import holdout, subset

__all__ = [
    "DATA",
    "DATASETS",
    "AnyImages",
    "DataPlugin",
    "DatasetInfo",
    "FileSplit",
    "ImageData",
    "LoadedSplit",
    "Split",
    "downscaled",
    "holdout",
    "image_data",
    "info",
    "load",
    "measure_statistics",
    "named_info",
    "subset",
    "trimmed",
    "with_measured_statistics",
]
_MODULES = {
    "containers": ("AnyImages", "FileSplit", "ImageData", "LoadedSplit", "Split"),
    "loading": ("image_data", "info", "load"),
    "plugin": ("DATA", "DataPlugin", "named_info"),
    "preprocessing": ("downscaled", "measure_statistics", "trimmed", "with_measured_statistics"),
    "registry": ("DATASETS", "DatasetInfo"),
    "splits": ("holdout", "subset"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
