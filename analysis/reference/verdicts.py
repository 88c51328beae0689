"""Judge whether a value is close enough to its reference: tolerances, Welch and verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from analysis.tables.table_files import ACCURACIES, Value

AGREE = ("within", "both diverged")
"""Verdicts of values that agree."""

VERDICTS = (
    *("within", "outside", "both diverged", "diverged in new", "diverged in reference"),
    *("not comparable", "missing in new", "missing in reference"),
)


@dataclass(frozen=True)
class Tolerances:
    """How far a value may be from the reference.

    That is for accuracies in percentage points, and for depths as a fraction of the reference.
    """

    accuracy: Fraction
    depth: Fraction

    def of(self, column: str, reference: Fraction) -> Fraction:
        """Return the tolerance of a column's value, in its unit."""
        return self.accuracy if column in ACCURACIES else self.depth * abs(reference)


def judge(
    column: str, new: Value | None, reference: Value | None, tolerances: Tolerances
) -> tuple[str, str]:
    """Return the verdict, and the method: ``tolerance``, ``welch``, or none.

    If runs diverged on one side alone, or all of one side alone, that is the difference,
    whatever the mean over the others is; if all on both sides did, the two agree. Another
    missing number (empty, NaN) is outside if one side has one, and not comparable if
    neither has.
    """
    if new is None:
        return "missing in new", ""
    if reference is None:
        return "missing in reference", ""
    if new.diverged and reference.diverged and not (new.n or reference.n):
        return "both diverged", ""
    if new.diverged and (not reference.diverged or not new.n):
        return "diverged in new", ""
    if reference.diverged and (not new.diverged or not reference.n):
        return "diverged in reference", ""
    if new.mean is None or reference.mean is None:
        return ("not comparable" if new.mean == reference.mean else "outside"), ""
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


def difference(new: Value | None, reference: Value | None) -> str:
    """Return new minus reference, with the decimals of the more precise one."""
    if not (new and reference) or new.mean is None or reference.mean is None:
        return ""
    decimals = max(new.decimals, reference.decimals)
    # Rounded as a fraction: there is no negative zero.
    return f"{float(round(new.mean - reference.mean, decimals)):.{decimals}f}"
