"""The claims: one row at a glance and one card to read for each, from claims.csv."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.claims.claims import Claim, Claims, load_claims
from analysis.claims.judging import CONTRADICTED, SUPPORTED, VERDICTS, Judged, judge
from analysis.claims.paper_values import PapersNumbers
from analysis.claims.reports import effect_text, said_in
from analysis.claims.robustness import other_campaigns
from analysis.claims.rules import support_and_contradiction
from analysis.claims.testability import NOT_RUN, UNDECIDED
from analysis.claims.verdict_files import Verdict, read_verdicts
from analysis.experiments.catalogue import load_catalogue
from analysis.report.intervals import Interval, interval_plot
from analysis.report.run_cards import Link

BASES = {
    "paper": "as the paper compares",
    "protocol": "last epoch, steered by validation images",
    "equal_compute": "at equal compute",
    "depth_minus_null": "depth minus the schedule null",
}
"""What each basis compares, in short; docs/claims.md explains them."""


@dataclass(frozen=True)
class Line:
    """A claim on one basis, or by another campaign or the paper's own numbers."""

    basis: str
    decides: bool
    verdict: str
    effect: str
    plot: Interval | None
    p_support: str
    p_contradict: str
    seeds: str
    pairs: str
    missing: str
    reason: str


@dataclass(frozen=True)
class ClaimCard:
    """A claim, what its runs say, and what would change that.

    Attributes
    ----------
    place
        Who makes the claim, and where.
    decided
        The line of the basis that decides; it is one of ``lines``.
    papers
        The line of the numbers that the paper prints, judged by the same rules; None of a claim of
        this suite.
    others
        Those of other campaigns at the same scale.
    """

    name: str
    sentence: str
    place: str
    sections: Sequence[str]
    tables: Sequence[str]
    kind: str
    support: str
    contradiction: str
    decided: Line
    lines: Sequence[Line]
    papers: Line | None
    others: Sequence[Line]
    change: str
    runs: Sequence[Link]

    @property
    def robust(self) -> bool:
        """Whether every basis and campaign gives the deciding verdict."""
        return all(x.verdict == self.decided.verdict for x in (*self.lines, *self.others))


def claim_cards(folder: Path, places: Mapping[str, str]) -> tuple[list[ClaimCard], list[str]]:
    """Return a card for each claim of ``folder``'s claims.csv, and remarks on the paper's numbers.

    ``places`` says where each run stands in the page, by its id.

    Raises
    ------
    UserError
        If claims.csv cannot be read, or names a claim that config/claims.yaml has not.
    """
    catalogue = load_catalogue("paper")
    content = load_claims(catalogue)
    verdicts = read_verdicts(folder / "claims" / "claims.csv")
    others = other_campaigns(folder, verdicts[0].checksum)
    papers = PapersNumbers(catalogue)
    printed = {line.name: line for line in judge(content, papers)}  # none of this suite's own
    cards = []
    for name, claim in content.claims.items():
        lines = [verdict for verdict in verdicts if verdict.claim == name]
        if lines:
            elsewhere = {where: found[name] for where, found in others.items() if name in found}
            cards.append(_card(name, claim, content, lines, printed.get(name), elsewhere, places))
    return cards, papers.remarks()


def counts(lines: Iterable[Line]) -> dict[str, int]:
    """Return how many lines have each verdict."""
    found = Counter(line.verdict for line in lines)
    return {verdict: found[verdict] for verdict in VERDICTS}


def _card(
    name: str,
    claim: Claim,
    content: Claims,
    verdicts: Sequence[Verdict],
    printed: Judged | None,
    elsewhere: Mapping[str, Verdict],
    places: Mapping[str, str],
) -> ClaimCard:
    support, contradiction = support_and_contradiction(claim.test, content.margins)
    [decided] = [verdict for verdict in verdicts if verdict.decides]
    runs = dict.fromkeys(run for verdict in verdicts for run in verdict.runs if run in places)
    lines = [_line(verdict, claim, content, BASES[verdict.basis]) for verdict in verdicts]
    return ClaimCard(
        name=name,
        sentence=claim.claim,
        place=f"{said_in(name)}: {claim.place}",
        sections=_sections(claim.place),
        tables=list(dict.fromkeys(series.table for series in claim.test.series.values())),
        kind=claim.test.kind,
        support=support,
        contradiction=contradiction,
        decided=lines[verdicts.index(decided)],
        lines=lines,
        papers=_papers(printed, claim, content) if printed else None,
        others=[_line(found, claim, content, where) for where, found in elsewhere.items()],
        change=_change(decided, support, contradiction),
        runs=[Link(places[run], run) for run in runs],
    )


def _line(verdict: Verdict, claim: Claim, content: Claims, basis: str) -> Line:
    ends = (verdict.effect, verdict.low, verdict.high)
    return Line(
        basis=basis,
        decides=verdict.decides,
        verdict=verdict.verdict,
        effect=effect_text(*ends, verdict.unit),
        plot=interval_plot(claim.test, content.margins, *ends),
        p_support=verdict.p_support,
        p_contradict=verdict.p_contradict,
        seeds=verdict.seeds,
        pairs=verdict.pairs,
        missing=verdict.missing,
        reason=verdict.reason,
    )


def _papers(printed: Judged, claim: Claim, content: Claims) -> Line:
    found = printed.evidence
    ends = (float(found.effect), float(found.low), float(found.high))
    return Line(
        basis="the numbers that the paper prints",
        decides=False,
        verdict=printed.verdict,
        effect=effect_text(*ends, printed.unit),
        plot=interval_plot(claim.test, content.margins, *ends),
        p_support="",
        p_contradict="",
        seeds="1",
        pairs=str(printed.pairs),
        missing=printed.missing,
        reason=printed.reason,
    )


def _change(decided: Verdict, support: str, contradiction: str) -> str:
    """Return what would change a verdict, as a sentence."""
    if decided.verdict == SUPPORTED:
        return f"Runs that show this would contradict it: {contradiction}."
    if decided.verdict == CONTRADICTED:
        return f"Runs that show this would support it: {support}."
    if decided.verdict == UNDECIDED and decided.seeds_needed:
        return f"At the effect and the spread seen, {decided.seeds_needed} seeds would decide."
    if decided.verdict == NOT_RUN:
        return f"The runs it rests on must be made: {decided.reason}."
    if decided.verdict == UNDECIDED:
        return f"More seeds would narrow the interval: {decided.reason}."
    return f"It cannot be decided here: {decided.reason}."


def _sections(place: str) -> list[str]:
    """Return the abstract, sections and appendix that a place names, as ``section 3.3``."""
    text = place.lower()
    named = re.findall(r"sections? ((?:\d+(?:\.\d+)?(?:, | and )?)+)", text)
    numbers = dict.fromkeys(number for found in named for number in re.findall(r"[\d.]+", found))
    others = [name for name in ("abstract", "appendix") if name in text]
    return [*others, *(f"section {number}" for number in numbers)]
