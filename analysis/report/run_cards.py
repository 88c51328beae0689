"""Every run: what it was, what came out for each seed, and how to repeat it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.experiments.catalogue import Catalogue
from analysis.report.curve_charts import Chart, Curve, chart_of, lowest, read_test_curve
from analysis.results.summaries import Results
from autogrow.files.reading import read_text
from autogrow.files.seals import RUN
from autogrow.runs.folder import SPEC, require_finished
from autogrow.runs.summary import Summary, read_summary
from autogrow.training.metrics import METRICS

_LARGEST = 1_000_000


@dataclass(frozen=True)
class Link:
    """A place in the page."""

    anchor: str
    text: str


@dataclass(frozen=True)
class OfSeed:
    """What a run gave for one seed.

    Attributes
    ----------
    record
        The SHA-256 of its summary, as it was sealed.
    command
        What trains it once more, into another folder.
    """

    summary: Summary
    record: str
    spec: str
    command: str
    chart: Chart


@dataclass(frozen=True)
class RunCard:
    """A run of the catalogue, once for each seed; ``low`` is where its charts begin (percent)."""

    anchor: str
    identity: str
    low: float
    seeds: tuple[OfSeed, ...]
    uses: Sequence[Link]


def anchors(catalogue: Catalogue) -> dict[str, str]:
    """Return where each run stands in the page, by its id."""
    return {run: f"run-{number}" for number, run in enumerate(catalogue.runs, start=1)}


def run_cards(
    catalogue: Catalogue, results: Results, uses: Mapping[str, Sequence[Link]]
) -> list[RunCard]:
    """Return a card for each run that is finished for any seed, in the order of the catalogue.

    ``uses`` says in which rows of which tables a run is, by its id.

    Raises
    ------
    UserError
        Naming the file of a finished run that is damaged.
    """
    cards = []
    for run, anchor in anchors(catalogue).items():
        folders = [results.run_folder(run, seed) for seed in results.seeds]
        folders = [folder for folder in folders if (folder / RUN).exists()]
        if folders:
            seals = [require_finished(folder, SPEC, METRICS, RUN) for folder in folders]
            curves = [read_test_curve(folder / METRICS) for folder in folders]
            low = lowest(curves)
            records = [seal.files[RUN][1] for seal in seals]
            found = zip(folders, records, curves, strict=True)
            seeds = [_of_seed(folder, record, curve, low) for folder, record, curve in found]
            cards.append(RunCard(anchor, run, low, tuple(seeds), uses.get(run, ())))
    return cards


def _of_seed(folder: Path, record: str, curve: Curve, low: float) -> OfSeed:
    spec = folder / SPEC
    return OfSeed(
        summary=read_summary(folder / RUN),
        record=record,
        spec=read_text(spec, "a spec", _LARGEST),
        command=shlex.join(["autogrow", "run", str(spec), "--out", "runs/again"]),
        chart=chart_of(curve, low),
    )
