"""The paper's numbers beside ours: ``results/paper/tableN.csv``, if the paper has such a table."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from analysis.experiments.catalogue import Catalogue, Table, paper_table
from analysis.experiments.table_entries import OwnValue
from analysis.results.csvfiles import read_csv, read_numbers
from autogrow.errors import UserError, allowed, shown

TEXTS = ("found_net", "depth", "gpus")
"""Value columns that hold no number."""


@dataclass(frozen=True)
class PaperNumbers:
    """The value columns of the paper's table, and its cells by the name of a row and column.

    A cell is empty where the paper does not tell the number.
    """

    columns: tuple[str, ...]
    rows: Mapping[str, Mapping[str, str]]


def check_paper_numbers(catalogue: Catalogue) -> None:
    """Read the paper's numbers for every table, so that a mistake is reported before any run."""
    for name in catalogue.table_names:
        read_paper_numbers(catalogue.tables[name])


def read_paper_numbers(table: Table) -> PaperNumbers:
    """Return the paper's numbers for a table; none if the paper has no such table.

    Raises
    ------
    UserError
        Naming the file and what is wrong: no CSV, a column that the table's rows need and it
        lacks, an unknown one, a row given twice, a cell that is no number or no depth.
    """
    file = paper_table(table.name)
    if not file.is_file():
        return PaperNumbers((), {})
    header, lines = read_csv(file)
    keys = list(table.rows[0].key)
    for column in keys:
        if column not in header:
            raise UserError(
                f"{file}: has no column {shown(column)}, as the rows of {table.name} in "
                "config/experiments.yaml have; allowed: that column here too, or there in "
                "`shared`, or a table of another name"
            )
    columns = tuple(c for c in header if c not in keys)
    for column in columns:
        if column not in get_args(OwnValue):
            raise UserError(
                f"{file}: column {shown(column)}: allowed: the columns of {table.name} in "
                f"config/experiments.yaml ({allowed(keys)}), and values: "
                f"{allowed(get_args(OwnValue))}"
            )
        if column.startswith("delta") and not all("scratch" in row.runs for row in table.rows):
            raise UserError(
                f"{file}: column {column}: allowed: where {table.name} in "
                "config/experiments.yaml says what it is `against`"
            )
        if column not in TEXTS:
            for line, number in enumerate(read_numbers(file, lines, column), start=2):
                if math.isinf(number):
                    raise UserError(f"{file}: line {line}: {column}: found {number}")
        elif column != "gpus":
            for line, cells in enumerate(lines, start=2):
                if not re.fullmatch(r"(\d+(-\d+)*)?", cells[column], re.ASCII):
                    raise UserError(
                        f"{file}: line {line}: {column}: found {shown(cells[column])}; "
                        "allowed: a depth like 7-7-7, or nothing"
                    )
    rows: dict[str, dict[str, str]] = {}
    for cells in lines:
        row = "/".join(cells[key] for key in keys)
        if row in rows:
            raise UserError(f"{file}: row {row} is given twice; allowed: each row once")
        rows[row] = {column: cells[column] for column in columns}
    return PaperNumbers(columns, rows)
