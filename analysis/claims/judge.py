"""Judge the claims of config/claims.yaml by finished runs, or by the paper's own numbers.

``python -m analysis judge --scale mini --folder results/out/mini --seeds 0 1 2 3 4`` writes

* ``claims/claims.csv``: a line for each claim and basis, with effect, interval and p values,
* ``claims/claims.md``: the same to read,

and prints how many claims have each verdict. ``--paper`` judges what the paper prints by the same
rules; docs/claims.md explains them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from analysis.claims.claims import load_claims
from analysis.claims.judging import judge
from analysis.claims.paper_values import PapersNumbers
from analysis.claims.reports import csv_of, markdown_of, summary_of
from analysis.claims.values import FinishedRuns, Source
from analysis.commandline import add_campaign, seeds
from analysis.experiments.campaigns import named_campaign
from analysis.experiments.catalogue import load_catalogue
from analysis.experiments.scales import SCALES
from autogrow.files.writing import write_together


def write_verdicts(source: Source, folder: Path) -> list[str]:
    """Judge all claims and write ``claims/claims.csv`` and ``.md`` into a folder.

    Returns
    -------
    lines
        How many claims have each verdict.
    """
    content = load_claims(load_catalogue("paper"))
    lines = judge(content, source)
    contents = {
        folder / "claims" / "claims.csv": csv_of(lines, source),
        folder / "claims" / "claims.md": markdown_of(lines, content, source).encode(),
    }
    write_together(contents)
    return summary_of(lines, source)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--scale", choices=SCALES, help="finished runs of this scale")
    what.add_argument("--paper", action="store_true", help="the numbers that the paper prints")
    add_campaign(parser)


def run(options: argparse.Namespace) -> int:
    """Judge, write both files and print the counts; return the exit status."""
    source: Source
    if options.paper:
        folder = options.folder or Path("results/out/papers-numbers")
        source = PapersNumbers(load_catalogue("paper"))
    else:
        folder, catalogue = named_campaign(options)
        source = FinishedRuns(catalogue, folder, seeds(options))
    print("\n".join([*write_verdicts(source, folder), f"All verdicts: {folder}/claims/claims.md"]))
    return 0
