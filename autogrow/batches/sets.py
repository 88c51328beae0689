"""The images of a run: training, validation and test set, on the device or in files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from autogrow import data as datasets
from autogrow.batches.in_memory import DeviceSet
from autogrow.config.resolved import ResolvedSpec
from autogrow.data import AnyImages, FileSplit, ImageData, LoadedSplit, Split, holdout, subset
from autogrow.errors import UserError
from autogrow.networks import names
from autogrow.process.distributed import ALONE, World
from autogrow.seeds import derive

if TYPE_CHECKING:
    from autogrow.batches.from_files import StreamedSet
    from autogrow.batches.from_loaders import LoadedSet
    from autogrow.batches.in_memory import Augmentation

    ImageSet = DeviceSet | StreamedSet | LoadedSet


@dataclass(frozen=True)
class Sets:
    """Training, validation and test set of a run.

    Under ``paper`` the validation set is the test set; so it is where the caller gave no test set.
    """

    train: ImageSet
    val: ImageSet
    test: ImageSet

    @property
    def skipped(self) -> int:
        """How many damaged images the last evaluations of this process have left out."""
        held = 0 if self.val is self.test else self.val.skipped
        return held + self.test.skipped

    def tell(self, say: Callable[[str], None]) -> None:
        """Have ``say`` called for each damaged image that is left out."""
        for images in (self.train, self.val, self.test):
            if not isinstance(images, DeviceSet):
                images.tell = say


def make_sets(
    spec: ResolvedSpec,
    data: ImageData,
    device: torch.device,
    *,
    workers: int | None = None,
    world: World = ALONE,
    augmentation: Augmentation | None = None,
) -> Sets:
    """Return the sets of a run: the subset and the holdout are drawn from the training set.

    The set that is trained on has each image ``spec.repeats`` times: one pass is an epoch.
    A caller's own ``augmentation`` is for images in memory.

    ``workers`` processes decode images in files; None: as many as
    :func:`autogrow.batches.decoding.default_workers` says.

    Raises
    ------
    UserError
        If fewer than two training images are left, the last batch cannot be trained on, or a
        quick look finds broken files.
    """

    def put(split: AnyImages, **changes: Any) -> ImageSet:
        if isinstance(split, Split):
            return DeviceSet(split, data.mean, data.std, device, **changes)
        if isinstance(split, LoadedSplit):
            return _loaded(split, spec, device)
        return _streamed(split, spec, data, device, workers, **changes)

    if augmentation is not None and not isinstance(data.train, Split):
        raise UserError(
            "augmentation: found one for images that are not arrays; allowed: None (a Dataset "
            "augments its images itself)"
        )
    train, held = _drawn(spec, data)
    if len(train) < 2:
        raise UserError(f"{spec.data}: {len(train)} training image; at least 2 are needed")
    _check_last_batch(spec, len(train), data.train.image_size, world)
    test = put(data.test)
    val = test if held is None or held is data.test else put(held)
    if not isinstance(train, LoadedSplit):
        train = train.take(np.tile(np.arange(len(train.labels)), spec.repeats))
    training = put(train, crop_padding=spec.crop_padding, flip=spec.flip)
    training.least = 1 if spec.single_image == "own" else 2
    if isinstance(training, DeviceSet):
        training.augmentation = augmentation
    return Sets(training, val, test)


def _drawn(spec: ResolvedSpec, data: ImageData) -> tuple[AnyImages, AnyImages | None]:
    """Return the images that are trained on and, under ``holdout``, those that are set aside."""
    images = data.train
    seed, stratified = derive(spec.seed, "subset"), spec.subset == "stratified"
    share = spec.data_fraction
    if isinstance(images, LoadedSplit):
        return images, data.validation
    if spec.protocol == "paper" or data.validation is not None:
        validation = None if spec.protocol == "paper" else data.validation
        return subset(images, share, seed=seed, stratified=stratified), validation
    held = spec.holdout_fraction
    return holdout(images, held, kept=share, seed=seed, stratified=stratified)


def _check_last_batch(spec: ResolvedSpec, n: int, image_size: int, world: World) -> None:
    """Refuse a batch of one image where Batch Normalization would see one number a channel."""
    single = spec.single_image == "own" and n % spec.batch_size // world.size == 1
    if single and names.smallest_map(spec.architecture, spec.stem, image_size) == 1:
        raise UserError(
            f"single_image: found own, where {n} images in batches of {spec.batch_size} leave one "
            "alone and the last maps have one pixel; allowed: joined, or another batch_size"
        )


def _loaded(split: LoadedSplit, spec: ResolvedSpec, device: torch.device) -> LoadedSet:
    from autogrow.batches.from_loaders import LoadedSet

    usual = {"data_fraction": 1.0, "repeats": 1, "crop_padding": 0, "flip": False}
    for key, value in usual.items():
        if getattr(spec, key) != value:
            raise UserError(
                f"{key}: found {getattr(spec, key)}; allowed with a Dataset or DataLoader: {value} "
                "(it chooses and augments its images itself)"
            )
    return LoadedSet(split, device)


def _streamed(
    split: FileSplit,
    spec: ResolvedSpec,
    data: ImageData,
    device: torch.device,
    workers: int | None,
    *,
    crop_padding: int = 0,
    flip: bool = False,
) -> StreamedSet:
    from autogrow.batches.decoding import default_workers
    from autogrow.batches.from_files import StreamedSet

    if crop_padding:
        raise UserError(
            f"crop_padding: found {crop_padding}; allowed for {data.name}: 0 (its training "
            "images are random resized crops)"
        )
    return StreamedSet(
        split,
        data.mean,
        data.std,
        device,
        workers=default_workers() if workers is None else workers,
        flip=flip,
        skip_damaged=spec.skip_damaged,
    )


def load_prepared(spec: ResolvedSpec, root: Path | None, *, download: bool = False) -> ImageData:
    """Load the data set that a spec names, as its run uses it; see :func:`prepared`."""
    data = datasets.load(
        spec.data,
        root=root,
        download=download,
        test_images=spec.test_images,
        sha256=spec.data_sha256,
        resize=spec.resize,
    )
    return prepared(data, spec)


def prepared(data: ImageData, spec: ResolvedSpec) -> ImageData:
    """Return a data set as a run of this spec uses it: cut, scaled down, with its statistics."""
    data = datasets.downscaled(datasets.trimmed(data, spec.trim), spec.downscale)
    return datasets.with_measured_statistics(data) if spec.normalisation == "measured" else data
