"""Read the CSVs of tables, ours and the paper's.

Numbers are kept as the exact fractions that are printed, so that binary rounding decides no
comparison.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

from analysis.experiments.catalogue import table_keys
from analysis.results.csvfiles import check_columns, read_csv
from autogrow.errors import UserError, allowed, shown

ACCURACIES = (
    *("accuracy", "delta", "top1", "top5", "delta_top1"),
    *("equal_compute_accuracy", "delta_equal_compute", "final_accuracy", "best_test_accuracy"),
    *("selection_gain", "baseline_selection_gain", "delta_final", "delta_best_test"),
)
"""Value columns in percent."""

TOTALS = ("found_net", "depth")
"""Value columns that hold a depth like 7-7-7; the number of sub-modules counts."""

DEPTHS = (*TOTALS, "layers")

OWN = ("scale", "row", "n")
"""Columns of ours; the paper's tables have none of them."""

OF_SOME_ROWS = ("equal_compute_accuracy", "delta_equal_compute")
"""Value columns that are empty in rows that have no run for them."""

NOT_COMPARED = (
    "best_accuracy",
    *("gpus", "growing_hours", "finetuning_hours", "growing_ratio"),
    *("spent", "spent_growing", "spent_finetuning"),
    *("adaminit_uses", "adaminit_median", "adaminit_below_3"),
    *("null_depth", "depth_minus_null"),
    *("within_margin", "best_depth", "smallest_depth", "regret", "regret_low", "regret_high"),
    *("equal_compute_within_margin", "equal_compute_best_depth", "equal_compute_smallest_depth"),
    *("equal_compute_regret", "equal_compute_regret_low", "equal_compute_regret_high"),
)
"""Value columns that no tolerance is for: they say more about a machine, explain a run, follow from
values of several rows, or are an accuracy that the primary one stands beside."""

DIVERGED = "diverged"
"""What stands in the place of a value, or of one seed's depth, if the run diverged."""

BASELINE_DIVERGED = "baseline diverged"
"""The same of a difference to another run, if only that one diverged."""

_LOST = (DIVERGED, BASELINE_DIVERGED)
_NO_VALUE = ("", "nan", "na", *_LOST)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?", re.IGNORECASE | re.ASCII)
_keys = cache(table_keys)
_NUMBERED = re.compile(r"table(0|[1-9]\d*)", re.ASCII)
_TOTAL = re.compile(r"\d{1,6}(-\d{1,6})*", re.ASCII)


@dataclass(frozen=True)
class Value:
    """A value of a table, over ``n`` seeds.

    ``text`` is what a reader sees. ``mean`` is None if that is no number, and ``std`` if there
    is one seed. ``diverged`` counts the further seeds, whose runs diverged.
    """

    text: str
    mean: Fraction | None
    std: float | None
    n: int
    diverged: int

    @property
    def decimals(self) -> int:
        """How many decimals the number has."""
        return len(self.text.partition(".")[2]) if self.mean is not None else 0

    @property
    def shown(self) -> str:
        """The text, and how many seeds diverged if others did not."""
        if not (self.diverged and self.n):
            return self.text
        return f"{self.text} ({self.diverged} of {self.n + self.diverged} diverged)"


@dataclass(frozen=True)
class TableFile:
    """A table as read.

    ``scale`` is ``paper`` for the paper's own, ``columns`` are all value columns, and ``rows``
    holds the values that can be compared, by row and column. ``settings`` holds the key
    columns as really used, by row; it is empty for the paper's own.
    """

    file: Path
    scale: str
    columns: tuple[str, ...]
    rows: Mapping[str, Mapping[str, Value]]
    settings: Mapping[str, Mapping[str, str]]


def parse_number(text: str) -> Fraction | None:
    """Return a decimal number exactly, or None if the text is none."""
    return Fraction(text) if _NUMBER.fullmatch(text) else None


def table_folder(folder: Path) -> Path:
    """Return where the tables of ``folder`` are: in itself, or in its ``tables``."""
    for candidate in (folder, folder / "tables"):
        if table_names(candidate):
            return candidate
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; allowed: one that holds tables as table5.csv")
    raise UserError(f"{folder}: holds no table as table5.csv, nor does a folder tables in it")


def table_names(folder: Path) -> list[str]:
    """Return the names of the tables of which there is a CSV.

    Those called ``tableN`` come first, then those of config/experiments.yaml with another name.
    """
    numbers = [int(f.stem[5:]) for f in folder.glob("table*.csv") if _NUMBERED.fullmatch(f.stem)]
    others = [name for name in _keys() if not _NUMBERED.fullmatch(name)]
    numbered = [f"table{number}" for number in sorted(numbers)]
    return [*numbered, *(name for name in others if (folder / f"{name}.csv").is_file())]


def read_table(file: Path) -> TableFile:
    """Return the content of a table's CSV of either kind.

    Raises
    ------
    UserError
        Naming the file and what is wrong: unreadable, no table of the paper's,
        other columns, a row given twice, a cell that is no number.
    """
    if file.stem not in _keys():
        raise UserError(
            f"{file}: not a table of config/experiments.yaml; allowed: {allowed(_keys())}"
        )
    keys = _keys()[file.stem]
    header, lines = read_csv(file)
    ours = not set(OWN).isdisjoint(header)
    check_columns(file, header, OWN if ours else keys)
    columns = _value_columns(file, header, keys, ours=ours)
    scales = sorted({line["scale"] for line in lines}) if ours else ["paper"]
    if len(scales) > 1:
        raise UserError(f"{file}: scale: found {' and '.join(scales)}; allowed: one scale")
    rows: dict[str, dict[str, Value]] = {}
    settings = {}
    for line in lines:
        row = line["row"] if ours else "/".join(line[key] for key in keys)
        if row in rows:
            raise UserError(f"{file}: row {row} is given twice; allowed: each row once")
        compared = [c for c in columns if c not in NOT_COMPARED]
        compared = [c for c in compared if line[c] or c not in OF_SOME_ROWS]
        rows[row] = {c: _value(f"{file}: row {row}", line, c) for c in compared}
        settings[row] = {key: line[key] for key in (*keys, "dataset") if ours and key in line}
    return TableFile(file, scales[0], columns, rows, settings)


def _value_columns(
    file: Path, header: list[str], keys: list[str], *, ours: bool
) -> tuple[str, ...]:
    known = [c for c in (*ACCURACIES, *DEPTHS, *NOT_COMPARED) if c not in keys]
    beside = set(keys)
    if ours:
        # `dataset` is in ours even where the paper's table does not print it.
        beside |= {*OWN, "stamp", "dataset", "paper_dataset", "diverged", "lost_training"}
        beside |= {f"paper_{c}" for c in (*keys, *known)}
        beside |= {f"{c}_{suffix}" for c in known for suffix in ("std", "difference", "diverged")}
    columns = tuple(c for c in header if c not in beside)
    for column in columns:
        if column not in known:
            raise UserError(
                f"{file}: unknown column {shown(column)}; known values: {allowed(known)}"
            )
    return columns


def _value(where: str, line: Mapping[str, str], column: str) -> Value:
    """Return the value of a column."""
    text, seeds = line[column], line.get("n", "1")
    if not re.fullmatch(r"[1-9]\d{0,6}", seeds, re.ASCII):
        raise UserError(f"{where}: n: found {shown(seeds)}; allowed: a number of seeds")
    if column in TOTALS:
        return _total(f"{where}: {column}", text, int(seeds))
    mean = _number(f"{where}: {column}", text)
    if text.casefold() in _LOST:
        return Value(text, None, None, 0, int(seeds))
    count = line.get(f"{column}_diverged", "0")
    if not (re.fullmatch(r"\d{1,7}", count, re.ASCII) and int(count) < int(seeds)):
        raise UserError(
            f"{where}: {column}_diverged: found {shown(count)}; allowed: a number of "
            f"seeds below {seeds}, as {column} is {shown(text)}"
        )
    diverged = int(count)
    n = int(seeds) - diverged
    if mean is None or n == 1:
        return Value(text, mean, None, n, diverged)
    std_text = line.get(f"{column}_std", "")
    std = _number(f"{where}: {column}_std", std_text)
    if std is None or std < 0:
        raise UserError(
            f"{where}: {column}_std: found {shown(std_text)}; "
            f"allowed: a number from 0, as there are {n} seeds"
        )
    return Value(text, mean, float(std), n, diverged)


def _number(where: str, text: str) -> Fraction | None:
    number = parse_number(text)
    if number is None and text.casefold().lstrip("+-") not in (*_NO_VALUE, "inf", "infinity"):
        raise UserError(f"{where}: found {shown(text)}; allowed: a number")
    return number


def _total(where: str, text: str, seeds: int) -> Value:
    """Return the mean number of sub-modules of ``2-1-1; diverged; 2-2-1``."""
    parts = [part.strip() for part in text.split(";")]
    if len(parts) != seeds:
        raise UserError(f"{where}: found {len(parts)} depths; allowed: {seeds}, as n")
    found = [part for part in parts if part.casefold() not in _LOST]
    n, diverged = len(found), seeds - len(found)
    if not found or any(part.casefold() in _NO_VALUE for part in found):
        # A mean over the seeds that are left would hide that one is missing.
        return Value(text, None, None, n, diverged)
    for part in found:
        if not _TOTAL.fullmatch(part):
            raise UserError(f"{where}: found {shown(part)}; allowed: a depth like 7-7-7")
    totals = [sum(map(int, part.split("-"))) for part in found]
    mean = Fraction(sum(totals), n)
    if n == 1:
        return Value(str(totals[0]), mean, None, 1, diverged)
    return Value(f"{float(mean):.2f}", mean, statistics.stdev(totals), n, diverged)
