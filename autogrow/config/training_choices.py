"""Choices of networks and training, see docs/choices.md.

A spec's first bases, so that `--help` shows them after what every run needs.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from autogrow.networks.names import BNWeights, Shortcut


class TrainingChoices(BaseModel):
    """Choices that all kinds of runs have."""

    bn_weights: BNWeights = Field(
        "ones",
        description="weights of new Batch Normalization before training, small stem only: ones, "
        "or U(0, 1) as when the code was released (uniform)",
    )
    shortcut: Shortcut = Field(
        "B",
        description="where a residual sub-module changes the shape: 1x1 convolution + BN (B, the "
        "released code), or zero-padded identity (A, He et al. for CIFAR10)",
    )
    single_image: Literal["joined", "own"] = Field(
        "joined",
        description="a last batch of one image: joined to the one before, or on its own",
    )


class StackingChoices(TrainingChoices):
    """Choices of the runs that stack sub-modules."""

    adaminit_statistics: Literal["frozen", "updated"] = Field(
        "frozen",
        description="running statistics of the other BNs during AdamInit: frozen, or updated as "
        "in the released code",
    )


class MorphChoices(BaseModel):
    """Choices of Network Morphism."""

    morph_momentum: Literal["fresh", "kept"] = Field(
        "fresh",
        description="the second training's optimizer: fresh, or with the first one's momentum "
        "of the old parameters, as in the released code (kept)",
    )
