"""The verdicts as files: a CSV with a line for each claim and basis, and Markdown to read."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256

from analysis.claims.claims import CLAIMS, Claims, is_papers
from analysis.claims.judging import CONTRADICTED, SUPPORTED, VERDICTS, Judged
from analysis.claims.rules import support_and_contradiction
from analysis.claims.testability import NOT_RUN
from analysis.claims.values import Source, runs_of
from analysis.results.texts import markdown_text
from autogrow.files.reading import read_bytes
from autogrow.files.writing import csv_bytes

HEADER = (
    *("scale", "id", "basis", "decides", "verdict", "reason"),
    *("effect", "unit", "low", "high"),
    *("p_support", "p_contradict", "adjusted_p_support", "adjusted_p_contradict"),
    *("n_seeds", "n_pairs", "missing", "seeds_needed", "tables", "runs", "claims_sha256"),
)
"""Columns of claims.csv."""

_LARGEST = 10_000_000


def csv_of(lines: Sequence[Judged], source: Source) -> bytes:
    """Return claims.csv: a line for each claim and basis."""
    scale = _scale(source)
    checksum = claims_checksum()
    rows = []
    for line in lines:
        found = line.evidence
        rows.append(
            [
                *(scale, line.name, line.basis, "yes" if line.decides else "no"),
                *(line.verdict, line.reason),
                *(number(found.effect), line.unit, number(found.low), number(found.high)),
                *map(p_value, (found.p_support, found.p_contradict)),
                *map(p_value, (line.adjusted_support, line.adjusted_contradict)),
                *(line.seeds, line.pairs, line.missing, line.seeds_needed),
                *("; ".join(_tables(line)), "; ".join(_runs(line, source)), checksum),
            ]
        )
    return csv_bytes(HEADER, rows)


def markdown_of(lines: Sequence[Judged], content: Claims, source: Source) -> str:
    """Return claims.md: the counts, a row for each claim, and a section for each."""
    papers, own = ([x for x in lines if is_papers(x.name) == whose] for whose in (True, False))
    sections = [
        _section([line for line in lines if line.name == name], content)
        for name in dict.fromkeys(line.name for line in lines)
    ]
    counted = "\n".join(f"| {markdown_text(v)} | {n} |" for v, n in _counts(papers))
    beside = f"## Claims of this suite\n\n{own_headline(dict(_counts(own)))}\n\n{_table(own)}\n\n"
    return (
        f"# The paper's claims\n\n{headline(dict(_counts(papers)))}\n\n"
        f"{_conditions(content, source)}\n\n"
        f"| verdict | claims |\n|---|---|\n{counted}\n\n{_table(papers)}\n\n"
        f"{beside if own else ''}" + "\n".join(sections)
    )


def _table(lines: Sequence[Judged]) -> str:
    """Return a row for each claim, by the basis that decides."""
    rows = [
        f"| {line.name} | {markdown_text(line.claim.claim)} | {line.verdict} | {_effect(line)} |"
        for line in lines
        if line.decides
    ]
    return "\n".join(["| claim | what it says | verdict | effect |", "|---|---|---|---|", *rows])


def summary_of(lines: Sequence[Judged], source: Source) -> list[str]:
    """Return a few lines: how many claims have each verdict, which are decided, and remarks."""
    papers, own = ([x for x in lines if is_papers(x.name) == whose] for whose in (True, False))
    decided = [line for line in papers if line.decides]
    found = [f"{len(decided)} claims judged by {_words(source)}"]
    for verdict, count in _counts(papers):
        names = [line.name for line in decided if line.verdict == verdict]
        listed = count and verdict in (SUPPORTED, CONTRADICTED)
        found.append(f"{verdict}: {count}" + (f" ({', '.join(names)})" if listed else ""))
    found += [own_headline(dict(_counts(own)))] if own else []
    return found + [f"note: {remark}" for remark in source.remarks()]


def headline(counts: Mapping[str, int]) -> str:
    """Return how many of the paper's claims have each verdict, as a sentence."""
    return f"Verdicts on {sum(counts.values())} claims of the paper: {_listed(counts)}."


def own_headline(counts: Mapping[str, int]) -> str:
    """Return how many claims of this suite have each verdict, as a sentence."""
    return (
        f"Verdicts on {sum(counts.values())} claims of this suite, which the paper does not make: "
        f"{_listed(counts)}."
    )


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {verdict}" for verdict, n in counts.items() if n or verdict != NOT_RUN)


def said_in(name: str) -> str:
    """Return who makes a claim, in words that come before the place where it is said."""
    return "In the paper" if is_papers(name) else "A claim of this suite"


def claims_checksum() -> str:
    """Return the SHA-256 of config/claims.yaml."""
    return sha256(read_bytes(CLAIMS, "the claims", _LARGEST)).hexdigest()


def number(value: float) -> str:
    """Return an effect or an end of its interval; NaN is empty."""
    return "" if math.isnan(value) else f"{value:.3f}"


def effect_text(effect: float, low: float, high: float, unit: str) -> str:
    """Return an effect with its interval and unit; empty where nothing was measured."""
    if math.isnan(effect):
        return ""
    ends = "" if math.isnan(low) else f" ({number(low)} to {number(high)})"
    return f"{number(effect)}{ends} {unit}"


def p_value(value: float) -> str:
    """Return a p value with three digits; NaN is empty."""
    return "" if math.isnan(value) else f"{value:.3g}"


def _counts(lines: Sequence[Judged]) -> list[tuple[str, int]]:
    counts = Counter(line.verdict for line in lines if line.decides)
    return [(verdict, counts[verdict]) for verdict in VERDICTS]


def _scale(source: Source) -> str:
    return "paper's numbers" if source.papers else source.catalogue.scale


def _words(source: Source) -> str:
    """Return what a source is, in words."""
    if source.papers:
        return "the numbers that the paper prints, one run each"
    seeds = ", ".join(map(str, source.seeds))
    return (
        f"scale {source.catalogue.scale} ({source.catalogue.settings.description}), seeds {seeds}"
    )


def _conditions(content: Claims, source: Source) -> str:
    return (
        f"Judged by {markdown_text(_words(source))}; tests at {content.alpha:g} after Holm's "
        f"correction. The claims are those of config/claims.yaml with the SHA-256 "
        f"`{claims_checksum()}`; docs/claims.md explains tests, bases and verdicts. Of each claim "
        "the verdict on the basis that decides is shown first."
        + "".join(f"\n\nNote: {markdown_text(remark)}." for remark in source.remarks())
    )


def _section(lines: Sequence[Judged], content: Claims) -> str:
    """Return the section of a claim: its rule, and what each basis gives."""
    claim = lines[0].claim
    rules = support_and_contradiction(claim.test, content.margins)
    support, contradiction = map(markdown_text, rules)
    header = (
        "| basis | verdict | effect | p support (Holm) | p contradiction (Holm) "
        "| seeds | pairs | missing | seeds needed | reason |"
    )
    rows = [
        f"| {markdown_text(line.basis)}{' (decides)' if line.decides else ''} | {line.verdict} "
        f"| {_effect(line)} | {_ps(line.evidence.p_support, line.adjusted_support)} "
        f"| {_ps(line.evidence.p_contradict, line.adjusted_contradict)} "
        f"| {line.seeds} | {line.pairs} | {markdown_text(line.missing)} | {line.seeds_needed} "
        f"| {markdown_text(line.reason)} |"
        for line in lines
    ]
    tables = markdown_text(", ".join(_tables(lines[0])))
    return (
        f"## {lines[0].name}\n\n{markdown_text(claim.claim)}\n\n"
        f"{said_in(lines[0].name)}: {markdown_text(claim.place)}. "
        f"Test: {claim.test.kind} on {tables}. "
        f"Supported: {support}. Contradicted: {contradiction}.\n\n"
        + "\n".join([header, "|---" * 10 + "|", *rows])
        + "\n"
    )


def _effect(line: Judged) -> str:
    """Return the effect of a line as Markdown."""
    found = line.evidence
    return markdown_text(effect_text(found.effect, found.low, found.high, line.unit))


def _ps(raw: float, adjusted: float) -> str:
    return "" if math.isnan(raw) else f"{p_value(raw)} ({p_value(adjusted)})"


def _tables(line: Judged) -> list[str]:
    return list(dict.fromkeys(series.table for series in line.claim.test.series.values()))


def _runs(line: Judged, source: Source) -> list[str]:
    if source.papers:
        return []
    sides = line.claim.test.series.values()
    runs = (run for side in sides for run in runs_of(side, line.basis, source.catalogue))
    return list(dict.fromkeys(runs))
