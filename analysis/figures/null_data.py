"""The numbers behind Figure 9: found depth, and the depth that the schedule alone reports."""

from __future__ import annotations

import pandas as pd

from analysis.experiments.catalogue import Catalogue, Table
from analysis.figures.labelling import labelled
from analysis.results.nulls import schedule_null
from analysis.results.summaries import Results
from autogrow.networks.names import parse_network

TITLES = {"a": "by growing period K", "b": "by fraction of the training set"}


def depths_against_nulls(
    figure: Table, catalogue: Catalogue, results: Results
) -> dict[str, pd.DataFrame]:
    """Return a line for each run and seed; ``null_stopped`` is ``no`` where the null is a bound.

    A run that diverged before it had found its network has no depth.
    """
    parts = []
    for row in figure.rows:
        for seed, s in zip(results.seeds, results.summaries(row.runs["main"]), strict=True):
            null = schedule_null(row, results, seed)
            lost = s.diverged_growing
            line = {
                "network": row.key["network"],
                "K": row.values.get("K", ""),
                "paper_K": row.key.get("K", ""),
                "fraction": row.values.get("fraction", ""),
                "found_depth": "" if lost else s.depth,
                "null_depth": null.text,
                "found_sub_modules": "" if lost else sum(parse_network(s.network).depth),
                "null_sub_modules": null.sub_modules,
                "null_stopped": "yes" if null.stopped else "no",
            }
            title = TITLES.get(row.panel.letter, "")
            parts.append(labelled(pd.DataFrame([line]), catalogue, row, title, seed, s))
    return {"": pd.concat(parts)}
