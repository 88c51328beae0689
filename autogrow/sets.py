"""The images of a run on the device: training, validation and test set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from autogrow.batches import DeviceSet
from autogrow.config import RunSpec
from autogrow.data import ImageData, Split, holdout, subset
from autogrow.errors import UserError
from autogrow.seeds import derive


@dataclass(frozen=True)
class Sets:
    """Training, validation and test set on the device; val is test under ``paper``."""

    train: DeviceSet
    val: DeviceSet
    test: DeviceSet


def make_sets(spec: RunSpec, data: ImageData, device: torch.device) -> Sets:
    """Return the sets of a run: the subset drawn, then the holdout split off.

    Raises
    ------
    UserError
        If fewer than two training images are left.
    """

    def on_device(split: Split, **augmentation: Any) -> DeviceSet:
        return DeviceSet(split, data.mean, data.std, device, **augmentation)

    train = subset(data.train, spec.data_fraction, seed=derive(spec.seed, "subset"))
    held = None
    if spec.protocol == "holdout":
        seed = derive(spec.seed, "holdout")
        train, held = holdout(train, spec.holdout_fraction, seed=seed)
    if len(train.labels) < 2:
        raise UserError(f"{spec.data}: {len(train.labels)} training image; at least 2 are needed")
    test = on_device(data.test)
    val = test if held is None else on_device(held)
    return Sets(on_device(train, crop_padding=spec.crop_padding, flip=spec.flip), val, test)
