"""A table as config/experiments.yaml writes it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from autogrow.config.spec import SPECS
from autogrow.errors import shown

OwnValue = Literal[
    "found_net",
    "depth",
    "layers",
    "accuracy",
    "delta",
    "top1",
    "top5",
    "delta_top1",
    "gpus",
    "growing_hours",
    "finetuning_hours",
    "growing_ratio",
    "spent",
    "spent_growing",
    "spent_finetuning",
    "adaminit_uses",
    "adaminit_median",
    "adaminit_below_3",
    "final_accuracy",
    "best_test_accuracy",
    "selection_gain",
    "baseline_selection_gain",
    "delta_final",
    "delta_best_test",
    "regret",
]
"""Value columns of tables."""

Beside = Literal["schedule null", "equal compute"]
"""What the paper did not control: runs and columns beside those of AutoGrow."""


class TableEntry(BaseModel):
    """A table or figure as config/experiments.yaml writes it; each key is explained there."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str = Field(min_length=1, description="a text")
    rows: list[dict[str, Any]] = Field(min_length=1, description="a list of columns with values")
    run: dict[str, Any] = {}
    against: Literal["found net", "deeper net"] | None = None
    shared: dict[str, Any] = {}
    values: list[OwnValue] = []
    beside: list[Beside] = []

    @field_validator("run")
    @classmethod
    def _settings_of_a_run(cls, run: dict[str, Any]) -> dict[str, Any]:
        known = {f.alias or n for spec in SPECS.values() for n, f in spec.model_fields.items()}
        for key in run:
            if key in ("network", "from", "to", "data", "data_fraction", "seed_depth", "K"):
                raise ValueError(f"{shown(key)}: allowed: as a column, in rows or shared")
            if key not in known - {"seed", "snapshots"}:
                raise ValueError(f"unknown setting {shown(key)}; allowed: those of autogrow grow")
        return run

    @field_validator("rows")
    @classmethod
    def _no_empty_list(cls, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for column, value in (cell for row in rows for cell in row.items()):
            if value == []:
                raise ValueError(f"{column}: found []; allowed: at least one value")
        return rows

    @field_validator("values")
    @classmethod
    def _distinct(cls, values: list[OwnValue]) -> list[OwnValue]:
        if len(set(values)) < len(values):
            raise ValueError("allowed: each column once")
        return values
