"""Image files as a user has them, and what a trained network says of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from autogrow.data.image_header import opened
from autogrow.errors import UserError
from autogrow.files.reading import printable, reading, require_file
from autogrow.runs.description import Description
from autogrow.using.loading import TrainedNetwork
from autogrow.using.preparing import fitted_image

MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK")
"""Pillow's modes of images of eight bits a channel or fewer."""


def predict_files(
    trained: TrainedNetwork, files: Sequence[Path], top: int
) -> Iterator[tuple[Path, str, float]]:
    """Yield for each file its ``top`` most probable classes, with their probabilities.

    Images are read as grey or RGB, as the network takes them.

    Raises
    ------
    UserError
        If a file is damaged or no image; what was computed before it has been yielded.
    """
    size = trained.batch_size
    for start in range(0, len(files), size):
        part, images = files[start : start + size], []
        problem = None
        for file in part:
            try:
                images.append(_read(file, trained.description))
            except UserError as error:
                problem = error
                break
        if images:
            told = trained.predict_raw(torch.stack(images)).probabilities
            best = torch.from_numpy(told).topk(min(top, told.shape[1]))
            for file, values, labels in zip(part, best.values, best.indices, strict=False):
                for value, label in zip(values.tolist(), labels.tolist(), strict=True):
                    yield file, trained.class_names[label], value
        if problem:
            raise problem


def _read(file: Path, description: Description) -> Tensor:
    name = printable(file)
    channels = description.channels
    if channels not in (1, 3):
        raise UserError(f"{name}: a network of {channels} channels takes no image files")
    require_file(file, "an image file")
    with reading(file, "an undamaged image file"), opened(file, f"{name}: ") as image:
        if image.mode not in MODES:
            raise UserError(
                f"{name}: found image mode {image.mode}; allowed: 8 bits a channel, grey or colour"
            )
        return fitted_image(image.convert("L" if channels == 1 else "RGB"), description)
