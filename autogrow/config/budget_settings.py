"""Settings by which growth is bounded and its trade-off shown."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field, model_validator

BUDGETS = (
    *("max_parameters", "max_flops", "max_latency_ms", "latency_batch"),
    *("max_epochs", "max_hours", "frontier"),
)
"""Settings of AutoGrow by which growth is bounded and its trade-off shown."""


class BudgetSettings(BaseModel):
    """Budgets of AutoGrow; a spec without them is what it was before there were any."""

    max_parameters: int = Field(
        0,
        ge=0,
        le=10**18,
        description="growth stops before the network has more parameters; 0: no bound",
    )
    max_flops: int = Field(
        0,
        ge=0,
        le=10**18,
        description="growth stops before one image's forward pass has more FLOPs (a FLOP is one "
        "multiply-add); 0: no bound",
    )
    max_latency_ms: float = Field(
        0.0,
        ge=0,
        le=1e9,
        description="growth stops before a forward pass takes longer on this device, in "
        "milliseconds (the median of several); 0: no bound",
    )
    latency_batch: int = Field(
        1, ge=1, le=100_000, description="images in the forward pass whose latency is measured"
    )
    max_epochs: int = Field(
        0, ge=0, le=100_000, description="growth stops before more epochs of growing; 0: no bound"
    )
    max_hours: float = Field(
        0.0,
        ge=0,
        le=1e6,
        description="growth stops before it takes longer, in hours without the fine-tuning; 0: "
        "no bound",
    )
    frontier: bool = Field(
        False,
        description="write frontier.csv and frontier.svg: accuracy, parameters, FLOPs and latency "
        "at each depth that growing passed",
    )

    @model_validator(mode="after")
    def _measured(self) -> Self:
        if self.latency_batch != 1 and not self.measures_latency:
            raise ValueError(
                f"latency_batch: found {self.latency_batch}; allowed: with max_latency_ms or "
                "frontier, which measure latency"
            )
        return self

    @property
    def measures_latency(self) -> bool:
        """Whether the run measures how long a forward pass takes."""
        return self.max_latency_ms > 0 or self.frontier
