"""Typed settings of a run: one run is one spec.

The three kinds of a run are ``scratch`` (train a network of a given depth),
``morph`` (train a shallower network, then morph it to a deeper one, Table 2)
and ``autogrow`` (Algorithm 1 and fine-tuning). Every default is the paper's
best practice; a setting left at None is filled in by :func:`resolve`.
"""

from __future__ import annotations

import itertools
import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from autogrow.config.pydantic_errors import first_problem
from autogrow.errors import UserError, allowed
from autogrow.growth.policies import ConvergentGrowth, PeriodicGrowth, Policy
from autogrow.networks import names
from autogrow.networks.names import IMAGENET_STEM_FROM, Initializer, UniformNoise

Epochs = Annotated[int, Field(ge=1, le=100_000)]


def _network(key: str) -> AfterValidator:
    """Return a validator of a network's name whose error names the setting ``key``."""

    def check(text: str) -> str:
        try:
            return str(names.parse_network(text))
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
        1.0, gt=0, le=1, description="fraction of the training set, stratified (Table 11)"
    )
    downscale: int = Field(
        1, ge=1, le=1024, description="images are averaged down by this whole factor first"
    )
    protocol: Literal["paper", "holdout"] = Field(
        "paper",
        description="what steers growing: the test set (paper, as the authors did) or a split "
        "of the training set (holdout; the test set is only reported)",
    )
    holdout_fraction: float = Field(
        0.1, gt=0, lt=1, description="share of the training set that 'holdout' validates on"
    )
    stem: Literal["auto", "small", "imagenet"] = Field(
        "auto", description=f"auto: imagenet from {IMAGENET_STEM_FROM} pixels up, else small"
    )
    width: int | None = Field(
        None,
        ge=1,
        le=4096,
        description="channels of the first sub-network (default: the paper's, 16 or 64)",
    )
    batch_size: int | None = Field(
        None, ge=2, le=1_000_000, description="images a step (default: 128; ImageNet 256)"
    )
    micro_batch: int = Field(
        0, ge=0, description="images at once: a step's gradient is accumulated; 0: the whole batch"
    )
    learning_rate: float | None = Field(
        None,
        gt=0,
        le=1000,
        allow_inf_nan=False,
        description="largest learning rate (default: 0.1 residual, 0.01 plain)",
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="momentum of SGD")
    weight_decay: float | None = Field(
        None,
        ge=0,
        le=1,
        description="weight decay on all parameters (default: 5e-4; ImageNet 1e-4)",
    )
    milestones: tuple[float, ...] | None = Field(
        None,
        strict=False,
        description="fractions of the epochs at which the staircase learning rate falls to a "
        "tenth (default: 0.5 0.75; ImageNet 1/3 2/3)",
    )
    crop_padding: int | None = Field(
        None,
        ge=0,
        le=64,
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
        0, ge=0, le=100_000, description="keep all parameters every so many epochs and at growths"
    )
    seed: int = Field(0, ge=0, le=2**32 - 1, description="seed of everything random")

    @field_validator("milestones")
    @classmethod
    def _increasing(cls, value: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if value is None:
            return value
        bounded = (0.0, *value, 1.0)
        if not value or not all(a < b for a, b in itertools.pairwise(bounded)):  # NaN fails too
            raise ValueError("allowed: increasing fractions between 0 and 1, as 0.5 0.75")
        return value

    @property
    def architecture(self) -> names.Architecture:
        """The architecture that the run trains."""
        raise NotImplementedError


class ScratchSpec(RunSpec):
    """Train a network of a given depth from random weights."""

    kind: Literal["scratch"] = "scratch"
    network: Annotated[str, _network("network")] = Field(
        description="network with its depth, as Basic3ResNet-3-3-3"
    )
    epochs: Epochs | None = Field(None, description="epochs (default: 200; ImageNet 90)")

    @property
    def architecture(self) -> names.Architecture:
        """The architecture that the run trains."""
        return names.parse_network(self.network).architecture


class _StackingSpec(RunSpec):
    """Settings of the runs that stack sub-modules."""

    uniform_noise: UniformNoise = Field(
        "std1",
        description="UniInit's noise: standard deviation 1.0 (the paper), or U(0, 1) as in the "
        "released code (unit)",
    )
    adaminit_slack: float = Field(
        0.5,
        ge=0,
        le=100,
        description="AdamInit is done when training accuracy is above the shallower net's less "
        "this (percentage points; the released code's, the paper says 'as good as')",
    )


class MorphSpec(_StackingSpec):
    """Train a network to the end, morph it to a deeper one, train that one (Table 2)."""

    kind: Literal["morph"] = "morph"
    from_network: Annotated[str, _network("from")] = Field(
        alias="from", description="the shallower network, as Basic3ResNet-3-3-3"
    )
    to_network: Annotated[str, _network("to")] = Field(
        alias="to", description="the deeper network, as Basic3ResNet-5-5-5"
    )
    initializer: Initializer = Field(
        "ZeroInit", description="initializer of the new sub-modules' last BN"
    )
    epochs: Epochs | None = Field(
        None, description="epochs of each of the two trainings (default: 200; ImageNet 90)"
    )

    @model_validator(mode="after")
    def _deeper(self) -> Self:
        shallow, deep = (names.parse_network(n) for n in (self.from_network, self.to_network))
        if shallow.architecture != deep.architecture:
            raise ValueError(
                f"to: {deep} is not of {shallow}'s architecture; allowed: a deeper "
                f"{shallow.architecture.name}"
            )
        pairs = list(zip(shallow.depth, deep.depth, strict=True))
        if any(d < s for s, d in pairs) or shallow == deep:
            raise ValueError(f"to: {deep} is not deeper than {shallow}; allowed: a deeper network")
        return self

    @property
    def architecture(self) -> names.Architecture:
        """The architecture that the run trains."""
        return names.parse_network(self.to_network).architecture


class AutogrowSpec(_StackingSpec):
    """Grow a seed network by Algorithm 1, then fine-tune the found net."""

    kind: Literal["autogrow"] = "autogrow"
    network: Annotated[str, AfterValidator(lambda n: names.parse_architecture(n).name)] = Field(
        description="architecture without a depth, as Basic3ResNet"
    )
    seed_depth: str | None = Field(
        None, description="depth of the seed network (default: 1-1-1 or 1-1-1-1)"
    )
    policy: Literal["periodic", "convergent"] = Field("periodic", description="growing policy")
    K: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="growing period in epochs (default: 3; convergent: T)",
    )
    J: int | None = Field(
        None, ge=1, le=100_000, description="stop window in epochs, periodic only (default: T)"
    )
    tau: float = Field(
        0.05, gt=0, le=100, description="smallest gain in accuracy that counts (percentage points)"
    )
    initializer: Initializer = Field(
        "GauInit", description="initializer of a new sub-module's last BN"
    )
    growing_rate: Literal["constant", "staircase"] = Field(
        "constant",
        description="learning rate while growing: constant, or falling inside each K epochs",
    )
    finetune_epochs: Epochs | None = Field(
        None, description="N, epochs of fine-tuning (default: 200; ImageNet 90)"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.seed_depth is not None:
            names.parse_depth(self.seed_depth, self.architecture, "seed_depth")
        if self.J is not None and self.K is not None and self.K > self.J:
            raise ValueError(f"J: {self.J} is less than K ({self.K}); allowed: J from K up")
        return self

    @property
    def architecture(self) -> names.Architecture:
        """The architecture that the run trains."""
        return names.parse_architecture(self.network)

    @property
    def seed_network(self) -> names.NetworkName:
        """The network that growing starts from."""
        depth = self.seed_depth or names.format_depth(self.architecture.seed_depth)
        return names.NetworkName(self.architecture, names.parse_depth(depth, self.architecture))

    @property
    def growth_policy(self) -> Policy:
        """The policy object; the spec must be resolved."""
        if self.policy == "periodic":
            return PeriodicGrowth(K=self.K, J=self.J, tau=self.tau)
        return ConvergentGrowth(K=self.K, tau=self.tau)


AnySpec = Annotated[ScratchSpec | MorphSpec | AutogrowSpec, Field(discriminator="kind")]
SPECS: dict[str, type[RunSpec]] = {
    "scratch": ScratchSpec,
    "morph": MorphSpec,
    "autogrow": AutogrowSpec,
}
_ADAPTER: TypeAdapter[Any] = TypeAdapter(AnySpec)


def parse_spec(settings: object, source: str = "spec") -> RunSpec:
    """Return the spec that ``settings`` describe.

    Parameters
    ----------
    settings
        A mapping of keys to plain values, as read from a YAML file.
    source
        Where they come from, for error messages.

    Raises
    ------
    UserError
        For unknown keys, wrong types and impossible values.
    """
    if not isinstance(settings, dict):
        raise UserError(f"{source}: a mapping of keys to values is wanted, found {settings!r:.80}")
    found = settings.get("kind", "nothing")
    if not isinstance(found, str) or found not in SPECS:
        raise UserError(f"{source}: kind: found {found!r:.80}; allowed: {allowed(SPECS)}")
    try:
        return _ADAPTER.validate_python(settings)
    except ValidationError as error:
        model = SPECS[settings["kind"]]
        raise UserError(f"{source}: {first_problem(error, model, skip=1)}") from None
    except UserError as error:
        raise UserError(f"{source}: {error}") from None


def to_json(spec: RunSpec) -> dict[str, Any]:
    """Return the spec as a mapping of plain values, ``from`` and ``to`` by their names."""
    return spec.model_dump(mode="json", by_alias=True)
