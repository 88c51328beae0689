"""The rows of a table as a file: how the workflow hands them to the job that makes it."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from analysis.experiments.catalogue import Catalogue, Table
from analysis.experiments.scales import ScaleSettings
from autogrow.config.pydantic_errors import validated
from autogrow.files.reading import read_json


class _Rows(BaseModel):
    scale: str
    description: str
    table: Table


def to_json(catalogue: Catalogue, name: str) -> str:
    """Return the rows of a table or figure as the text of a JSON file."""
    rows = _Rows(
        scale=catalogue.scale,
        description=catalogue.settings.description,
        table=catalogue.tables[name],
    )
    return rows.model_dump_json()


def from_json(file: Path) -> Catalogue:
    """Return the part of the catalogue that :func:`to_json` wrote: one table, no runs.

    Raises
    ------
    UserError
        If the file cannot be read or holds no rows.
    """
    rows = validated(_Rows, read_json(file), str(file))
    settings = ScaleSettings(description=rows.description)
    return Catalogue(rows.scale, settings, {}, {rows.table.name: rows.table})
