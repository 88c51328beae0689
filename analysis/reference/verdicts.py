"""Judge whether a value is close enough to its reference: tolerances, Welch and verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from analysis.tables.table_files import ACCURACIES, Value

ACCURACY_TOLERANCE = "0.5"
DEPTH_TOLERANCE = "0.2"

AGREE = ("within", "both diverged")
"""Verdicts of values that agree."""

VERDICTS = (
    *("within", "outside", "both diverged", "diverged in new", "diverged in reference"),
    *("not comparable", "missing in new", "missing in reference"),
)

HEADER = (
    *("table", "row", "column", "new", "reference", "difference", "verdict"),
    *("new_std", "new_n", "reference_std", "reference_n", "method"),
)
"""Columns of compare.csv."""


@dataclass(frozen=True)
class Tolerances:
    """How far a value may be from the reference.

    Attributes
    ----------
    accuracy
        In percentage points.
    depth
        As a fraction of the reference.
    """

    accuracy: Fraction = Fraction(ACCURACY_TOLERANCE)
    depth: Fraction = Fraction(DEPTH_TOLERANCE)

    def of(self, column: str, reference: Fraction) -> Fraction:
        """Return the tolerance of a column's value, in its unit."""
        return self.accuracy if column in ACCURACIES else self.depth * abs(reference)


@dataclass(frozen=True)
class Comparison:
    """A value beside its reference.

    Attributes
    ----------
    table, row, column
        Which value.
    new, reference
        The two; None where the row is missing.
    verdict
        One of :data:`VERDICTS`.
    method
        ``tolerance`` or ``welch``; empty if nothing could be compared.
    """

    table: str
    row: str
    column: str
    new: Value | None
    reference: Value | None
    verdict: str
    method: str = ""

    @property
    def difference(self) -> str:
        """New minus reference, with the decimals of the more precise one."""
        if not (self.new and self.reference):
            return ""
        if self.new.mean is None or self.reference.mean is None:
            return ""
        decimals = max(self.new.decimals, self.reference.decimals)
        # Rounded as a fraction: there is no negative zero.
        return f"{float(round(self.new.mean - self.reference.mean, decimals)):.{decimals}f}"

    def line(self) -> list[str]:
        """Return the cells of compare.csv."""
        cells = [self.table, self.row, self.column]
        cells += [side.shown if side else "" for side in (self.new, self.reference)]
        cells += [self.difference, self.verdict]
        for side in (self.new, self.reference):
            std = side.std if side else None
            cells += ["" if std is None else f"{std:.4f}", str(side.n) if side else ""]
        return [*cells, self.method]


def judge(column: str, new: Value, reference: Value, tolerances: Tolerances) -> tuple[str, str]:
    """Return verdict and method for a value that both sides have a cell for.

    If runs diverged on one side alone, or all of one side alone, that is the difference,
    whatever the mean over the others is; if all on both sides did, the two agree. Another
    missing number (empty, NaN) is outside if one side has one, and not comparable if
    neither has.
    """
    if new.diverged and reference.diverged and not (new.n or reference.n):
        return "both diverged", ""
    for one, other, verdict in (
        (new, reference, "diverged in new"),
        (reference, new, "diverged in reference"),
    ):
        if one.diverged and (not other.diverged or not one.n):
            return verdict, ""
    if new.mean is None and reference.mean is None:
        return "not comparable", ""
    if new.mean is None or reference.mean is None:
        return "outside", ""
    distance = abs(new.mean - reference.mean)
    tolerance = tolerances.of(column, reference.mean)
    within = distance <= tolerance  # fractions: a difference of the tolerance is within
    if new.std is None or reference.std is None:
        return ("within" if within else "outside"), "tolerance"
    if not within and (new.std or reference.std):
        from scipy.stats import ttest_ind_from_stats

        # The interval reaches into the tolerance if what is beyond it may be chance (Welch).
        beyond = float(distance - tolerance)
        spread = (new.std, new.n, 0.0, reference.std, reference.n)
        within = ttest_ind_from_stats(beyond, *spread, equal_var=False).pvalue >= 0.05
    return ("within" if within else "outside"), "welch"
