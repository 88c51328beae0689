"""One row of a table of the paper, as the runs it needs at a scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from analysis.experiments.data_sets import data_of
from analysis.experiments.panels import PANEL_COLUMNS, Panel, read_panel
from analysis.experiments.planned_runs import Run, dataset_text, run_id
from analysis.experiments.settings import ScaleSettings
from autogrow.config.resolved import ResolvedAutogrow
from autogrow.config.resolving import resolve
from autogrow.config.spec import SPECS, parse_spec
from autogrow.errors import UserError, allowed, shown
from autogrow.networks.names import NetworkName, parse_architecture

PERIOD = 3
"""K where a row names none: the paper's best practice."""

METHODS = {"baseline": "scratch", "AutoGrow": "autogrow", "Network Morphism": "morph"}

DEPTHS = ("seed_net", "shallower", "deeper", "depth")
"""Columns that hold a depth; a scale may put a smaller one in its place."""

COLUMNS = (
    *("dataset", "network", "method", "K", "fraction", "initializer", "policy", "learning_rate"),
    *DEPTHS,
)
OwnValue = Literal[
    "found_net",
    "growing_hours",
    "finetuning_hours",
    "growing_ratio",
    "adaminit_uses",
    "adaminit_median",
    "adaminit_below_3",
]
"""Value columns of tables that the paper has not."""

INSTRUCTIONS = ("depth_of", *PANEL_COLUMNS)


@dataclass(frozen=True)
class Row:
    """A row of a table of the paper.

    Attributes
    ----------
    key
        The paper's values of the columns that name the row.
    runs
        Ids of its runs by role: ``main``, and ``scratch`` for the baseline of the same depth.
    values
        The same columns as really used at the scale; ``dataset`` always.
    """

    key: Mapping[str, str]
    runs: Mapping[str, str]
    values: Mapping[str, str]
    paper_dataset: str
    panel: Panel

    @property
    def name(self) -> str:
        """The key as one readable string, unique in its table."""
        return "/".join(self.key.values())


class TableEntry(BaseModel):
    """A table or figure as config/experiments.yaml writes it; each key is explained there."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str = Field(min_length=1, description="a text")
    rows: list[dict[str, Any]] = Field(min_length=1, description="a list of columns with values")
    run: dict[str, Any] = {}
    against: Literal["found net", "deeper net"] | None = None
    shared: dict[str, Any] = {}
    values: list[OwnValue] = []


class RowMaker:
    """Makes the runs of one row at a scale.

    ``needed`` holds every run of the row, with those whose found net others take.
    """

    def __init__(
        self, table: TableEntry, cells: Mapping[str, Any], scale: ScaleSettings, where: str
    ) -> None:
        self._cells = cells
        self._scale = scale
        self._where = where
        self.needed: list[Run] = []
        values = {**table.shared, **cells}
        _check_values(values, where)
        kind = METHODS.get(str(values.get("method")), table.run.get("kind"))
        if not isinstance(kind, str) or kind not in SPECS:
            raise UserError(
                f"{where}: run: kind: found {shown(kind)}; allowed: {allowed(SPECS)}, "
                f"or rows with a method: {allowed(METHODS)}"
            )
        _check_network(values, where)
        source = values.pop("depth_of", None)
        if source is None:
            self._main = self._growing = self._run(values, {**table.run, "kind": kind})
        else:
            grown = {**values, **source}
            _check_values(grown, f"{where}: depth_of")
            _check_network(grown, f"{where}: depth_of")
            self._growing = self._run(grown, {"kind": "autogrow"})
            self._main = self._as_deep_as(self._growing, values)
        self._roles = {"main": self._main.id}
        self._paper_dataset = str(values["dataset"])
        if table.against == "found net":
            self._roles["scratch"] = self._as_deep_as(self._main, values).id
        elif table.against == "deeper net":
            if "deeper" not in values:
                raise UserError(f"{where}: a row has no deeper; allowed: a column with a depth")
            baseline = {**values, "depth": values["deeper"]}
            self._roles["scratch"] = self._run(baseline, {"kind": "scratch"}).id

    def row(self) -> Row:
        """Return the row."""
        key = {c: "" if v is None else str(v) for c, v in self._cells.items() if c in COLUMNS}
        used = dict(key)
        for column, value in key.items():
            if column == "K" and value and isinstance(self._growing.spec, ResolvedAutogrow):
                used[column] = str(self._growing.spec.K)
            elif column in DEPTHS:
                used[column] = self._scale.depth.get(value, value)
        used["dataset"] = dataset_text(self._main.spec, self._paper_dataset)
        panel = read_panel(self._cells, self._scale, self._where)
        return Row(key, self._roles, used, self._paper_dataset, panel)

    def _as_deep_as(self, source: Run, values: Mapping[str, Any]) -> Run:
        """Return the run that trains from scratch at the depth ``source`` finds."""
        architecture = parse_architecture(str(values["network"]))
        network = NetworkName(architecture, architecture.seed_depth)
        settings = {"kind": "scratch", "network": str(network), **self._sized(values, "epochs")}
        return self._needs(settings, source)

    def _run(self, values: Mapping[str, Any], given: Mapping[str, Any]) -> Run:
        network = values.get("network")
        kind = given["kind"]
        settings = dict(given)
        depth = {c: self._scale.depth.get(values[c], values[c]) for c in DEPTHS if c in values}
        if kind == "scratch":
            settings["network"] = f"{network}-{depth.get('depth')}"
        elif kind == "morph":
            settings["from"] = f"{network}-{depth.get('shallower')}"
            settings["to"] = f"{network}-{depth.get('deeper')}"
        else:
            settings["network"] = network
            if "policy" in values:
                settings["policy"] = values["policy"]
            if "seed_net" in depth:
                settings["seed_depth"] = depth["seed_net"]
            if "learning_rate" in values:
                settings["growing_rate"] = values["learning_rate"]
            settings["K"] = self._growing_period(values, settings)
            if self._scale.T is not None and settings.get("policy", "periodic") == "periodic":
                settings["J"] = max(self._scale.T, settings["K"])
            if self._scale.tau is not None:
                settings["tau"] = self._scale.tau
        if kind != "scratch" and "initializer" in values:
            settings["initializer"] = values["initializer"]
        settings |= self._sized(values, "finetune_epochs" if kind == "autogrow" else "epochs")
        return self._needs(settings)

    def _needs(self, settings: Mapping[str, Any], depth_of: Run | None = None) -> Run:
        """Return the run of these settings, noted as one that the row needs."""
        spec = parse_spec(settings, self._where)
        try:
            resolved = resolve(spec)
        except UserError as error:
            raise UserError(f"{self._where}: {error}") from None
        run = Run(run_id(resolved, depth_of), resolved, depth_of.id if depth_of else None)
        self.needed.append(run)
        return run

    def _growing_period(self, values: Mapping[str, Any], settings: Mapping[str, Any]) -> int | None:
        if settings.get("policy") == "convergent":
            return self._scale.T  # K = T
        K = values.get("K", PERIOD)
        if self._scale.K and K not in self._scale.K:
            raise UserError(
                f"{self._where}: K: {shown(K)} has no counterpart in the scale's K; "
                f"allowed: {allowed(self._scale.K)}"
            )
        if not isinstance(K, int) or isinstance(K, bool) or K < 1:
            raise UserError(f"{self._where}: K: found {shown(K)}; allowed: a whole number from 1")
        # Table 11: K divided by the fraction keeps the mini-batches between growths equal.
        period = Fraction(self._scale.K.get(K, K)) / self._fraction(values)
        return math.floor(period + Fraction(1, 2))

    def _fraction(self, values: Mapping[str, Any]) -> Fraction:
        text = str(values.get("fraction", 1))
        try:
            # Not Fraction("1e-999999999"), which would never end.
            fraction = Fraction(text) if "/" in text or float(text) else Fraction(0)
        except (ValueError, ZeroDivisionError):
            fraction = Fraction(0)
        if not 0 < fraction <= 1:
            raise UserError(
                f"{self._where}: fraction: found {shown(text)}; allowed: above 0, up to 1"
            )
        return fraction

    def _sized(self, values: Mapping[str, Any], epochs: str) -> dict[str, Any]:
        """Return the settings that depend on the scale alone; ``epochs`` names their key."""
        dataset = str(values["dataset"])
        sized = {**self._scale.settings, **data_of(self._scale, dataset)}
        fraction = self._fraction(values)
        if fraction != 1:
            whole = Fraction(str(sized.get("data_fraction", 1)))
            sized["data_fraction"] = float(fraction * whole)
        number = getattr(self._scale, epochs)
        if number is not None:
            sized[epochs] = number
        if values.get("network") in self._scale.width:
            sized["width"] = self._scale.width[values["network"]]
        return sized


def _check_values(values: Mapping[str, Any], where: str) -> None:
    """Check that a row's values are words and numbers, and that it says what is trained on what."""
    for column, value in values.items():
        if column not in COLUMNS + INSTRUCTIONS:
            known = allowed(COLUMNS + INSTRUCTIONS)
            raise UserError(f"{where}: unknown column {shown(column)}; allowed: {known}")
        types, wanted = str | int | float | None, "a word or a number"
        if column == "depth_of":
            types, wanted = dict | None, "columns with values"
        if not isinstance(value, types):
            raise UserError(f"{where}: {column}: found {shown(value)}; allowed: {wanted}")
    if not isinstance(values.get("dataset"), str):
        raise UserError(f"{where}: a row has no dataset; allowed: a column, or in `shared`")


def _check_network(values: Mapping[str, Any], where: str) -> None:
    try:
        parse_architecture(str(values.get("network")))
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
