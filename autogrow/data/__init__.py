"""Image data sets for classification: named ones, and a user's own.

Importing this package costs numpy only; torchvision, Pillow and the rest are
imported by the functions that need them, because a short run should not spend
most of its time on imports.
"""

from autogrow.data.containers import AnyImages, FileSplit, ImageData, LoadedSplit, Split
from autogrow.data.loading import image_data, info, load
from autogrow.data.preprocessing import (
    downscaled,
    measure_statistics,
    trimmed,
    with_measured_statistics,
)
from autogrow.data.registry import DATASETS, DatasetInfo
from autogrow.data.splits import holdout, subset

__all__ = [
    "DATASETS",
    "AnyImages",
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
    "subset",
    "trimmed",
    "with_measured_statistics",
]
