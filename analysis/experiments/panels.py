"""What a row of config/experiments.yaml says about its panel of a figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

from analysis.experiments.settings import ScaleSettings
from autogrow.errors import UserError, allowed

PANEL_COLUMNS = ("panel", "snapshots", "directions")


@dataclass(frozen=True)
class Panel:
    """What a row is in a figure.

    Attributes
    ----------
    letter
        The paper's; empty where it has none.
    snapshots
        Epochs between the points of the trajectory that is shown, at the scale; or None.
    directions
        Seed of the random directions of the loss surface that is shown, or None.
    """

    letter: str = ""
    snapshots: int | None = None
    directions: int | None = None

    @property
    def landscape(self) -> bool:
        """Whether it shows the loss around a network, which is done for one seed alone."""
        return self.snapshots is not None or self.directions is not None


def read_panel(cells: Mapping[str, Any], scale: ScaleSettings, where: str) -> Panel:
    """Return the panel of a row.

    Parameters
    ----------
    cells
        The row's columns, in the paper's terms.
    scale
        Has the scale's counterpart of the paper's intervals.
    where
        File and table, for error messages.

    Raises
    ------
    UserError
        Naming the column that is malformed or has no counterpart.
    """
    letter = cells.get("panel", "")
    if letter not in ("", *ascii_lowercase):
        raise UserError(f"{where}: panel: found {letter!r}; allowed: a letter from a to z")
    interval = _whole_number(cells, "snapshots", 1, where)
    scaled = scale.figures.snapshots
    if interval is not None and scaled:
        if interval not in scaled:
            raise UserError(
                f"{where}: snapshots: {interval} has no counterpart in the scale's "
                f"figures.snapshots; allowed: {allowed(scaled)}"
            )
        interval = scaled[interval]
    return Panel(letter, interval, _whole_number(cells, "directions", 0, where))


def _whole_number(cells: Mapping[str, Any], column: str, least: int, where: str) -> int | None:
    value = cells.get(column)
    if value is not None and (type(value) is not int or value < least):
        raise UserError(
            f"{where}: {column}: found {value!r}; allowed: a whole number from {least} up"
        )
    return value
