"""Print the claims of config/claims.yaml, each with what would support and contradict it."""

from __future__ import annotations

import argparse

from analysis.claims.claims import load_claims
from analysis.claims.reports import said_in
from analysis.claims.rules import support_and_contradiction
from analysis.experiments.catalogue import load_catalogue


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command: it has none."""


def run(options: argparse.Namespace) -> int:
    """Print all claims; return the exit status."""
    content = load_claims(load_catalogue("paper"))
    for name, claim in content.claims.items():
        support, contradiction = support_and_contradiction(claim.test, content.margins)
        tables = dict.fromkeys(series.table for series in claim.test.series.values())
        judged = f"{claim.test.kind} on {', '.join(tables)}, decided on {claim.decides}"
        needs = f"; needs {', '.join(claim.needs)}" if claim.needs else ""
        print(
            f"{name}  {claim.claim}\n"
            f"     {said_in(name)}: {claim.place}\n"
            f"     {judged}{needs}\n"
            f"     supported: {support}; contradicted: {contradiction}\n"
        )
    print(f"{len(content.claims)} claims, tests at {content.alpha:g}")
    return 0
