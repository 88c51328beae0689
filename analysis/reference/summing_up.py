"""What a user of ``compare`` reads first: three lines."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from analysis.reference.verdicts import MOST_SEEDS, OUTCOMES, Tolerances, Verdict
from analysis.tables.table_files import Value

WORST = 5
SEEDS = (3, 5, 10, 20, MOST_SEEDS)


@dataclass(frozen=True)
class Compared:
    """One value of a table on both sides, and the verdict on it."""

    table: str
    row: str
    column: str
    new: Value | None
    reference: Value | None
    verdict: Verdict

    @property
    def decimals(self) -> int:
        """Those of the more precise side."""
        return max((side.decimals for side in (self.new, self.reference) if side), default=0)

    def number(self, value: Fraction | None) -> str:
        """Return a difference with these decimals; empty if there is none."""
        if value is None:
            return ""
        # Rounded as a fraction: there is no negative zero.
        return f"{float(round(value, self.decimals)):.{self.decimals}f}"

    @property
    def interval(self) -> tuple[str, str]:
        """The ends of the interval of the difference; empty if there is none."""
        difference, half = self.verdict.difference, self.verdict.half_width
        if difference is None or half is None:
            return "", ""
        return self.number(difference - half), self.number(difference + half)

    @property
    def distance(self) -> float:
        """How bad it is: the difference in tolerances; what diverged is worst."""
        difference, tolerance = self.verdict.difference, self.verdict.tolerance
        if "diverged" in self.verdict.name or tolerance == 0:
            return math.inf
        if difference is None or tolerance is None:
            return 0.0
        return float(abs(difference) / tolerance)


def three_lines(values: Sequence[Compared], tolerances: Tolerances) -> list[str]:
    """Return how many agree, differ and are undecided; the worst; what would decide the rest."""
    return [_counts(values, tolerances), _worst(values), _deciding(values)]


def _counts(values: Sequence[Compared], tolerances: Tolerances) -> str:
    names = Counter(value.verdict.name for value in values)
    items = []
    for outcome, verb in (("agrees", "agree"), ("differs", "differ"), ("undecided", "undecided")):
        mine = [name for name, of in OUTCOMES.items() if of == outcome]
        special = [f"{names[name]} {name}" for name in mine if name != outcome and names[name]]
        count = sum(names[name] for name in mine)
        items.append(f"{count} {verb}" + (f" ({', '.join(special)})" if special else ""))
    rows = len({(value.table, value.row) for value in values})
    return (
        f"{rows} rows, {len(values)} values: {', '.join(items)}; tolerances: "
        f"{float(tolerances.accuracy):g} points, {float(100 * tolerances.depth):g} % of a depth"
    )


def _worst(values: Sequence[Compared]) -> str:
    bad = [value for value in values if value.verdict.outcome != "agrees"]
    bad.sort(key=lambda value: (value.verdict.outcome != "differs", -value.distance))
    items = []
    for value in bad[:WORST]:
        low, high = value.interval
        shown = value.verdict.name
        if value.verdict.method:
            shown = value.number(value.verdict.difference) + (f" ({low} to {high})" if low else "")
        items.append(f"{value.table} {value.row} {value.column} {shown}")
    return f"Worst: {'; '.join(items) or 'none'}"


def _deciding(values: Sequence[Compared]) -> str:
    open_ = [value.verdict for value in values if value.verdict.outcome == "undecided"]
    needed = [verdict.seeds for verdict in open_ if verdict.seeds is not None]
    items, before = [], 0
    for seeds in SEEDS:
        count = sum(number <= seeds for number in needed)
        if count > before:
            items.append(f"{count} with {seeds} seeds on each side")
            before = count
    beyond = sum(v.seeds is None and v.half_width is not None for v in open_)
    items += [f"{beyond} with more than {MOST_SEEDS}"] if beyond else []
    single = sum(verdict.method == "no spread" for verdict in open_)
    items += [f"{single} of one run on each side, whose spread is not known"] if single else []
    empty = sum(verdict.name == "not comparable" for verdict in open_)
    items += [f"{empty} without a number on either side"] if empty else []
    if not open_:
        return "To be decided: none"
    return f"To be decided, at the spread seen: {'; '.join(items)}"
