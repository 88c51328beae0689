"""Values as arrays for a test: pairs by seeds, ordered settings by seeds, one setting and others.

Pairs that are of the same runs as another pair count once, and a comparison of a run with itself
not at all: a small scale takes one run for several of the paper's. A seed of a pair in which a
value is missing is left out, and counted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from analysis.claims.kinds import FixedSettings
from analysis.claims.significance import Values
from analysis.claims.values import NONE, Value

_BySeed = Mapping[int, list[Value]]
"""The values of one side of a pair for each seed: several rows are averaged."""


@dataclass(frozen=True)
class Data:
    """What a test is about, seeds on the last axis, NaN where a value is missing.

    Attributes
    ----------
    values
        Pairs by seeds; of ordered settings groups by settings by seeds; of fixed settings the one
        setting, groups by seeds.
    others
        Of fixed settings an array of settings by seeds for each group.
    missing
        How many seeds of pairs are left out, by the reason.
    itself
        How many comparisons would have been of a run with itself.
    """

    values: Values
    others: tuple[Values, ...]
    missing: Mapping[str, int]
    itself: int = 0

    @property
    def pairs(self) -> int:
        """Pairs, or groups of rows, with a value for any seed."""
        known = ~np.isnan(self.values)
        return int(known.any(axis=tuple(range(1, known.ndim))).sum())

    @property
    def seeds(self) -> int:
        """Seeds with a value of any pair."""
        known = ~np.isnan(self.values)
        return int(known.any(axis=tuple(range(known.ndim - 1))).sum())

    def repeated(self, seeds: int) -> Data:
        """Return data of as many seeds, which repeat these: with about their mean and spread."""
        order = np.arange(seeds) % self.values.shape[-1]
        others = tuple(array[..., order] for array in self.others)
        return Data(self.values[..., order], others, self.missing, self.itself)


def differences(
    values: Sequence[Value],
    against: Sequence[Value] | None,
    paired_by: Sequence[str],
    *,
    same_column: bool,
    ratio: bool,
) -> Data:
    """Return one side less the other, or the values of the only side; pairs by seeds.

    A pair is a combination of values of the columns ``paired_by``, or where there is one side a
    row. With ``ratio`` it is the natural logarithm of the one over the other.
    """
    missing: Counter[str] = Counter()
    if against is None:
        pairs: list[Sequence[_BySeed]]
        pairs = [[group] for group in _grouped(values, lambda value: value.row).values()]
        compared = pairs
    else:
        one, other = (_grouped(s, lambda value: value.of(paired_by)) for s in (values, against))
        pairs = [[one[name], other[name]] for name in one if name in other]
        compared = [p for p in pairs if not (same_column and _runs(p[0]) == _runs(p[1]))]
    number = _log_ratio if ratio else _difference
    arrays = [_numbers(pair, number, missing) for pair in _once(compared)]
    return Data(_array(arrays, values), (), missing, len(pairs) - len(compared))


def ordered(values: Sequence[Value], over: str, order: Sequence[str]) -> Data:
    """Return groups by settings by seeds: rows of a group differ in the column ``over`` alone.

    Settings that a scale has one run for are one, which is first in the order. All settings of a
    group and seed are missing if one is.
    """
    groups: dict[Hashable, dict[str, list[Value]]] = {}
    for value in values:
        key = dict(value.key)
        setting = key.pop(over)
        groups.setdefault(tuple(key.items()), {}).setdefault(setting, []).append(value)
    whole = [group for group in groups.values() if set(order) <= set(group)]
    runs = {s: tuple(group[s][0].runs for group in whole) for s in order}
    distinct = [s for k, s in enumerate(order) if runs[s] not in [runs[t] for t in order[:k]]]
    missing: Counter[str] = Counter()
    arrays = []
    for group in _once([[_by_seed(group[s]) for s in distinct] for group in whole]):
        alone = Counter[str]()
        rows = np.array([_numbers((setting,), _difference, alone) for setting in group])
        lost = np.isnan(rows).any(axis=0)
        rows[:, lost] = math.nan
        if lost.any():
            missing[next(iter(alone))] += int(lost.sum())
        arrays.append(rows)
    return Data(_array(arrays, values), (), missing, len(order) - len(distinct))


def one_and_others(values: Sequence[Value], others: Sequence[Value], test: FixedSettings) -> Data:
    """Return one setting, groups by seeds, and for each group the others that it is compared with.

    The setting itself is none of them, and neither is what is not on the test's side: with as many
    sub-modules as the one has in the mean over its seeds, or more, where it is ``shallower``.
    """
    missing: Counter[str] = Counter()
    itself = 0
    one: list[list[float]] = []
    compared: list[Values] = []
    by_group = _grouped(others, lambda value: value.of(test.paired_by))
    for name, own in _grouped(values, lambda value: value.of(test.paired_by)).items():
        settings = _grouped(
            [value for seed in by_group.get(name, {}).values() for value in seed],
            lambda value: value.row,
        )
        apart = [(s,) for s in settings.values() if _runs(s) != _runs(own)]
        itself += len(settings) - len(apart)
        beside = [pair for pair in _once(apart) if _on_side(pair[0], own, test.side)]
        if beside:
            one.append(_numbers((own,), _difference, missing))
            compared.append(np.array([_numbers(p, _difference, missing) for p in beside]))
    return Data(_array(one, values), tuple(compared), missing, itself)


def _on_side(setting: _BySeed, own: _BySeed, side: str) -> bool:
    """Return whether a setting is shallower or deeper than the one, as a test asks."""
    depth, found = _depth(setting), _depth(own)
    return side == "all" or (depth < found if side == "shallower" else depth > found)


def _depth(side: _BySeed) -> float:
    """Return the mean number of sub-modules over the seeds; NaN if none is known."""
    depths = [value.sub_modules for values in side.values() for value in values]
    known = [depth for depth in depths if not math.isnan(depth)]
    return fmean(known) if known else math.nan


def _grouped(
    values: Iterable[Value], name: Callable[[Value], Hashable]
) -> dict[Hashable, dict[int, list[Value]]]:
    """Return the values of each group for each seed."""
    groups: dict[Hashable, list[Value]] = {}
    for value in values:
        groups.setdefault(name(value), []).append(value)
    return {group: _by_seed(found) for group, found in groups.items()}


def _by_seed(values: Iterable[Value]) -> dict[int, list[Value]]:
    found: dict[int, list[Value]] = {}
    for value in values:
        found.setdefault(value.seed, []).append(value)
    return found


def _runs(side: _BySeed) -> frozenset[tuple[str, ...]]:
    return frozenset(value.runs for values in side.values() for value in values)


def _once(pairs: Iterable[Sequence[_BySeed]]) -> list[Sequence[_BySeed]]:
    """Return pairs without those of the same runs as an earlier one."""
    found = {tuple(_runs(side) for side in pair): pair for pair in reversed(list(pairs))}
    return list(reversed(found.values()))


def _numbers(
    sides: Sequence[_BySeed], number: Callable[..., float], missing: Counter[str]
) -> list[float]:
    """Return a number for each seed, from the means of the sides; count those that are missing."""
    found = []
    for seed in sides[0]:
        values = [value for side in sides for value in side[seed]]
        lost = [value.missing for value in values if value.missing]
        result = math.nan
        if not lost:
            result = number(*(fmean(value.number for value in side[seed]) for side in sides))
        if math.isnan(result):
            missing[lost[0] if lost else NONE] += 1
        found.append(result)
    return found


def _difference(one: float, other: float = 0.0) -> float:
    return one - other


def _log_ratio(one: float, other: float = 1.0) -> float:
    return math.log(one / other) if one > 0 and other > 0 else math.nan


def _array(arrays: Sequence[Sequence[float] | Values], values: Sequence[Value]) -> Values:
    """Return the arrays of all groups as one, which has a place for each seed if there is none."""
    if arrays:
        return np.array(arrays, dtype=float)
    return np.empty((0, len({value.seed for value in values})))
