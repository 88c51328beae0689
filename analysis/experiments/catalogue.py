"""The catalogue: config/experiments.yaml at a scale, as runs and table rows.

The same spec named by several tables is one run. Its id is a readable path made from its
settings alone. It keeps snapshots if any row shows its trajectory; rows of one run must
agree on their interval.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analysis.experiments.data_sets import left_out
from analysis.experiments.planned_runs import Run
from analysis.experiments.rows import Row, RowMaker, TableEntry
from analysis.experiments.settings import CONFIG, ROOT, ScaleSettings, read_scale
from autogrow.config.pydantic_errors import validated
from autogrow.errors import UserError, shown
from autogrow.files.yaml import read_yaml

EXPERIMENTS = CONFIG / "experiments.yaml"


@dataclass(frozen=True)
class Table:
    """A table or figure: its name (``table5``), title and rows.

    ``values`` are the value columns of a table that the paper has not; of another, the paper's
    numbers have them. ``left_out`` are the data sets that are not there, whose rows are left
    out.
    """

    name: str
    title: str
    rows: tuple[Row, ...]
    values: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

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
    scale: str, experiments: Path = EXPERIMENTS, *, sources: Mapping[str, str] | None = None
) -> Catalogue:
    """Return the catalogue of a scale: ``smoke``, ``mini``, ``reduced`` or ``paper``.

    ``sources`` says which data sets are taken from elsewhere, as ``npz:PATH``. Rows whose data set
    is not there are left out, if the scale says that it is optional.

    Raises
    ------
    UserError
        Naming file, table and key of what is malformed.
    """
    settings = read_scale(scale)
    taken = {**settings.data_source, **(sources or {})}
    settings = settings.model_copy(update={"data_source": taken})
    return make_catalogue(scale, settings, read_yaml(experiments), experiments)


def make_catalogue(
    scale: str, settings: ScaleSettings, content: object, experiments: Path
) -> Catalogue:
    """Return the catalogue of what experiments.yaml holds; see :func:`load_catalogue`."""
    if not isinstance(content, dict):
        raise UserError(f"{experiments}: found {shown(content)}; allowed: a mapping of tables")
    missing = left_out(settings)
    runs: dict[str, Run] = {}
    tables: dict[str, Table] = {}
    gone: dict[str, None] = {}
    for name, entry in content.items():
        where = f"{experiments}: {name}"
        if not re.fullmatch(r"(table|figure)[0-9]+", str(name)):
            raise UserError(f"{where}: allowed: names like table5 and figure3")
        table = validated(TableEntry, entry, where)
        rows: dict[str, Row] = {}
        without: dict[str, None] = {}
        for cells in _expand(table.rows):
            dataset = cells.get("dataset", table.shared.get("dataset"))
            if dataset in missing:
                without[dataset] = None
                continue
            maker = RowMaker(table, cells, settings, where)
            for needed in maker.needed:
                if runs.setdefault(needed.id, needed) != needed:
                    raise UserError(f"{where}: two different runs have the id {needed.id}")
            row = maker.row()
            if rows.setdefault(row.name, row) is not row:
                raise UserError(f"{where}: row {row.name} is given twice; allowed: each row once")
        gone |= without
        if rows:
            tables[name] = Table(
                name, table.title, tuple(rows.values()), tuple(table.values), tuple(without)
            )
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


def paper_table(name: str) -> Path:
    """Return the file of the paper's numbers for a table."""
    return ROOT / "results" / "paper" / f"{name}.csv"


def _expand(groups: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield one mapping of column to value for each row; a list stands for one row each."""
    for group in groups:
        choices = [v if isinstance(v, list) else [v] for v in group.values()]
        for cells in itertools.product(*choices):
            yield dict(zip(group, cells, strict=True))
