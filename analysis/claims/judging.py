"""The verdict on each claim and basis, from the values of a scale or of the paper."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from analysis.claims.claims import Claim, Claims, is_papers
from analysis.claims.evidence import MOST_SEEDS, data_of, evidence, seeds_needed, unit_of
from analysis.claims.frontier import frontier_of
from analysis.claims.kinds import Basis
from analysis.claims.pairs import Data
from analysis.claims.significance import Evidence, holm
from analysis.claims.testability import (
    NOT_RUN,
    NOT_TESTABLE,
    UNDECIDED,
    without_data,
    without_needs,
)
from analysis.claims.values import Source

SUPPORTED = "supported"
CONTRADICTED = "contradicted"
VERDICTS = (SUPPORTED, CONTRADICTED, UNDECIDED, NOT_TESTABLE, NOT_RUN)

_NOTHING = Evidence(math.nan, math.nan, math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Judged:
    """A claim on one basis.

    Attributes
    ----------
    reason
        Why there is no other verdict; empty if it is supported or contradicted.
    adjusted_support, adjusted_contradict
        The p values after Holm's correction, NaN where nothing was tested.
    seeds_needed
        How many seeds would decide what is undecided: a number, ``more than 100``, or empty.
    """

    name: str
    claim: Claim
    basis: Basis
    decides: bool
    verdict: str
    reason: str
    unit: str
    evidence: Evidence = _NOTHING
    adjusted_support: float = math.nan
    adjusted_contradict: float = math.nan
    seeds: int = 0
    pairs: int = 0
    missing: str = ""
    seeds_needed: str = ""


def judge(content: Claims, source: Source) -> list[Judged]:
    """Return the verdict on every claim and basis of a source, in the order of the file.

    p values are corrected by Holm's method, those of supports and those of contradictions each
    for themselves, over the bases that decide and over each other basis, and over the paper's
    claims and this suite's own apart: a claim that is added here makes none of the paper's harder.
    What the paper prints judges its own claims alone.
    """
    frontier = frontier_of(source)
    lines, tested = [], []
    for name, claim in content.claims.items():
        if source.papers and not is_papers(name):
            continue
        unit = unit_of(claim.test, content.margins)
        for basis in source.bases(claim):
            decides = len(source.bases(claim)) == 1 or basis == claim.decides
            line = Judged(name, claim, basis, decides, UNDECIDED, "", unit)
            data = None
            excuse = without_needs(claim, basis, source, frontier)
            if excuse is None or excuse.measured:
                data = data_of(claim.test, basis, source)
                lack = without_data(claim.test, data, source)
                line = _measured(line, data, content, tested=lack is None or lack.measured)
                excuse = excuse or lack
            if excuse is not None:
                line = replace(line, verdict=excuse.verdict, reason=excuse.reason)
                line = replace(line, evidence=_without_tests(line.evidence))
            lines.append(line)
            tested.append(data)
    lines = _corrected(lines)
    sizes = Counter(_family(line) for line in lines if _is_tested(line))
    return [
        _decided(line, data, content, sizes[_family(line)])
        for line, data in zip(lines, tested, strict=True)
    ]


def _measured(line: Judged, data: Data, content: Claims, *, tested: bool) -> Judged:
    """Return a line with what its data says, and its test if there is enough for that."""
    lost = [f"{count} {reason}" for reason, count in sorted(data.missing.items())]
    line = replace(line, seeds=data.seeds, pairs=data.pairs, missing=", ".join(lost))
    if not tested:
        return line
    return replace(line, evidence=evidence(line.claim.test, data, content.margins))


def _without_tests(found: Evidence) -> Evidence:
    return replace(found, p_support=math.nan, p_contradict=math.nan)


def _is_tested(line: Judged) -> bool:
    return not math.isnan(line.evidence.p_support)


def _family(line: Judged) -> tuple[bool, str]:
    """Return what p values are corrected together with those of a line."""
    return is_papers(line.name), "decides" if line.decides else line.basis


def _corrected(lines: Sequence[Judged]) -> list[Judged]:
    """Return the lines with their p values after Holm's correction."""
    found = list(lines)
    for family in {_family(line) for line in lines}:
        places = [k for k, line in enumerate(lines) if _family(line) == family]
        supports = holm([float(lines[k].evidence.p_support) for k in places])
        contradictions = holm([float(lines[k].evidence.p_contradict) for k in places])
        for k, support, contradict in zip(places, supports, contradictions, strict=True):
            found[k] = replace(lines[k], adjusted_support=support, adjusted_contradict=contradict)
    return found


def _decided(line: Judged, data: Data | None, content: Claims, tests: int) -> Judged:
    """Return a line that was tested with its verdict; others have theirs."""
    if line.verdict != UNDECIDED or line.reason:
        return line
    if data is None or not _is_tested(line):
        return replace(line, reason="too few values for a test")
    # What is `superior` may be both above 0 and below the margin: then it is supported.
    if line.adjusted_support <= content.alpha:
        return replace(line, verdict=SUPPORTED)
    if line.adjusted_contradict <= content.alpha:
        return replace(line, verdict=CONTRADICTED)
    reason = "neither p value is small enough"
    least = min(line.evidence.p_support, line.evidence.p_contradict)
    if least <= content.alpha:
        reason += " after Holm's correction"
    needed = ""
    if data.seeds > 1:
        level = content.alpha / tests
        number = seeds_needed(line.claim.test, data, content.margins, level)
        needed = f"more than {MOST_SEEDS}" if number is None else str(number)
    return replace(line, reason=reason, seeds_needed=needed)
