"""What tables of config/experiments.yaml may be called, and which columns they may have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from analysis.experiments.panels import FIGURE_COLUMNS
from analysis.experiments.rows import Row
from autogrow.errors import UserError, allowed, shown


def check_name(name: object, file: Path) -> None:
    """Refuse what is no name of a table, and a figure that nothing draws.

    ``_seeds`` ends the name of a table's file of single seeds.
    """
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", name, re.ASCII):
        raise UserError(
            f"{file}: found the name {shown(name)}; allowed: names like table5 and my_table: up "
            "to 60 lower-case letters, digits and _, a letter first"
        )
    if name.endswith("_seeds"):
        raise UserError(f"{file}: found the name {shown(name)}; allowed: one without _seeds")
    if name.startswith("figure") and name not in FIGURE_COLUMNS:
        raise UserError(
            f"{file}: found the name {shown(name)}; allowed: {allowed(FIGURE_COLUMNS)}, or a "
            "table's name, which does not begin with figure"
        )


def check_targets(names: Iterable[str], workflow: Path) -> None:
    """Refuse a table with the name of a rule of the workflow: each table is a rule of its own."""
    for file in (workflow / "Snakefile", *sorted(workflow.glob("workflow/rules/*.smk"))):
        text = file.read_text(encoding="utf-8")
        rules = re.findall(r"^ *(?:rule|use rule \w+ as) (\w+)", text, re.MULTILINE)
        for name in names:
            if name in rules:
                raise UserError(
                    f"config/experiments.yaml: found the name {shown(name)}, which a rule of "
                    f"{file.name} has; allowed: another name"
                )


def check_columns(name: str, rows: Sequence[Row], values: Sequence[str], where: str) -> None:
    """Check that the rows have the columns that their table or figure needs."""
    for row in rows:
        given = {*row.key, *(c for c, v in row.panel if v is not None)}
        for column in FIGURE_COLUMNS.get(name, ()):
            if column not in given:
                raise UserError(
                    f"{where}: row {row.name} has no {column}; allowed: the columns "
                    f"{allowed(FIGURE_COLUMNS[name])} in every row of {name}"
                )
    if name not in FIGURE_COLUMNS:
        _check_table(rows, values, where)
    elif values:
        raise UserError(f"{where}: values: allowed: in tables alone")


def _check_table(rows: Sequence[Row], values: Sequence[str], where: str) -> None:
    first = rows[0]
    if not first.key:
        raise UserError(f"{where}: rows have no column of their own; allowed: at least one")
    for row in rows:
        if list(row.key) != list(first.key):
            raise UserError(
                f"{where}: row {row.name} has the columns {', '.join(row.key)}, row {first.name} "
                f"has {', '.join(first.key)}; allowed: the same ones in every row, null "
                "where one says nothing"
            )
        if row.panel.landscape:
            raise UserError(f"{where}: snapshots and directions: allowed: in figures alone")
        for value in values if "scratch" not in row.runs else ():
            if value.startswith(("delta", "baseline")):
                raise UserError(
                    f"{where}: values: found {value}; allowed: in a table with `against`"
                )
    for value in values:
        if value in first.key:
            raise UserError(f"{where}: values: found {value}, which is a column of the rows")
