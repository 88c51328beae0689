"""Settings of a run as a user gives them: one run is one spec.

The three kinds of a run are ``scratch`` (train a network of a given depth),
``morph`` (train a shallower network, then morph it to a deeper one, Table 2)
and ``autogrow`` (Algorithm 1 and fine-tuning). Every default is the paper's
best practice. :func:`autogrow.config.resolving.resolve` fills in the settings left at None.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from autogrow.config.budget_settings import BUDGETS, BudgetSettings
from autogrow.config.policy_settings import Option
from autogrow.config.pydantic_errors import validated
from autogrow.config.shared_settings import Epochs, RunSpec, network_name
from autogrow.config.training_choices import MorphChoices, StackingChoices, TrainingChoices
from autogrow.errors import UserError, allowed, shown
from autogrow.growth.registry import POLICIES
from autogrow.networks import names
from autogrow.networks.initializer_names import INITIALIZERS
from autogrow.networks.names import UniformNoise

Initializer = Annotated[str, AfterValidator(INITIALIZERS.known)]


class ScratchSpec(TrainingChoices, RunSpec):
    """Train a network of a given depth from random weights.

    Examples
    --------
    >>> import autogrow
    >>> autogrow.ScratchSpec(network="Basic3ResNet-2-2-2", data="digits", epochs=20).epochs
    20
    """

    kind: Literal["scratch"] = "scratch"
    network: Annotated[str, network_name("network")] = Field(
        description="network with its depth, as Basic3ResNet-3-3-3 or timm:resnet18-2-2-2-2"
    )
    epochs: Epochs | None = Field(None, description="epochs (default: 200; ImageNet 90)")
    schedule: Literal["staircase", "constant", "restarts"] = Field(
        "staircase",
        description="learning rate: falling at the milestones, constant, or falling inside every "
        "--period epochs; with the last two a seed network is trained as while growing",
    )
    period: int = Field(
        0,
        ge=0,
        le=100_000,
        description="epochs after which the schedule 'restarts' begins again; 0: with others",
    )
    continue_from: str = Field(
        "",
        description="folder of a finished run whose network is trained on: its settings are taken "
        "where none are given, and its last learning rate, which stays constant; empty: random "
        "weights",
    )
    continue_sha256: str = Field(
        "",
        pattern="^([0-9a-f]{64})?$",
        description="the SHA-256 that the weights of continue_from must have; by default as they "
        "are",
    )

    @model_validator(mode="after")
    def _restarting(self) -> Self:
        if (self.schedule == "restarts") != (self.period > 0):
            raise ValueError(
                f"period: found {self.period}; allowed: from 1 with the schedule 'restarts', "
                "and 0 with others"
            )
        return self

    @property
    def first_network(self) -> names.NetworkName:
        """The network that training starts with."""
        return names.parse_network(self.network)


class StackingSpec(StackingChoices, RunSpec):
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


class MorphSpec(MorphChoices, StackingSpec):
    """Train a network to the end, morph it to a deeper one, train that one (Table 2).

    Examples
    --------
    >>> import autogrow
    >>> names = {"from": "Basic3ResNet-1-1-1", "to": "Basic3ResNet-2-2-2"}
    >>> autogrow.MorphSpec(**names, data="digits").initializer
    'ZeroInit'
    """

    kind: Literal["morph"] = "morph"
    from_network: Annotated[str, network_name("from")] = Field(
        alias="from", description="the shallower network, as Basic3ResNet-3-3-3"
    )
    to_network: Annotated[str, network_name("to")] = Field(
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
    def first_network(self) -> names.NetworkName:
        """The network that training starts with."""
        return names.parse_network(self.from_network)


class AutogrowSpec(BudgetSettings, StackingSpec):
    """Grow a seed network by Algorithm 1, then fine-tune the found net.

    Examples
    --------
    >>> import autogrow
    >>> autogrow.AutogrowSpec(network="Basic3ResNet", data="digits", K=2).initializer
    'GauInit'
    """

    kind: Literal["autogrow"] = "autogrow"
    network: Annotated[str, AfterValidator(lambda n: names.parse_architecture(n).name)] = Field(
        description="architecture without a depth, as Basic3ResNet, timm:resnet18 or "
        "torchvision:resnet18"
    )
    seed_depth: str | None = Field(
        None, description="depth of the seed network (default: 1-1-1 or 1-1-1-1)"
    )
    policy: Annotated[str, AfterValidator(POLICIES.known)] = Field(
        "periodic", description="growing policy (`autogrow list policies` has all)"
    )
    policy_options: dict[str, Option] = Field(
        {}, description="the policy's own parameters, as target=3-3-3"
    )
    K: Epochs | None = Field(
        None,
        description="growing period in epochs (default: the policy's; periodic 3, convergent T)",
    )
    J: Epochs | None = Field(
        None, description="stop window in epochs, of policies that have one (default: T)"
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
    growing_steps: Literal["halves", "milestones"] = Field(
        "halves",
        description="where the staircase inside K epochs falls: at K/2 and 3K/4, or at the "
        "fractions in milestones, as in the released code (K/3 and 2K/3 on ImageNet)",
    )
    max_depth: str = Field(
        "none",
        description="largest depth of the sub-networks: none, a depth as 6-16-72-32, or that of "
        "the released code (released: 200 each; ImageNet 6-16-72-32)",
    )
    finetune_epochs: Epochs | None = Field(
        None, description="N, epochs of fine-tuning (default: 200; ImageNet 90)"
    )
    finetuning: Literal["full", "short"] = Field(
        "full",
        description="after convergent growth: N epochs from the largest learning rate, or as in "
        "the released code N/2, the first half from a tenth, the second from a hundredth of it",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.seed_depth is not None:
            architecture = names.parse_architecture(self.network)
            names.parse_depth(self.seed_depth, architecture, "seed_depth")
        if self.max_depth not in ("none", "released"):
            names.parse_depth(self.max_depth, names.parse_architecture(self.network), "max_depth")
        if self.J is not None and self.K is not None and self.K > self.J:
            raise ValueError(f"J: {self.J} is less than K ({self.K}); allowed: J from K up")
        return self

    @property
    def first_network(self) -> names.NetworkName:
        """The network that growing starts from."""
        architecture = names.parse_architecture(self.network)
        depth = self.seed_depth or names.format_depth(architecture.seed_depth)
        return names.NetworkName(architecture, names.parse_depth(depth, architecture))


class GivenSpec(AutogrowSpec):
    """Growing of what a caller of :func:`autogrow.grow` gave as objects, held here as texts.

    The command line cannot carry it out. A run continues only with objects of equal texts.
    """

    given: dict[str, str] = Field(description="what the caller gave: network, optimizer, ...")


SPECS: dict[str, type[ScratchSpec] | type[MorphSpec] | type[AutogrowSpec]] = {
    "scratch": ScratchSpec,
    "morph": MorphSpec,
    "autogrow": AutogrowSpec,
}


def parse_spec(settings: object, source: str = "spec") -> ScratchSpec | MorphSpec | AutogrowSpec:
    """Return the spec of these settings; ``source`` names them in error messages.

    With a key ``given`` it is a :class:`GivenSpec`.

    Raises
    ------
    UserError
        For unknown keys, wrong types and impossible values.
    """
    if not isinstance(settings, dict):
        raise UserError(f"{source}: found {shown(settings)}; allowed: a mapping of keys to values")
    kind = settings.get("kind", "nothing")
    if not isinstance(kind, str) or kind not in SPECS:
        raise UserError(f"{source}: kind: found {shown(kind)}; allowed: {allowed(SPECS)}")
    if kind == "autogrow" and "given" in settings:
        return validated(GivenSpec, settings, source)
    return validated(SPECS[kind], settings, source)


YOUNGER = (
    *("resize", "continue_from", "continue_sha256", "pretrained", "pretrained_sha256"),
    "policy_options",
    *BUDGETS,
)
"""Settings that are left out where they are unset: older specs, and their checksums, lack them."""


def to_json(spec: RunSpec) -> dict[str, Any]:
    """Return the spec as a mapping of plain values, ``from`` and ``to`` by their names."""
    values = spec.model_dump(mode="json", by_alias=True)
    fields = type(spec).model_fields
    return {k: v for k, v in values.items() if k not in YOUNGER or v != fields[k].default}


def spec_checksum(spec: dict[str, Any]) -> str:
    """Return the checksum by which summaries and checkpoints know the spec of these values."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()
