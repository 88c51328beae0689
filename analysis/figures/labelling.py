"""The columns that the CSV of every figure begins with."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.experiments.catalogue import Catalogue
from analysis.experiments.rows import Row
from analysis.results.summaries import CountedSummary


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
