"""The values that a claim rests on, from the finished runs of a scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from analysis.claims.claims import Claim, selected
from analysis.claims.kinds import Basis, Series
from analysis.claims.measures import MEASURES
from analysis.experiments.catalogue import Catalogue
from analysis.experiments.rows import Row
from analysis.results.nulls import schedule_null
from analysis.results.summaries import CountedSummary, Results
from analysis.tables.columns import COLUMNS, roles_of
from autogrow.networks.names import parse_network

DIVERGED = "diverged"
ABSENT = "not run"
BOUND = "only a bound"
NONE = "without a value"
MISSING = (DIVERGED, ABSENT, BOUND, NONE)
"""Why a value is missing. That of a schedule null that had not stopped is only a bound."""

_STEERING = {"paper": "the test set, on every basis", "holdout": "validation images"}


@dataclass(frozen=True)
class Value:
    """What one row gives for one seed.

    Attributes
    ----------
    key
        The paper's values of the columns that name the row.
    runs
        The ids of the runs that the value comes from.
    number
        NaN if ``missing``, one of :data:`MISSING`, says why there is none; else that is empty.
    sub_modules
        Of the main run's net; NaN if that is not known.
    """

    row: str
    key: tuple[tuple[str, str], ...]
    seed: int
    runs: tuple[str, ...]
    number: float
    missing: str = ""
    sub_modules: float = math.nan

    def of(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the values of some key columns."""
        return tuple(dict(self.key)[column] for column in columns)


class Source(Protocol):
    """Where values come from: the runs of a scale, or the paper's tables."""

    @property
    def catalogue(self) -> Catalogue:
        """The rows at its scale."""

    @property
    def seeds(self) -> Sequence[int]:
        """The seeds of its runs."""

    @property
    def papers(self) -> bool:
        """Whether the numbers are those that the paper prints."""

    def bases(self, claim: Claim) -> Sequence[Basis]:
        """Return the bases on which it can judge a claim."""

    def remarks(self) -> list[str]:
        """Return remarks on its numbers, each a sentence without its capital and stop."""

    def values(self, series: Series, basis: Basis) -> list[Value]:
        """Return a value for each row of a side and each seed."""


class FinishedRuns:
    """The finished runs in ``results/out/<scale>``; a run that is not there is missing."""

    papers = False

    def __init__(self, catalogue: Catalogue, folder: Path, seeds: Sequence[int]) -> None:
        self.catalogue = catalogue
        self.seeds = seeds
        # One for each seed, as a run may be there for some of them alone.
        self._results = {seed: Results(folder, [seed], "final") for seed in seeds}
        self._protocols: set[str] = set()

    def bases(self, claim: Claim) -> Sequence[Basis]:
        """Return the bases of a claim."""
        return claim.bases

    def remarks(self) -> list[str]:
        """Return what steered growing in the runs that were read, and what data stands in."""
        lines = [f"growing was steered by {_STEERING[name]}" for name in sorted(self._protocols)]
        data = self.catalogue.settings.data
        stands_in = [name for name, given in data.items() if given.get("data", name) != name]
        if stands_in:
            lines.append(f"other data stands in for {', '.join(stands_in)}: it is judged there")
        return lines

    def values(self, series: Series, basis: Basis) -> list[Value]:
        """Return a value for each row of a side and each seed.

        On the basis ``paper`` the test accuracy of the best test epoch counts, on the others that
        of the last epoch.
        """
        rows = selected(series, self.catalogue)
        return [
            self._value(row, series.column[basis], basis, s) for row in rows for s in self.seeds
        ]

    def _value(self, row: Row, column: str, basis: Basis, seed: int) -> Value:
        roles = _roles(column)
        runs = tuple(row.runs[role] for role in roles if role in row.runs)
        given = (row.name, tuple(row.key.items()), seed, runs)
        results = self._results[seed]
        if len(runs) < len(roles):
            return Value(*given, math.nan, NONE)
        if not all(results.any_finished([run]) for run in runs):
            return Value(*given, math.nan, ABSENT)
        summaries = {role: _counted(results.summaries(row.runs[role])[0], basis) for role in roles}
        main = summaries["main"]
        if main.kind == "autogrow":
            self._protocols.add(main.protocol)
        depth = math.nan if main.diverged_growing else sum(parse_network(main.network).depth)
        number: float | None
        if column == "depth_minus_null":
            null = schedule_null(row, results, seed)
            if not null.stopped:
                return Value(*given, math.nan, BOUND, depth)
            number = depth - null.sub_modules
        elif column == "found_net":
            number = depth
        elif column in COLUMNS:
            number = COLUMNS[column].of(summaries)
        elif main.diverged:
            number = None
        elif column in MEASURES:
            number = MEASURES[column](results.run_folder(row.runs["main"], seed), main)
        else:
            number = main[column]
        if number is None or main.diverged_growing:
            return Value(*given, math.nan, DIVERGED, depth)
        return Value(*given, float(number), NONE if math.isnan(number) else "", depth)


def runs_of(series: Series, basis: Basis, catalogue: Catalogue) -> list[str]:
    """Return the ids of the runs that a side rests on, each once."""
    rows, column = selected(series, catalogue), series.column[basis]
    found = (row.runs[role] for row in rows for role in _roles(column) if role in row.runs)
    return list(dict.fromkeys(found))


def _roles(column: str) -> tuple[str, ...]:
    """Return the roles of the runs that a column needs, the main run always."""
    return tuple(dict.fromkeys(("main", *roles_of(column))))


def _counted(summary: CountedSummary, basis: Basis) -> CountedSummary:
    """Return a summary with the accuracy that counts on a basis."""
    if basis != "paper" or summary.diverged:
        return summary
    return summary.model_copy(update={"accuracy": summary.best_test_accuracy})
