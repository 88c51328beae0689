"""Judge whether a value agrees with its reference: tolerances, intervals and verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from analysis.tables.table_files import ACCURACIES, Value

OUTCOMES = {
    "agrees": "agrees",
    "both diverged": "agrees",
    "differs": "differs",
    "diverged in new": "differs",
    "diverged in reference": "differs",
    "missing in new": "differs",
    "missing in reference": "differs",
    "undecided": "undecided",
    "not comparable": "undecided",
}
"""Verdicts, and which of the three outcomes each is."""

CONFIDENCE = 0.95
MOST_SEEDS = 100
"""Numbers of seeds are looked for up to here."""


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


@dataclass(frozen=True)
class Verdict:
    """A verdict and what it rests on.

    Attributes
    ----------
    name
        A key of :data:`OUTCOMES`.
    method
        ``welch``, ``prediction``, ``identical``, ``no spread``, or empty where there is no
        difference to judge.
    difference
        New minus reference; None where a side has no number.
    tolerance, half_width
        In the unit of the column; the interval is the difference +- its half width.
    seeds
        How many on each side would decide, at the difference and the spread seen; None if more
        than :data:`MOST_SEEDS`, or where that is not known.
    """

    name: str
    method: str = ""
    difference: Fraction | None = None
    tolerance: Fraction | None = None
    half_width: Fraction | None = None
    seeds: int | None = None

    @property
    def outcome(self) -> str:
        """``agrees``, ``differs`` or ``undecided``."""
        return OUTCOMES[self.name]


def judge(
    column: str, new: Value | None, reference: Value | None, tolerances: Tolerances
) -> Verdict:
    """Return the verdict on a value: where the interval of its difference lies.

    If runs diverged on one side alone, or all of one side alone, that is the difference,
    whatever the mean over the others is; if all on both sides did, the two agree. Another
    missing number (empty, NaN) differs if one side has one, and is not comparable if
    neither has. What is identical agrees, for it repeats the same runs; else one run against
    one, which has no interval, is undecided.
    """
    if new is None:
        return Verdict("missing in new")
    if reference is None:
        return Verdict("missing in reference")
    difference = None
    if new.mean is not None and reference.mean is not None:
        difference = new.mean - reference.mean
    if new.diverged and reference.diverged and not (new.n or reference.n):
        return Verdict("both diverged")
    if new.diverged and (not reference.diverged or not new.n):
        return Verdict("diverged in new", difference=difference)
    if reference.diverged and (not new.diverged or not reference.n):
        return Verdict("diverged in reference", difference=difference)
    if difference is None or reference.mean is None:
        return Verdict("not comparable" if new.mean == reference.mean else "differs")
    tolerance = tolerances.of(column, reference.mean)
    if (new.mean, new.std, new.n) == (reference.mean, reference.std, reference.n):
        return Verdict("agrees", "identical", difference, tolerance)
    stds = [side.std for side in (new, reference) if side.std is not None]
    if not stds:
        return Verdict("undecided", "no spread", difference, tolerance)
    # Each side's spread, or for one run that of the other side.
    spread = (stds[0], stds[-1])
    # Fractions: a difference of exactly the tolerance is inside it.
    half = Fraction(float(half_width(spread, (new.n, reference.n))))
    name = decide(abs(difference), half, tolerance)
    seeds = None
    if name == "undecided":
        seeds = _seeds_needed(spread, float(abs(abs(difference) - tolerance)))
    method = "welch" if len(stds) == 2 else "prediction"
    return Verdict(name, method, difference, tolerance, half, seeds)


def decide(distance: Any, half: Any, tolerance: Any) -> str:
    """Return where the interval ``distance`` +- ``half`` lies: inside the tolerance or outside."""
    if distance + half <= tolerance:
        return "agrees"
    return "differs" if distance - half > tolerance else "undecided"


def half_width(stds: tuple[Any, Any], numbers: tuple[Any, Any]) -> Any:
    """Return half the 95 % confidence interval of the difference of two means.

    With one run on one side it is the prediction interval, t(n-1) s sqrt(1 + 1/n), else Welch's.

    Parameters
    ----------
    stds
        Standard deviations of the two sides; arrays have one for each comparison. They are the
        same where one side is a single run.
    numbers
        How many runs the two sides have.
    """
    from scipy.stats import t

    a, b = (np.asarray(std, dtype=float) for std in stds)
    n, m = (np.asarray(number, dtype=float) for number in numbers)
    largest = np.maximum(a, b)
    with np.errstate(invalid="ignore", divide="ignore"):  # no spread at all: half is 0
        # Relative to the larger one, for the squares of tiny numbers are 0.
        u, v = (a / largest) ** 2 / n, (b / largest) ** 2 / m
        pooled = np.maximum(n, m) - 1
        welch = (u + v) ** 2 / (u**2 / (n - 1) + v**2 / (m - 1))
        freedom = np.where(np.minimum(n, m) == 1, pooled, welch)
        half = t.ppf((1 + CONFIDENCE) / 2, freedom) * np.sqrt(u + v) * largest
    return np.where(largest > 0, half, 0.0)


def _seeds_needed(spread: tuple[float, float], distance: float) -> int | None:
    """Return the seeds on each side whose interval is no wider than the way to the tolerance."""
    numbers = np.arange(2, MOST_SEEDS + 1)
    enough = numbers[half_width(spread, (numbers, numbers)) <= distance]
    return int(enough[0]) if enough.size else None
