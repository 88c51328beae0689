"""Settings that all kinds of runs share: data, network width, optimization, and the seed."""

from __future__ import annotations

import itertools
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from autogrow.errors import UserError
from autogrow.networks import names
from autogrow.networks.names import IMAGENET_STEM_FROM

Width = Annotated[int, Field(ge=1, le=4096)]
BatchSize = Annotated[int, Field(ge=2, le=1_000_000)]
LearningRate = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
WeightDecay = Annotated[float, Field(ge=0, le=1)]
Padding = Annotated[int, Field(ge=0, le=64)]
Epochs = Annotated[int, Field(ge=1, le=100_000)]


def _increasing(fractions: tuple[float, ...]) -> tuple[float, ...]:
    bounded = itertools.pairwise((0.0, *fractions, 1.0))
    if not fractions or not all(a < b for a, b in bounded):  # NaN fails too
        raise ValueError("allowed: increasing fractions between 0 and 1, as 0.5 0.75")
    return fractions


Milestones = Annotated[tuple[float, ...], Field(strict=False), AfterValidator(_increasing)]


def network_name(key: str) -> AfterValidator:
    """Return a validator of a network's name whose error names the setting ``key``."""

    def check(text: str) -> str:
        try:
            return str(names.known(names.parse_network(text)))
        except UserError as error:
            raise UserError(re.sub("^network", key, str(error))) from None

    return AfterValidator(check)


class RunSpec(BaseModel):
    """Settings that all kinds of runs share."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    data: str = Field(
        min_length=1,
        description="data set: a name (digits, CIFAR10, ImageNet, ...), folder:PATH, npz:PATH or "
        "imagenet:PATH",
    )
    data_fraction: float = Field(
        1.0, gt=0, le=1, description="fraction of the training set (Table 11)"
    )
    subset: Literal["stratified", "random"] = Field(
        "stratified",
        description="how such a fraction is drawn: as large in every class (stratified), or "
        "from all images alike, as in the released code (random)",
    )
    repeats: int = Field(
        1,
        ge=1,
        le=1000,
        description="how often an epoch takes each training image: more than once where the "
        "evaluation after every epoch would take longer than the training",
    )
    test_images: int = Field(
        0,
        ge=0,
        description="digits and MNIST5000: images of the test set, the others are for training; "
        "0: 360 and 1000",
    )
    data_sha256: str = Field(
        "",
        pattern="^([0-9a-f]{64})?$",
        description="npz:PATH: the SHA-256 that the file must have; empty: any",
    )
    resize: int = Field(
        0,
        ge=0,
        le=1024,
        description="folder:PATH: images may have any size and shape; their shorter side is "
        "resized to this many pixels, and the square in the centre is cut out; 0: all images are "
        "squares of one size",
    )
    trim: int = Field(
        0, ge=0, le=1024, description="pixels that are cut from each side of the images first"
    )
    downscale: int = Field(
        1, ge=1, le=1024, description="images are then averaged down by this whole factor"
    )
    protocol: Literal["paper", "holdout"] | None = Field(
        None,
        description="what steers growing: the test set (paper, as the authors did) or images "
        "of the training set that are not trained on (holdout; the test set is only reported); "
        "default: paper for the named data sets, holdout for your own",
    )
    holdout_fraction: float = Field(
        0.1, gt=0, lt=1, description="share of the whole training set that 'holdout' validates on"
    )
    stem: Literal["auto", "small", "imagenet"] = Field(
        "auto", description=f"auto: imagenet from {IMAGENET_STEM_FROM} pixels up, else small"
    )
    width: Width | None = Field(
        None, description="channels of the first sub-network (default: the paper's, 16 or 64)"
    )
    pretrained: str = Field(
        "",
        description="a safetensors file of the library's weights, timm: and torchvision: networks "
        "only: the seed network keeps its blocks' weights; empty: random weights",
    )
    pretrained_sha256: str = Field(
        "",
        pattern="^([0-9a-f]{64})?$",
        description="the SHA-256 that this file must have; empty: any",
    )
    batch_size: BatchSize | None = Field(
        None, description="images in a step (default: 128; ImageNet 256)"
    )
    micro_batch: int = Field(
        0, ge=0, description="images at once: a step's gradient is accumulated; 0: the whole batch"
    )
    learning_rate: LearningRate | None = Field(
        None, description="largest learning rate (default: 0.1 residual, 0.01 plain)"
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="momentum of SGD")
    weight_decay: WeightDecay | None = Field(
        None, description="weight decay on all parameters (default: 5e-4; ImageNet 1e-4)"
    )
    milestones: Milestones | None = Field(
        None,
        description="fractions of the epochs at which the staircase learning rate falls to a "
        "tenth (default: 0.5 0.75; ImageNet 1/3 2/3)",
    )
    crop_padding: Padding | None = Field(
        None,
        description="zero padding of random crops in pixels, 0: none (default: the data set's)",
    )
    flip: bool | None = Field(None, description="random horizontal flips (default: the data set's)")
    skip_damaged: bool = Field(
        False,
        description="images in files: those that cannot be decoded are skipped and counted, "
        "not an error",
    )
    normalisation: Literal["released", "measured"] = Field(
        "released",
        description="mean and standard deviation of the paper's data sets: the released code's "
        "(CIFAR10's is known to be too small there), or measured from the training set",
    )
    precision: Literal["fp32", "tf32", "bf16"] = Field(
        "fp32",
        description="of multiplications: fp32, tf32 (some GPUs) or bf16; weights stay fp32",
    )
    sync_bn: bool = Field(
        False, description="several GPUs: BN statistics over all of them, not each GPU's images"
    )
    snapshots: int = Field(
        0,
        ge=0,
        le=100_000,
        description="epochs between two snapshots of all parameters; growths keep them too",
    )
    seed: int = Field(0, ge=0, le=2**32 - 1, description="seed of everything random")

    @property
    def first_network(self) -> names.NetworkName:
        """The network that training starts with."""
        raise NotImplementedError

    @property
    def architecture(self) -> names.Architecture:
        """The architecture that the run trains."""
        return self.first_network.architecture

    def image_size(self, size: int) -> int:
        """Return height and width in pixels of what the run sees of images of a ``size``."""
        return (size - 2 * self.trim) // self.downscale
