"""What a row of config/experiments.yaml says about its panel of a figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from analysis.experiments.scales import ScaleSettings
from autogrow.config.pydantic_errors import validated
from autogrow.errors import UserError, allowed

PANEL_COLUMNS = ("panel", "snapshots", "directions")

FIGURE_COLUMNS = {
    "figure2": ("network", "K"),
    "figure3": ("network", "method"),
    "figure4": ("network", "K"),
    "figure5": ("network", "snapshots"),
    "figure6": ("policy", "snapshots"),
    "figure7": ("network", "method", "K", "directions"),
    "figure8": ("network", "K"),
    "figure9": ("network",),
    "figure10": ("method",),
}
"""The figures that are drawn, and the columns that each of their rows must have."""


class Panel(BaseModel):
    """What a row is in a figure.

    ``snapshots`` are the epochs between the points of a trajectory, ``directions`` is the seed
    of a loss surface's random directions; None where the panel does not show one.
    """

    model_config = ConfigDict(frozen=True, strict=True, populate_by_name=True)

    letter: str = Field("", alias="panel", pattern="^[a-z]?$")
    snapshots: int | None = Field(None, ge=1)
    directions: int | None = Field(None, ge=0)

    @property
    def landscape(self) -> bool:
        """Whether it shows the loss around a network, which is done for one seed alone."""
        return self.snapshots is not None or self.directions is not None


def read_panel(cells: Mapping[str, Any], scale: ScaleSettings, where: str) -> Panel:
    """Return the panel of a row, with the scale's counterpart of the paper's interval."""
    panel = validated(Panel, {c: cells[c] for c in PANEL_COLUMNS if c in cells}, where)
    scaled = scale.figures.snapshots
    if panel.snapshots is None or not scaled:
        return panel
    if panel.snapshots not in scaled:
        raise UserError(
            f"{where}: snapshots: {panel.snapshots} has no counterpart in the scale's "
            f"figures.snapshots; allowed: {allowed(scaled)}"
        )
    return panel.model_copy(update={"snapshots": scaled[panel.snapshots]})
