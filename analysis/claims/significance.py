"""The tests of claims, one function for each kind, on arrays of finite values.

The last axis holds the seeds, or the pairs and seeds that are pooled. Axes before it are
repetitions of the whole experiment, unless a function says otherwise. p values are one-sided, and
NaN where there is too little to test: fewer than two seeds have no spread.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import stats

Values = np.ndarray[Any, np.dtype[np.float64]]

RESAMPLES = 9_999
"""Most sign flips that are looked at: all there are up to 13 values, a sample of them beyond."""

CONFIDENCE = 0.95
_NO_SPREAD = 1e-9
"""Relative to the mean; a smaller standard deviation comes from rounding alone."""


@dataclass(frozen=True)
class Evidence:
    """What a test says: an effect with its 95 % interval, and the p values of both verdicts."""

    effect: Any
    low: Any
    high: Any
    p_support: Any
    p_contradict: Any


def interval(values: Values) -> tuple[Any, Any, Any]:
    """Return a mean and the ends of its 95 % interval (Student's t); NaN ends for one value."""
    n = values.shape[-1]
    mean = values.mean(axis=-1)
    if n < 2:
        return mean, mean * math.nan, mean * math.nan
    half = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * values.std(axis=-1, ddof=1) / math.sqrt(n)
    return mean, mean - half, mean + half


def t_above(values: Values, limit: float) -> Any:
    """Return the p value of a one-sided t test that the mean is above a limit.

    Values that are all equal have no spread: theirs is that of the sign flip, 1/2 to the power n
    if they are above the limit, and 1 if not.
    """
    n = values.shape[-1]
    mean = values.mean(axis=-1)
    if n < 2:
        return mean * math.nan
    spread = values.std(axis=-1, ddof=1)
    flat = spread <= _NO_SPREAD * np.maximum(1, np.abs(mean))
    error = np.where(flat, 1, spread) / math.sqrt(n)
    equal = np.where(mean - limit > _NO_SPREAD * np.maximum(1, np.abs(mean)), 0.5**n, 1.0)
    return np.where(flat, equal, stats.t.sf((mean - limit) / error, n - 1))


def flips_above(values: Values, limit: float) -> Any:
    """Return the p value that the mean is above a limit, by random signs of the distances to it."""
    if values.shape[-1] < 2:
        return values.mean(axis=-1) * math.nan
    return stats.permutation_test(
        (values - limit,),
        lambda flipped, axis: flipped.mean(axis=axis),
        permutation_type="samples",
        alternative="greater",
        n_resamples=RESAMPLES,
        vectorized=True,
        axis=-1,
        batch=max(1, 10**7 // values.size),
        rng=np.random.default_rng(0),
    ).pvalue


def flips_interval(values: Values) -> tuple[Any, Any, Any]:
    """Return a mean and the ends of the 95 % interval that the sign flip gives.

    A mean is in it unless one of the two tests of it, :func:`flips_above` and its mirror image, has
    a p value of 0.025 at most. Its ends are thus quantiles of the means of all subsets of the
    values, and NaN for fewer than six values, which have no such p value.
    """
    n, mean = values.shape[-1], values.mean(axis=-1)
    if 2**n <= RESAMPLES:
        subsets = (np.arange(1, 2**n)[:, None] >> np.arange(n)) & 1
    else:
        subsets = np.random.default_rng(0).integers(0, 2, (RESAMPLES, n))
        subsets = subsets[subsets.any(axis=1)]
    outside = int((1 - CONFIDENCE) / 2 * (len(subsets) + 1))
    if not outside:
        return mean, mean * math.nan, mean * math.nan
    means = np.sort(values @ subsets.T / subsets.sum(axis=1), axis=-1)
    return mean, means[..., outside - 1], means[..., -outside]


def superiority(
    values: Values,
    *,
    direction: Literal["above", "below"],
    shows: Literal["superior", "not inferior"],
    margin: float,
    flips: bool = False,
) -> Evidence:
    """Return the evidence that differences lie in a direction, by a t test or by sign flips.

    A ``superior`` one is supported above 0 and contradicted below the margin, one that is
    ``not inferior`` has its limit at minus the margin for both.
    """
    towards = values if direction == "above" else -values
    supported, contradicted = (0.0, margin) if shows == "superior" else (-margin, -margin)
    p_above, ends = (flips_above, flips_interval) if flips else (t_above, interval)
    return Evidence(*ends(values), p_above(towards, supported), p_above(-towards, -contradicted))


def equivalence(values: Values, *, shows: Literal["alike", "different"], margin: float) -> Evidence:
    """Return the evidence that differences lie inside +- a margin, or outside (TOST)."""
    inside, outside = _inside_and_outside(values, -margin, margin)
    support, contradiction = (inside, outside) if shows == "alike" else (outside, inside)
    return Evidence(*interval(values), support, contradiction)


def cost_ratio(logarithms: Values, *, low: float | None, high: float) -> Evidence:
    """Return the evidence that a ratio lies between limits, from its natural logarithms.

    Effect and interval are ratios. Without ``low`` it may be as small as it likes.
    """
    effect, least, most = (np.exp(end) for end in interval(logarithms))
    if low is None:
        support = t_above(-logarithms, -math.log(high))
        contradiction = t_above(logarithms, math.log(high))
    else:
        limits = math.log(low), math.log(high)
        support, contradiction = _inside_and_outside(logarithms, *limits)
    return Evidence(effect, least, most, support, contradiction)


def _inside_and_outside(values: Values, low: float, high: float) -> tuple[Any, Any]:
    """Return the p values of a mean between two limits, and of one beyond either of them."""
    inside = np.maximum(t_above(values, low), t_above(-values, -high))
    outside = np.minimum(t_above(values, high), t_above(-values, -low))
    return inside, np.minimum(1, 2 * outside)


def count(hits: int, runs: int, *, share: float) -> Evidence:
    """Return the evidence that more than a share of runs are hits (exact binomial)."""
    found = stats.binomtest(hits, runs, share)
    ends = found.proportion_ci(CONFIDENCE, "exact")
    more, less = (stats.binomtest(hits, runs, share, a).pvalue for a in ("greater", "less"))
    return Evidence(hits / runs, ends.low, ends.high, more, less)


def trend(values: Values, *, direction: Literal["rising", "falling"]) -> Evidence:
    """Return the evidence of a trend (Page), of an array of subjects by ordered settings.

    The effect is the mean rank correlation of the subjects with the order.
    """
    ordered = values if direction == "rising" else values[:, ::-1]
    ranks = stats.rankdata(values, axis=-1)
    ranks = ranks - ranks.mean(axis=-1, keepdims=True)
    order = np.arange(values.shape[-1]) - (values.shape[-1] - 1) / 2
    lengths = np.sqrt((ranks**2).sum(axis=-1) * (order**2).sum())
    correlations = ranks @ order / np.where(lengths > 0, lengths, 1)
    effect, low, high = interval(correlations)
    if values.shape[0] < 2:
        return Evidence(effect, math.nan, math.nan, math.nan, math.nan)
    ps = [stats.page_trend_test(found).pvalue for found in (ordered, ordered[:, ::-1])]
    return Evidence(effect, max(low, -1.0), min(high, 1.0), ps[0], ps[1])


def plateau(steps: Values, *, margin: float) -> Evidence:
    """Return the evidence that all steps between neighbours lie inside +- a margin (TOST).

    The last axis but one holds the steps. The effect is the largest of them.
    """
    inside, outside = _inside_and_outside(steps, -margin, margin)
    largest = np.abs(steps.mean(axis=-1)).argmax(axis=-1)
    shown = np.take_along_axis(steps, largest[..., None, None], axis=-2)[..., 0, :]
    least = np.minimum(1, steps.shape[-2] * outside.min(axis=-1))
    return Evidence(*interval(shown), inside.max(axis=-1), least)


def fixed_settings(
    one: Values,
    others: Sequence[Values],
    *,
    shows: Literal["superior", "not inferior"],
    margin: float,
) -> Evidence:
    """Return the evidence that one setting is better than each of others (Dunnett).

    ``one`` is an array of groups by seeds, ``others`` an array of settings by seeds for each group;
    NaN is a missing value. The p value of a support is the largest of all comparisons, that of a
    contradiction the smallest, corrected for their number. The effect is the one less the best of
    the others, paired by seed, mean over the groups: the regret with the other sign.
    """
    supported, contradicted = (0.0, -margin) if shows == "superior" else (margin, margin)
    below, above = [], []
    for control, settings in zip(one, others, strict=True):
        below.append(_dunnett(settings - supported, control, "less").max())
        above.append(_dunnett(settings - contradicted, control, "greater").min())
    regrets = over_seeds(one - np.array([_best(settings) for settings in others]))
    if not regrets.size:
        return Evidence(math.nan, math.nan, math.nan, math.nan, math.nan)
    if np.isnan(below).any():  # a setting that was not run may be better, or worse
        return Evidence(*interval(regrets), math.nan, math.nan)
    return Evidence(*interval(regrets), max(below), min(1.0, len(above) * min(above)))


def _best(settings: Values) -> Values:
    """Return the setting with the largest mean of those with any value."""
    known = settings[~np.isnan(settings).all(axis=-1)]
    return known[np.nanmean(known, axis=-1).argmax()] if len(known) else settings[0]


def over_seeds(pairs: Values) -> Values:
    """Return each seed's mean over its pairs, of an array of pairs by seeds; NaN are missing."""
    known = ~np.isnan(pairs)
    present = known.any(axis=0)
    return np.nansum(pairs, axis=0)[present] / known.sum(axis=0)[present]


def _dunnett(settings: Values, control: Values, alternative: Literal["less", "greater"]) -> Values:
    """Return a p value for each setting, which are compared with the control as a family."""
    samples = [sample[~np.isnan(sample)] for sample in (*settings, control)]
    *settings_known, control = samples
    if min(map(len, samples)) < 2:
        return np.full(len(settings), math.nan)
    residuals = np.concatenate([sample - sample.mean() for sample in samples])
    largest = max(float(np.abs(sample).max()) for sample in samples)
    if np.abs(residuals).max() <= _NO_SPREAD * max(1.0, largest):
        sign = -1 if alternative == "less" else 1
        apart = [sign * (s.mean() - control.mean()) > _NO_SPREAD * largest for s in settings_known]
        ways = [math.comb(len(s) + len(control), len(s)) for s in settings_known]
        return np.array([1 / w if a else 1.0 for a, w in zip(apart, ways, strict=True)])
    rng = np.random.default_rng(0)
    with warnings.catch_warnings():
        # A sample without spread does no harm: the variance is that of all samples.
        warnings.filterwarnings("ignore", "Precision loss", RuntimeWarning)
        found = stats.dunnett(*settings_known, control=control, alternative=alternative, rng=rng)
    return np.clip(found.pvalue, 0, 1)


def holm(ps: Sequence[float]) -> list[float]:
    """Return p values after Holm's correction for their number; NaN stays and does not count."""
    from statsmodels.stats.multitest import multipletests

    known = [p for p in ps if not math.isnan(p)]
    adjusted = iter(multipletests(known, method="holm")[1] if known else [])
    return [p if math.isnan(p) else float(next(adjusted)) for p in ps]
