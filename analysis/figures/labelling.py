"""The columns that the CSV of every figure begins with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from analysis.experiments.catalogue import Catalogue
from analysis.experiments.rows import Row
from analysis.figures.frames import EQUAL_COMPUTE
from analysis.results.summaries import CountedSummary


def ways_trained(row: Row) -> Iterator[tuple[Row, str]]:
    """Yield a row with its method, and again with its run at equal compute, if it has one."""
    yield row, row.key["method"]
    if "equal_compute" in row.runs:
        yield replace(row, runs={"main": row.runs["equal_compute"]}), EQUAL_COMPUTE


def labelled(
    frame: pd.DataFrame,
    catalogue: Catalogue,
    row: Row,
    title: str,
    seed: int,
    summary: CountedSummary,
) -> pd.DataFrame:
    """Return the frame behind the columns that every figure has, ``diverged_after`` at its end."""
    common: dict[str, Any] = {
        "scale": catalogue.scale,
        "description": catalogue.settings.description,
        "panel": row.panel.letter,
        "title": title,
        "dataset": row.values["dataset"],
        "paper_dataset": row.paper_dataset,
        "run": row.runs["main"],
        "seed": seed,
    }
    whole = frame.assign(**common)[[*common, *frame.columns]]
    return whole.assign(diverged_after=summary.diverged_after if summary.diverged else "")
