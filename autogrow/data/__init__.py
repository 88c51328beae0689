"""Image data sets for classification: named ones, and a user's own.

Importing this package costs numpy only; torchvision, Pillow and the rest are
imported by the functions that need them, because a short run should not spend
most of its time on imports.
"""

from autogrow.data.arrays import image_data
from autogrow.data.images import FileSplit, ImageData, Split
from autogrow.data.loading import info, load
from autogrow.data.registry import DATASETS, DatasetInfo
from autogrow.data.scaling import downscaled, with_measured_statistics
from autogrow.data.splits import holdout, subset
from autogrow.data.statistics import measure_statistics

__all__ = [
    "DATASETS",
    "DatasetInfo",
    "FileSplit",
    "ImageData",
    "Split",
    "downscaled",
    "holdout",
    "image_data",
    "info",
    "load",
    "measure_statistics",
    "subset",
    "with_measured_statistics",
]
