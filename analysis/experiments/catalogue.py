"""The catalogue: config/experiments.yaml at a scale, as runs and table rows.

The same spec named by several tables is one run. Its id is a readable path made from its
settings alone. It keeps snapshots if any row shows its trajectory; rows of one run must
agree on their interval.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analysis.experiments.data_sets import left_out
from analysis.experiments.panels import FIGURE_COLUMNS
from analysis.experiments.planned_runs import Run
from analysis.experiments.row_checks import COLUMNS
from analysis.experiments.rows import Row, RowMaker
from analysis.experiments.scales import CONFIG, ROOT, ScaleSettings, read_scale
from analysis.experiments.table_checks import check_columns, check_name
from analysis.experiments.table_entries import OwnValue, TableEntry
from autogrow.config.pydantic_errors import validated
from autogrow.errors import UserError, shown
from autogrow.files.yaml import read_yaml

EXPERIMENTS = CONFIG / "experiments.yaml"


@dataclass(frozen=True)
class Table:
    """A table or figure: its name (``table5``), title and rows.

    ``values`` are its value columns; none for those of the paper's numbers. ``left_out`` are the
    data sets that are not there, whose rows are left out.
    """

    name: str
    title: str
    rows: tuple[Row, ...]
    values: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def is_figure(self) -> bool:
        """Whether it is drawn."""
        return self.name in FIGURE_COLUMNS

    @property
    def has_landscapes(self) -> bool:
        """Whether it shows the loss around networks, which takes their weights."""
        return any(row.panel.landscape for row in self.rows)

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
    left_out: tuple[str, ...] = ()

    @property
    def table_names(self) -> list[str]:
        """The names of what is no figure."""
        return [name for name, table in self.tables.items() if not table.is_figure]

    def asked(self, column: str) -> dict[str, int]:
        """Return what rows say of their main run in a column of :class:`Panel`, by its id."""
        found: dict[str, int] = {}
        for table in self.tables.values():
            for row in table.rows:
                value = getattr(row.panel, column)
                run = row.runs["main"]
                if value is not None and found.setdefault(run, value) != value:
                    raise UserError(
                        f"{table.name}: {column}: found {value} for the run {run}, which has "
                        f"{found[run]} in another row; allowed: the same in all its rows"
                    )
        return found


def load_catalogue(
    scale: str,
    experiments: Path = EXPERIMENTS,
    *,
    sources: Mapping[str, str] | None = None,
    protocol: str | None = None,
    missing: Sequence[str] | None = None,
) -> Catalogue:
    """Return the catalogue of a scale: ``smoke``, ``mini``, ``reduced`` or ``paper``.

    ``sources`` says which data sets are taken from elsewhere, as ``npz:PATH``. Rows of the data
    sets ``missing`` are left out: by default of those that are not there, if the scale says that
    they are optional.

    ``protocol`` is the workflow's, by default the scale's: rows that name it are no other runs.

    Raises
    ------
    UserError
        Naming file, table and key of what is malformed.
    """
    settings = read_scale(scale)
    taken = {**settings.data_source, **(sources or {})}
    settings = settings.model_copy(update={"data_source": taken})
    return make_catalogue(scale, settings, read_yaml(experiments), experiments, protocol, missing)


def make_catalogue(
    scale: str,
    settings: ScaleSettings,
    content: object,
    experiments: Path,
    protocol: str | None = None,
    missing: Sequence[str] | None = None,
) -> Catalogue:
    """Return the catalogue of what experiments.yaml holds; see :func:`load_catalogue`."""
    absent = left_out(settings) if missing is None else list(missing)
    runs: dict[str, Run] = {}
    tables: dict[str, Table] = {}
    gone: dict[str, None] = {}
    for name, table in _entries(content, experiments):
        where = f"{experiments}: {name}"
        rows: dict[str, Row] = {}
        without: dict[str, None] = {}
        settings_of_runs = {"kind"}
        for cells in _expand(table.rows):
            dataset = cells.get("dataset", table.shared.get("dataset"))
            if dataset in absent:
                without[dataset] = None
                continue
            maker = RowMaker(table, cells, settings, where, protocol or settings.protocol)
            for needed in maker.needed:
                if runs.setdefault(needed.id, needed) != needed:
                    raise UserError(f"{where}: two different runs have the id {needed.id}")
                settings_of_runs |= {*type(needed.spec).model_fields}
            row = maker.row()
            if rows.setdefault(row.name, row) is not row:
                raise UserError(f"{where}: row {row.name} is given twice; allowed: each row once")
        gone |= without
        if not rows:
            continue
        for key in sorted({*table.run} - settings_of_runs):
            raise UserError(
                f"{where}: run: found {shown(key)}, which is no setting of the table's runs; "
                "allowed: settings of their kind"
            )
        check_columns(name, [*rows.values()], table.values, where)
        values = table.values or _usual_values(name, rows.values())
        tables[name] = Table(name, table.title, tuple(rows.values()), tuple(values), tuple(without))
    catalogue = Catalogue(scale, settings, runs, tables, tuple(gone))
    try:
        catalogue.asked("directions")
        snapshots = catalogue.asked("snapshots")
    except UserError as error:
        raise UserError(f"{experiments}: {error}") from None
    for run, interval in snapshots.items():
        spec = runs[run].spec.model_copy(update={"snapshots": interval})
        runs[run] = replace(runs[run], spec=spec)
    return catalogue


def _usual_values(name: str, rows: Iterable[Row]) -> list[OwnValue]:
    """Return the value columns of a table that says none and of which the paper has no numbers."""
    if name in FIGURE_COLUMNS or paper_table(name).is_file():
        return []
    grown: list[OwnValue] = ["found_net"] if any(row.grows for row in rows) else []
    compared: list[OwnValue] = ["delta"] if all("scratch" in row.runs for row in rows) else []
    return [*grown, "accuracy", *compared]


def table_keys(experiments: Path = EXPERIMENTS) -> dict[str, list[str]]:
    """Return the columns that name the rows of each table, which are the same at every scale."""
    keys = {}
    for name, entry in _entries(read_yaml(experiments), experiments):
        if name not in FIGURE_COLUMNS:
            keys[name] = [column for column in entry.rows[0] if column in COLUMNS]
    return keys


def _entries(content: object, experiments: Path) -> Iterator[tuple[str, TableEntry]]:
    """Yield the name and content of each table and figure."""
    if not isinstance(content, dict) or not content:
        raise UserError(f"{experiments}: found {shown(content)}; allowed: a mapping of tables")
    for name, entry in content.items():
        check_name(name, experiments)
        yield name, validated(TableEntry, entry, f"{experiments}: {name}")


def paper_table(name: str) -> Path:
    """Return the file of the paper's numbers for a table."""
    return ROOT / "results" / "paper" / f"{name}.csv"


def _expand(groups: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield one mapping of column to value for each row; a list stands for one row each."""
    for group in groups:
        # The rows of a table have their columns in one order.
        group = {c: group[c] for c in (*groups[0], *group) if c in group}
        choices = [v if isinstance(v, list) else [v] for v in group.values()]
        for cells in itertools.product(*choices):
            yield dict(zip(group, cells, strict=True))
