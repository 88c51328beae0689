"""One row of a table of the paper, as the runs it needs at a scale."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from analysis.experiments.data_sets import data_facts, data_of
from analysis.experiments.panels import Panel, read_panel
from analysis.experiments.planned_runs import BY_PLACE, CONCERNS, Run, dataset_text, run_id
from analysis.experiments.row_checks import (
    COLUMNS,
    DEPTHS,
    SOURCES,
    check_cells,
    kind_of_row,
    policy_of_row,
)
from analysis.experiments.scales import ScaleSettings
from analysis.experiments.settings import Choices
from analysis.experiments.table_entries import TableEntry
from autogrow.config.policy_settings import has, options_of
from autogrow.config.resolved import ResolvedAutogrow, ResolvedScratch, ResolvedSpec
from autogrow.config.resolving import resolve
from autogrow.config.spec import SPECS, AutogrowSpec, ScratchSpec, parse_spec, to_json
from autogrow.errors import UserError, allowed, shown
from autogrow.growth.registry import POLICIES
from autogrow.growth.schedules import largest_rate_epochs
from autogrow.networks.names import Architecture, NetworkName, format_depth, parse_architecture

NULL_LENGTH = 10
"""Stop windows T that a seed network is trained for where the scale does not say how long."""

_OF_CONFIG = {"protocol", "precision", *Choices.model_fields}
"""Settings that config.yaml tells all runs whose table says nothing of them."""


@dataclass(frozen=True)
class Row:
    """A row of a table of the paper.

    Attributes
    ----------
    key
        The paper's values of the columns that name the row.
    runs
        Ids of its runs by role: ``main``, ``scratch`` for the baseline of the same depth,
        ``never_grown`` for the seed network that never grows, and ``equal_compute`` for a baseline
        that computes as much as AutoGrow.
    values
        The same columns as really used at the scale; ``dataset`` always.
    papers_data
        Whether the data is what the row names: nothing stands in for it.
    grows
        Whether its main run grows, or has the depth that such a run finds.
    """

    key: Mapping[str, str]
    runs: Mapping[str, str]
    values: Mapping[str, str]
    paper_dataset: str
    papers_data: bool
    grows: bool
    panel: Panel

    @property
    def name(self) -> str:
        """The key as one readable string, unique in its table."""
        return "/".join(self.key.values())


class RowMaker:
    """Makes the runs of one row at a scale.

    ``needed`` holds every run of the row, with those whose found net or budget others take.
    ``protocol`` is the workflow's: a row that asks for it asks for nothing.
    """

    def __init__(
        self,
        table: TableEntry,
        cells: Mapping[str, Any],
        scale: ScaleSettings,
        where: str,
        protocol: str,
    ) -> None:
        self._cells = cells
        self._scale = scale
        self._where = where
        self._protocol = protocol
        self._given = table.run
        self.needed: list[Run] = []
        values = {**table.shared, **cells}
        kind = kind_of_row(values, table.run.get("kind"), where)
        check_cells(values, cells, kind, where)
        source, budget = (values.pop(column, None) for column in SOURCES)
        if source is None:
            self._main = self._growing = self._run(values, kind)
        elif kind == "autogrow":
            found = self._run({**values, **source}, "autogrow")
            self._main = self._growing = self._run(values, kind, depth_of=found)
        else:
            self._growing = self._run({**values, **source}, "autogrow")
            self._main = self._as_deep_as(self._growing, values)
        self._roles = {"main": self._main.id}
        if budget is not None:
            spender = self._run({**values, **budget}, "autogrow")
            self._roles["equal_compute"] = self._run(values, kind, budget_of=spender).id
        if isinstance(self._main.spec, ResolvedAutogrow):
            if "schedule null" in table.beside:
                self._roles["never_grown"] = self._never_grown(self._main, self._main.spec).id
            if "equal compute" in table.beside:
                equal = self._as_deep_as(self._main, values, budget_of=self._main)
                self._roles["equal_compute"] = equal.id
        self._paper_dataset = str(values["dataset"])
        self._fraction_named = self._number(str(values.get("fraction", 1)))
        if table.against == "found net":
            if kind != "autogrow":
                raise UserError(f"{where}: against: found net: allowed: rows of kind autogrow")
            self._roles["scratch"] = self._as_deep_as(self._main, values).id
        elif table.against == "deeper net":
            if kind != "morph":
                raise UserError(f"{where}: against: deeper net: allowed: rows of kind morph")
            baseline = {**values, "depth": values["deeper"]}
            self._roles["scratch"] = self._run(baseline, "scratch").id

    def row(self) -> Row:
        """Return the row."""
        key = {c: "" if v is None else str(v) for c, v in self._cells.items() if c in COLUMNS}
        used = dict(key)
        for column, value in key.items():
            if column == "K" and value and isinstance(self._growing.spec, ResolvedAutogrow):
                used[column] = str(self._growing.spec.K)
            elif column in DEPTHS:
                used[column] = self._scale.depth.get(value, value)
            elif column == "fraction":
                used[column] = self._scale.fraction.get(value, value)
        used["dataset"] = dataset_text(self._main.spec, self._paper_dataset)
        panel = read_panel(self._cells, self._scale, self._where)
        spec = self._main.spec
        papers_data = (spec.data, spec.trim, spec.downscale) == (self._paper_dataset, 0, 1)
        papers_data &= spec.data_fraction == float(self._fraction_named)
        grows = isinstance(self._growing.spec, ResolvedAutogrow)
        return Row(key, self._roles, used, self._paper_dataset, papers_data, grows, panel)

    def _as_deep_as(
        self, source: Run, values: Mapping[str, Any], budget_of: Run | None = None
    ) -> Run:
        """Return the run that trains from scratch at the depth ``source`` finds."""
        architecture = parse_architecture(str(values["network"]))
        network = NetworkName(architecture, architecture.seed_depth)
        self._check_as_many(source, architecture)
        settings = {"network": str(network), **self._settings(values, "scratch")}
        return self._needs(settings, source, budget_of)

    def _check_as_many(self, source: Run, architecture: Architecture) -> None:
        """Refuse to take the depth of a network with another number of sub-networks."""
        if architecture.sub_networks != source.spec.architecture.sub_networks:
            raise UserError(
                f"{self._where}: depth_of: {source.spec.architecture.name} has not as many "
                f"sub-networks as {architecture.name}; allowed: a network with as many"
            )

    def _never_grown(self, main: Run, spec: ResolvedAutogrow) -> Run:
        """Return the run that trains an AutoGrow run's seed network as while growing."""
        shared = {k: v for k, v in to_json(spec).items() if k in ScratchSpec.model_fields}
        if "protocol" not in main.own:
            del shared["protocol"]
        settings = {
            **shared,
            "kind": "scratch",
            "network": str(spec.first_network),
            "epochs": self._null_epochs(spec.finetune_epochs, spec.milestones),
            "schedule": "constant",
        }
        if spec.growing_rate == "staircase":
            settings |= {"schedule": "restarts", "period": spec.K}
            settings["milestones"] = spec.growing_milestones
        return self._needs(settings)

    def _null_epochs(self, epochs: int, milestones: tuple[float, ...]) -> int:
        """Return how long a seed network is trained whose growth has this fine-tuning."""
        T = self._scale.T or largest_rate_epochs(epochs, milestones)
        return self._scale.null_epochs or NULL_LENGTH * T

    def _run(
        self,
        values: Mapping[str, Any],
        kind: str,
        budget_of: Run | None = None,
        depth_of: Run | None = None,
    ) -> Run:
        network = values.get("network")
        settings = self._settings(values, kind)
        depth = {c: self._scale.depth.get(values[c], values[c]) for c in DEPTHS if c in values}
        if kind == "scratch":
            settings["network"] = f"{network}-{depth.get('depth')}"
        elif kind == "morph":
            settings["from"] = f"{network}-{depth.get('shallower')}"
            settings["to"] = f"{network}-{depth.get('deeper')}"
        else:
            settings["network"] = network
            named = policy_of_row(values, self._where)
            if named is not None:
                settings["policy"] = named
            if "seed_net" in depth:
                settings["seed_depth"] = depth["seed_net"]
            if "learning_rate" in values:
                settings["growing_rate"] = values["learning_rate"]
            policy = self._policy(settings)
            settings["K"] = self._growing_period(values, policy)
            self._of_the_policy(settings, policy)
            if depth_of is not None:
                settings["policy_options"] = self._to_the_depth_of(depth_of, settings, policy)
        if kind != "scratch" and "initializer" in values:
            settings["initializer"] = values["initializer"]
        return self._needs(settings, depth_of, budget_of)

    def _to_the_depth_of(
        self, source: Run, settings: Mapping[str, Any], policy: str
    ) -> dict[str, Any]:
        """Return the options of a policy whose target another run finds: until then the seed."""
        options = dict(settings.get("policy_options", {}))
        if "target" not in options_of(policy) or "target" in options:
            raise UserError(
                f"{self._where}: depth_of: found in a row of the policy {shown(policy)}; allowed: "
                "in rows of a policy with a target that is not given"
            )
        architecture = parse_architecture(str(settings["network"]))
        self._check_as_many(source, architecture)
        seed = settings.get("seed_depth", format_depth(architecture.seed_depth))
        return {**options, "target": seed}

    def _settings(self, values: Mapping[str, Any], kind: str) -> dict[str, Any]:
        """Return the settings that no other column tells: the scale's, and the table's own."""
        dataset = str(values["dataset"])
        settings = self._of_every_run(kind, str(values.get("network")))
        settings |= data_of(self._scale, dataset)
        fraction = self._fraction(values)
        if fraction != 1:
            whole = Fraction(str(settings.get("data_fraction", 1)))
            settings["data_fraction"] = float(fraction * whole)
        fields = SPECS[kind].model_fields
        settings |= {k: v for k, v in self._given.items() if k in fields and k != "kind"}
        if values.get("protocol") not in (None, self._protocol):
            settings["protocol"] = values["protocol"]
        return settings

    def _of_every_run(self, kind: str, network: str) -> dict[str, Any]:
        """Return what the scale says of every run of a kind and network."""
        scale = self._scale
        settings = {"kind": kind, **scale.settings}
        epochs = scale.finetune_epochs if kind == "autogrow" else scale.epochs
        if epochs is not None:
            settings["finetune_epochs" if kind == "autogrow" else "epochs"] = epochs
        if network in scale.width:
            settings["width"] = scale.width[network]
        return settings

    def _policy(self, settings: Mapping[str, Any]) -> str:
        """Return the name of the policy that these settings, still without K and J, ask for."""
        spec = parse_spec({"protocol": "paper", **settings}, self._where)
        assert isinstance(spec, AutogrowSpec)
        with self._told():
            POLICIES.find(spec.policy)
        return spec.policy

    def _of_the_policy(self, settings: dict[str, Any], policy: str) -> None:
        """Add the scale's tau and J, at least K, where the policy has them and none is given."""
        if self._scale.tau is not None and has(policy, "tau"):
            settings.setdefault("tau", self._scale.tau)
        if self._scale.T is not None and has(policy, "J"):
            usual = int(POLICIES.find(policy).defaults(self._scale.T)["J"])
            settings.setdefault("J", max(usual, settings["K"]))

    def _needs(
        self,
        settings: Mapping[str, Any],
        depth_of: Run | None = None,
        budget_of: Run | None = None,
    ) -> Run:
        """Return the run of these settings, noted as one that the row needs."""
        resolved = self._resolved(settings)
        asked = {*self._given, *({"protocol"} & {*settings})}
        if "protocol" not in self._given and not CONCERNS["protocol"](resolved):
            asked -= {"protocol"}
            resolved = self._resolved({k: v for k, v in settings.items() if k != "protocol"})
        own = frozenset(asked & _OF_CONFIG & {*type(resolved).model_fields})
        depth, budget = (source.id if source else None for source in (depth_of, budget_of))
        identity = run_id(resolved, self._plain(resolved), depth_of, budget_of, own)
        run = Run(identity, resolved, depth, budget, own)
        self.needed.append(run)
        return run

    def _plain(self, resolved: ResolvedSpec) -> ResolvedSpec:
        """Return the run of the same network, data and growth, all else being the scale's."""
        plain = self._of_every_run(resolved.kind, resolved.architecture.name)
        plain |= {k: v for k, v in resolved.model_dump(by_alias=True).items() if k in BY_PLACE}
        if isinstance(resolved, ResolvedAutogrow):
            if has(resolved.policy, "J"):
                plain["K"] = 1  # J is then the scale's, however large K is
            self._of_the_policy(plain, resolved.policy)
        usual = self._resolved(plain)
        if isinstance(usual, ResolvedScratch) and usual.schedule != "staircase":
            epochs = self._null_epochs(usual.epochs, usual.milestones)
            usual = usual.model_copy(update={"epochs": epochs})
        return usual

    def _resolved(self, settings: Mapping[str, Any]) -> ResolvedSpec:
        # The scale's protocol follows; until then the paper's, for data of one's own as well.
        spec = parse_spec({"protocol": "paper", **settings}, self._where)
        with self._told():
            return resolve(spec, data_facts(spec.data))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Let a UserError say which row it is about."""
        try:
            yield
        except UserError as error:
            raise UserError(f"{self._where}: {error}") from None

    def _growing_period(self, values: Mapping[str, Any], policy: str) -> int | None:
        K = values.get("K")
        if K is None:
            defaults = POLICIES.find(policy).defaults
            if defaults(1)["K"] != defaults(2)["K"]:  # it follows T
                return None if self._scale.T is None else int(defaults(self._scale.T)["K"])
            K = defaults(1)["K"]
        elif self._scale.K and K not in self._scale.K:
            raise UserError(
                f"{self._where}: K: {shown(K)} has no counterpart in the scale's K; "
                f"allowed: {allowed(self._scale.K)}"
            )
        if not isinstance(K, int) or isinstance(K, bool) or K < 1:
            raise UserError(f"{self._where}: K: found {shown(K)}; allowed: a whole number from 1")
        # Table 11: K divided by the fraction keeps the mini-batches between growths equal.
        period = Fraction(self._scale.K.get(K, K)) / self._fraction(values)
        least = min(K, POLICIES.find(policy).least_period)  # a scale may ask for less than works
        return max(math.floor(period + Fraction(1, 2)), least)

    def _fraction(self, values: Mapping[str, Any]) -> Fraction:
        text = str(values.get("fraction", 1))
        return self._number(self._scale.fraction.get(text, text))

    def _number(self, text: str) -> Fraction:
        """Return a fraction of the training set as a number."""
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
