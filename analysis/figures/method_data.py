"""The numbers behind Figure 10: what each way to grow spends, and how accurate its net is."""

from __future__ import annotations

import pandas as pd

from analysis.experiments.catalogue import Catalogue, Table
from analysis.figures.frames import EQUAL_COMPUTE
from analysis.figures.labelling import labelled, ways_trained
from analysis.results.summaries import Results
from autogrow.networks.names import parse_network


def methods_and_depths(
    figure: Table, catalogue: Catalogue, results: Results
) -> dict[str, pd.DataFrame]:
    """Return a line for each run and seed; ``flops_training`` are all that its training computed.

    Fixed depths are there twice: at the baselines' epochs and for p-AutoGrow's multiply-adds. A run
    that diverged has no accuracy.
    """
    ways = [way for row in figure.rows for way in ways_trained(row)]
    parts = []
    for row, method in sorted(ways, key=lambda way: way[1] == EQUAL_COMPUTE):
        for seed, s in zip(results.seeds, results.summaries(row.runs["main"]), strict=True):
            network = parse_network(s.network).architecture.name
            line = {
                "network": network,
                "method": method,
                "initializer": row.key.get("initializer", ""),
                **{key: s[key] for key in ("depth", "layers", "parameters", "flops")},
                "flops_training": s.flops_training,
                "accuracy": "" if s.diverged else f"{s.accuracy:.4f}",
            }
            parts.append(labelled(pd.DataFrame([line]), catalogue, row, network, seed, s))
    return {"": pd.concat(parts)}
