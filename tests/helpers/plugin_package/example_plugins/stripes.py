"""A data set: stripes across, down and aslant, with noise."""

from __future__ import annotations

import numpy as np

import autogrow

CLASSES = ("across", "down", "aslant")


def _drawn(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(count) % len(CLASSES)
    y, x = np.mgrid[:12, :12]
    phases = np.stack([y, x, x + y])[labels] + rng.integers(0, 4, (count, 1, 1))
    noise = rng.integers(0, 100, phases.shape)
    return (150 * (phases % 4 < 2) + noise).astype(np.uint8), labels


def load() -> autogrow.ImageData:
    """Return the images, always the same ones; yours may come from a file of the package."""
    rng = np.random.default_rng(0)
    train, test = _drawn(240, rng), _drawn(90, rng)
    return autogrow.image_data(*train, *test, classes=CLASSES)


STRIPES = autogrow.DataPlugin(
    autogrow.DatasetInfo(
        "stripes", image_size=12, channels=1, n_classes=3, images=(240, 90), crop_padding=1
    ),
    load,
)
