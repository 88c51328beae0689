"""The tables: the paper's numbers beside ours, each cell with the runs that it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.experiments.catalogue import Catalogue, Table
from analysis.experiments.rows import Row
from analysis.report.run_cards import Link, anchors
from analysis.results.summaries import Results
from analysis.tables.build import build_table
from analysis.tables.columns import roles_of
from analysis.tables.formats import sentences

_HIDDEN = ("scale", "row", "stamp", "n", "dataset")
_ROLES = {
    "main": "run",
    "scratch": "from scratch",
    "never_grown": "never grown",
    "equal_compute": "equal compute",
}


@dataclass(frozen=True)
class Cell:
    """A text and the place of the run that it comes from; empty if it comes from none."""

    text: str
    anchor: str = ""
    papers: bool = False


@dataclass(frozen=True)
class RowView:
    """The cells of a row, its anchor, and all runs behind it."""

    anchor: str
    cells: Sequence[Cell]
    runs: Sequence[Link]


@dataclass(frozen=True)
class TableView:
    """A table; ``data`` says what stands in for which of the paper's data sets."""

    name: str
    title: str
    notes: Sequence[str]
    data: Mapping[str, str]
    header: Sequence[str]
    rows: Sequence[RowView]


def table_view(table: Table, catalogue: Catalogue, results: Results) -> TableView:
    """Return a table as the page shows it, from finished runs."""
    frame = build_table(table, catalogue, results)
    places = anchors(catalogue)
    texts = {str(c): [_text(row, str(c)) for _, row in frame.iterrows()] for c in frame.columns}
    header = [column for column, cells in texts.items() if _is_shown(column, cells)]
    rows = []
    for number, row in enumerate(table.rows):
        cells = [_cell(column, texts[column][number], row, places) for column in header]
        links = [Link(places[run], _ROLES[role]) for role, run in row.runs.items()]
        rows.append(RowView(row_anchor(table, number), cells, links))
    return TableView(
        name=table.name,
        title=title_of(table),
        notes=sentences(table, frame, catalogue, results),
        data=_data(table.rows),
        header=[_heading(column) for column in header],
        rows=rows,
    )


def _data(rows: Sequence[Row]) -> dict[str, str]:
    """Return what was used in place of data sets of the paper, by their names."""
    named: dict[str, dict[str, None]] = {}
    for row in rows:
        if row.values["dataset"] != row.paper_dataset:
            named.setdefault(row.values["dataset"], {})[row.paper_dataset] = None
    return {", ".join(names): used for used, names in named.items()}


def uses(catalogue: Catalogue) -> dict[str, list[Link]]:
    """Return the rows of tables that each run is in, by its id."""
    found: dict[str, list[Link]] = {}
    for name in catalogue.table_names:
        table = catalogue.tables[name]
        for number, row in enumerate(table.rows):
            for run in dict.fromkeys(row.runs.values()):
                text = f"{name} {row.name}"
                found.setdefault(run, []).append(Link(row_anchor(table, number), text))
    return found


def row_anchor(table: Table, number: int) -> str:
    """Return where a row stands in the page."""
    return f"{table.name}-row-{number + 1}"


def title_of(table: Table) -> str:
    """Return the title of a table or figure with its number in the paper, if it has one."""
    for kind in ("table", "figure"):
        number = table.name.removeprefix(kind)
        if number.isdigit():
            return f"{kind.capitalize()} {number}: {table.title}"
    return table.title


def _is_shown(column: str, cells: Sequence[str]) -> bool:
    if column in _HIDDEN or column.endswith(("_std", "_diverged")):
        return False
    if column == "paper_dataset":
        return len({*cells}) > 1
    return any(cells)


def _heading(column: str) -> str:
    papers = column.startswith("paper_")
    words = column.removeprefix("paper_").replace("_", " ")
    return f"paper: {words}" if papers else words


def _text(row: pd.Series, column: str) -> str:
    """Return a mean with its standard deviation, and how many seeds diverged."""
    text, std = str(row[column]), row.get(f"{column}_std", "")
    count = row.get(f"{column}_diverged", 0)
    beside = f"\u00a0±\u00a0{std}" if text and std else ""
    return text + beside + (f" ({count} of {row['n']} diverged)" if 0 < count < row["n"] else "")


def _cell(column: str, text: str, row: Row, places: Mapping[str, str]) -> Cell:
    if column.startswith("paper_"):
        return Cell(text, papers=True)
    if column in row.key:
        return Cell(text)
    role = next((role for role in roles_of(column) if role in row.runs), "main")
    return Cell(text, places[row.runs[role]])
