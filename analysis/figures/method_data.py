"""The numbers behind Figure 10: what each way to grow spends, and how accurate its net is."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from analysis.experiments.catalogue import Catalogue, Table
from analysis.figures.frames import EQUAL_COMPUTE
from analysis.figures.labelling import labelled
from analysis.results.summaries import Results
from autogrow.networks.names import parse_network


def methods_and_depths(
    figure: Table, catalogue: Catalogue, results: Results
) -> dict[str, pd.DataFrame]:
    """Return a line for each run and seed; ``flops_training`` are all that its training computed.

    Fixed depths are there twice: at the baselines' epochs and for p-AutoGrow's multiply-adds. A run
    that diverged has no accuracy.
    """
    methods = [(row, row.key["method"]) for row in figure.rows]
    equal = [r for r in figure.rows if "equal_compute" in r.runs]
    methods += [(replace(r, runs={"main": r.runs["equal_compute"]}), EQUAL_COMPUTE) for r in equal]
    parts = []
    for row, method in methods:
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
