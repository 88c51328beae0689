"""The catalogue: config/experiments.yaml at a scale, as runs and table rows.

The same spec named by several tables is one run. A run's id is a readable path
made from its settings alone, so it does not depend on the order of the file.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from analysis.settings import CONFIG, ROOT, ScaleSettings, read_scale
from autogrow.config import parse_spec
from autogrow.errors import UserError, allowed
from autogrow.yamlfiles import read_yaml

EXPERIMENTS = CONFIG / "experiments.yaml"

PERIOD = 3
"""K where a row names none: the paper's best practice."""

COMMANDS = {"autogrow": "grow", "scratch": "train", "morph": "morph"}

# Columns of the paper's tables that are settings of a run, and their name there.
_SETTINGS = {
    "network": "network",
    "seed_net": "seed_depth",
    "initializer": "initializer",
    "learning_rate": "growing_rate",
    "shallower": "from",
    "deeper": "to",
}
_COLUMNS = ("dataset", "K", "fraction", *_SETTINGS)


@dataclass(frozen=True)
class Run:
    """A run at a scale, for any seed.

    Attributes
    ----------
    id
        Readable path: network / data / what is done.
    settings
        Of the spec, without the seed; without the network's depth if ``depth_of``.
    depth_of
        Id of the run whose found net gives the depth, or None.
    """

    id: str
    settings: Mapping[str, Any]
    depth_of: str | None = None

    @property
    def kind(self) -> str:
        """``autogrow``, ``scratch`` or ``morph``."""
        return self.settings["kind"]

    def command(self) -> list[str]:
        """Return the ``autogrow`` arguments of this run, without seed, folder and depth's run."""
        words = [COMMANDS[self.kind]]
        for key, value in self.settings.items():
            if key == "kind":
                continue
            words.append(f"--{key.replace('_', '-')}")
            words += [str(v) for v in (value if isinstance(value, list) else [value])]
        return words


@dataclass(frozen=True)
class Row:
    """A row of a table of the paper.

    Attributes
    ----------
    key
        The paper's values of the columns that name the row.
    runs
        Ids of the runs the row needs, by role: ``main``, and ``scratch`` for
        the net trained from scratch that it is compared with.
    """

    key: Mapping[str, str]
    runs: Mapping[str, str]

    @property
    def name(self) -> str:
        """The key as one readable string, unique in its table."""
        return "/".join(self.key.values())


@dataclass(frozen=True)
class Table:
    """A table of the paper: its name (``table5``), title and rows."""

    name: str
    title: str
    rows: tuple[Row, ...]

    @property
    def runs(self) -> list[str]:
        """Ids of all runs its rows need, each once."""
        return list(dict.fromkeys(run for row in self.rows for run in row.runs.values()))


@dataclass(frozen=True)
class Catalogue:
    """Every run and table at a scale."""

    scale: str
    settings: ScaleSettings
    runs: Mapping[str, Run]
    tables: Mapping[str, Table]


def load_catalogue(scale: str, experiments: Path = EXPERIMENTS) -> Catalogue:
    """Return the catalogue of a scale.

    Parameters
    ----------
    scale
        ``smoke``, ``mini`` or ``paper``.
    experiments
        The file that lists the runs.

    Raises
    ------
    UserError
        Naming file, table and key of what is malformed.
    """
    settings = read_scale(scale)
    content = read_yaml(experiments)
    if not isinstance(content, dict):
        raise UserError(f"{experiments}: a mapping of tables is wanted, found {content!r:.80}")
    runs: dict[str, Run] = {}
    tables: dict[str, Table] = {}
    for name, table in content.items():
        where = f"{experiments}: {name}"
        _check_table(table, where)
        rows = []
        for values in _expand(table["rows"], where):
            row_runs = dict(_runs_of_row(table["run"], values, settings, where))
            for run in row_runs.values():
                runs[run.id] = run
            key = {column: str(value) for column, value in values.items()}
            rows.append(Row(key, {role: run.id for role, run in row_runs.items()}))
        tables[name] = Table(name, table["title"], tuple(rows))
    return Catalogue(scale, settings, runs, tables)


def paper_table(name: str) -> Path:
    """Return the file of the paper's numbers for a table."""
    return ROOT / "results" / "paper" / f"{name}.csv"


def _check_table(table: object, where: str) -> None:
    wanted = {"title": str, "run": dict, "rows": list}
    if not isinstance(table, dict):
        raise UserError(f"{where}: found {table!r:.80}; allowed: the keys {allowed(wanted)}")
    for key in table:
        if key not in wanted:
            raise UserError(f"{where}: unknown key {key!r}; allowed: {allowed(wanted)}")
    for key, kind in wanted.items():
        if not isinstance(table.get(key), kind) or not table[key]:
            found = table.get(key, "nothing")
            raise UserError(f"{where}: {key}: found {found!r:.80}; allowed: a {kind.__name__}")


def _expand(groups: list[object], where: str) -> Iterator[dict[str, Any]]:
    """Yield one mapping of column to value for each row; a list stands for one row each."""
    for group in groups:
        if not isinstance(group, dict):
            raise UserError(f"{where}: rows: found {group!r:.80}; allowed: columns with values")
        for column in group:
            if column not in _COLUMNS:
                raise UserError(
                    f"{where}: rows: unknown column {column!r}; allowed: {allowed(_COLUMNS)}"
                )
        choices = [v if isinstance(v, list) else [v] for v in group.values()]
        for values in itertools.product(*choices):
            yield dict(zip(group, values, strict=True))


def _runs_of_row(
    run: Mapping[str, Any], values: Mapping[str, Any], scale: ScaleSettings, where: str
) -> Iterator[tuple[str, Run]]:
    settings = {**run, **_row_settings(values)}
    kind = settings.get("kind")
    if kind not in COMMANDS:
        raise UserError(f"{where}: run: kind: found {kind!r}; allowed: {allowed(COMMANDS)}")
    settings |= _scaled(settings, values, scale, where)
    parse_spec(settings, where)
    yield "main", Run(_run_id(settings), settings)


def _row_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    return {_SETTINGS[c]: v for c, v in values.items() if c in _SETTINGS}


def _scaled(
    settings: Mapping[str, Any], values: Mapping[str, Any], scale: ScaleSettings, where: str
) -> dict[str, Any]:
    """Return the settings that depend on the scale."""
    dataset = values.get("dataset")
    scaled = {**scale.settings, **scale.data.get(dataset, {"data": dataset})}
    fraction = Fraction(str(values.get("fraction", 1)))
    if fraction != 1:
        scaled["data_fraction"] = float(fraction * Fraction(str(scaled.get("data_fraction", 1))))
    if scale.epochs is not None:
        key = "finetune_epochs" if settings["kind"] == "autogrow" else "epochs"
        scaled[key] = scale.epochs
    if settings["kind"] == "autogrow" and settings.get("policy", "periodic") == "periodic":
        K = values.get("K", PERIOD)
        if scale.K and K not in scale.K:
            raise UserError(f"{where}: K: {K!r} has no counterpart in the scale's K")
        # Table 11: K divided by the fraction keeps the mini-batches between growths equal.
        scaled["K"] = round(Fraction(scale.K.get(K, K)) / fraction)
        if scale.J is not None:
            scaled["J"] = scale.J
    network = settings.get("network", settings.get("to", "")).partition("-")[0]
    if network in scale.width:
        scaled["width"] = scale.width[network]
    return scaled


def _run_id(settings: Mapping[str, Any]) -> str:
    data = str(settings["data"])
    if "data_fraction" in settings:
        data += f"-fraction{settings['data_fraction']:g}"
    if "downscale" in settings:
        data += f"-downscale{settings['downscale']}"
    kind = settings["kind"]
    if kind == "scratch":
        network, _, depth = settings["network"].partition("-")
        return f"{network}/{data}/scratch-{depth}"
    if kind == "morph":
        network, _, shallower = settings["from"].partition("-")
        deeper = settings["to"].partition("-")[2]
        return f"{network}/{data}/morph-{shallower}-to-{deeper}-{settings['initializer']}"
    parts = [settings.get("policy", "periodic")]
    if "K" in settings:
        parts.append(f"K{settings['K']}")
    parts.append(settings.get("initializer", "GauInit"))
    if settings.get("growing_rate", "constant") != "constant":
        parts.append(settings["growing_rate"])
    if set(str(settings.get("seed_depth", "1")).split("-")) != {"1"}:
        parts.append(f"from-{settings['seed_depth']}")
    return f"{settings['network']}/{data}/{'-'.join(parts)}"
