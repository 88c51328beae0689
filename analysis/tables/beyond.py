"""Columns for what the paper did not control: schedule null, equal compute, choice of an epoch.

Each says which of a row's runs it needs; docs/beyond.md explains them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from analysis.experiments.rows import Row
from analysis.results.nulls import schedule_null
from analysis.results.summaries import Results
from analysis.tables.table_files import DIVERGED
from autogrow.networks.names import parse_network

NULL = ("null_depth", "depth_minus_null")
EQUAL_COMPUTE = ("equal_compute_accuracy", "delta_equal_compute")


def with_beside(columns: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """Return value columns with those for the runs that rows have beside AutoGrow's."""
    roles = {role for row in rows for role in row.runs}
    found = []
    for column in columns:
        found.append(column)
        if column == "found_net" and "never_grown" in roles:
            found += NULL
    return [*found, *(EQUAL_COMPUTE if "equal_compute" in roles else ())]


def null_cells(row: Row, results: Results) -> dict[str, Any]:
    """Return what the schedule alone reports, and how many sub-modules more were found.

    ``null_depth`` has a depth for each seed, ``>=9-9-9`` where Algorithm 1 had not stopped at
    the end of the curve. Then ``depth_minus_null``, the mean over the seeds, is an upper bound:
    ``<=3.0``, without a standard deviation.
    """
    empty = {"null_depth": "", "depth_minus_null": "", "depth_minus_null_std": ""}
    if "never_grown" not in row.runs:
        return empty
    nulls = [schedule_null(row, results, seed) for seed in results.seeds]
    pairs = list(zip(results.summaries(row.runs["main"]), nulls, strict=True))
    found = [(s, null) for s, null in pairs if not s.diverged_growing]
    beyond = pd.Series(
        [sum(parse_network(s.network).depth) - null.sub_modules for s, null in found], dtype=float
    )
    cells = {**empty, "null_depth": "; ".join(null.text for null in nulls)}
    if beyond.empty:
        return {**cells, "depth_minus_null": DIVERGED}
    exact = all(null.stopped for _, null in found)
    cells["depth_minus_null"] = ("" if exact else "<=") + f"{beyond.mean():.1f}"
    if exact and len(beyond) > 1:
        cells["depth_minus_null_std"] = f"{beyond.std():.1f}"
    return cells
