"""Why a claim cannot be tested on a basis, at a scale or on the paper's numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.claims.claims import Claim
from analysis.claims.frontier import Frontier
from analysis.claims.kinds import Basis, Count, FixedSettings, Plateau, Superiority, Test, Trend
from analysis.claims.pairs import Data
from analysis.claims.values import ABSENT, NONE, Source
from analysis.experiments.catalogue import Catalogue

UNDECIDED = "undecided"
NOT_TESTABLE = "not testable at this scale"
NOT_RUN = "not run"


@dataclass(frozen=True)
class Excuse:
    """A verdict that no test has given, and why; ``measured`` if effects are shown all the same."""

    verdict: str
    reason: str
    measured: bool = False


def without_needs(claim: Claim, basis: Basis, source: Source, frontier: Frontier) -> Excuse | None:
    """Return what a claim needs and a scale has not; None if it has everything."""
    if source.catalogue.scale == "smoke":
        return Excuse(NOT_TESTABLE, "the numbers of this scale mean nothing")
    if basis not in claim.bases:
        return Excuse(NOT_TESTABLE, "the paper has no such comparison")
    for need in claim.needs:
        if need == "landscapes of several seeds":
            return Excuse(NOT_TESTABLE, "trajectories and surfaces are of one seed")
        if need == "depth frontier":
            if not frontier.known:
                return Excuse(NOT_RUN, "the fixed depths of table frontier are not there")
            if not frontier.matters:
                return Excuse(NOT_TESTABLE, f"the depth frontier is flat: {frontier}", True)
        elif not _has(need, source.catalogue):
            return Excuse(NOT_TESTABLE, f"the scale has other data than {need}")
    return None


def without_data(test: Test, data: Data, source: Source) -> Excuse | None:
    """Return why values cannot be tested; None if they can."""
    if isinstance(test, Trend) and data.itself and data.values.shape[1] < 3:
        return Excuse(NOT_TESTABLE, f"the scale has fewer than three settings of {test.over}")
    if data.itself and (not len(data.values) or isinstance(test, Plateau)):
        return Excuse(NOT_TESTABLE, "both sides of the comparison are the same run")
    if not data.pairs:
        if ABSENT in data.missing:
            return Excuse(NOT_RUN, "no pair of runs is finished")
        if set(data.missing) == {NONE}:
            return Excuse(NOT_TESTABLE, "no run has a value for it")
        if data.missing:
            return Excuse(UNDECIDED, "no pair has a value on both sides")
        if isinstance(test, FixedSettings) and test.side != "all":
            return Excuse(NOT_TESTABLE, f"no fixed depth is {test.side} than the found net")
        return Excuse(NOT_TESTABLE, "the rows that it rests on are left out")
    if data.others and ABSENT in data.missing and all(np.isnan(o).all() for o in data.others):
        return Excuse(NOT_RUN, "none of the other settings is finished")
    if len(source.seeds) == 1 and not _pools_rows(test):
        verdict = UNDECIDED if source.papers else NOT_TESTABLE
        return Excuse(verdict, "one seed has no spread", True)
    return None


def _pools_rows(test: Test) -> bool:
    """Return whether a test takes its spread from the rows as well as from the seeds."""
    return isinstance(test, Count | Trend) or (
        isinstance(test, Superiority) and test.kind == "sign flip"
    )


def _has(dataset: str, catalogue: Catalogue) -> bool:
    """Return whether a scale has a data set of the paper itself, of whatever size."""
    stands_in = catalogue.settings.data.get(dataset, {}).get("data", dataset) != dataset
    return not stands_in and dataset not in catalogue.left_out
