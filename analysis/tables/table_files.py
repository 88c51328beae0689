"""Read tableN.csv, ours and the paper's.

The paper's hold key columns and values; ours have ``scale``, ``row``, ``n`` and
the standard deviations as well. Numbers are kept as exact fractions of what is
printed, so that comparing two printed decimals never meets binary rounding.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from analysis.experiments.catalogue import load_catalogue
from analysis.results.csvfiles import read_csv
from autogrow.errors import UserError, allowed

ACCURACIES = ("accuracy", "delta", "top1", "top5", "delta_top1")
"""Value columns in percent."""

TOTALS = ("found_net", "depth")
"""Value columns that hold a depth like 7-7-7; the number of sub-modules counts."""

DEPTHS = (*TOTALS, "layers")

NOT_COMPARED = ("gpus", "growing_hours", "finetuning_hours")
"""Value columns that say more about a machine than about the method."""

DIVERGED = "diverged"
"""What stands in the place of a value, or of one seed's depth, if the run diverged."""

BASELINE_DIVERGED = "baseline diverged"
"""The same of a difference to another run, if only that one diverged."""

_LOST = (DIVERGED, BASELINE_DIVERGED)
_NO_VALUE = ("", "nan", "na", *_LOST)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?", re.IGNORECASE | re.ASCII)
_TOTAL = re.compile(r"\d{1,6}(-\d{1,6})*", re.ASCII)


@dataclass(frozen=True)
class Value:
    """A value of a table.

    Attributes
    ----------
    text
        To show: the number with its decimals, or what stands there instead.
    mean
        Over the seeds; None if there is no number.
    std
        Sample standard deviation over the seeds; None for one seed.
    n
        Number of seeds that the mean is over.
    diverged
        Number of seeds beside those, whose runs diverged.
    """

    text: str
    mean: Fraction | None
    std: float | None
    n: int
    diverged: int = 0

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

    Attributes
    ----------
    file
        Where it was read from.
    scale
        ``paper`` for the paper's own.
    columns
        All value columns, in the file's order.
    rows
        Values that can be compared, by row and column.
    settings
        Key columns as really used, by row; empty for the paper's own.
    """

    file: Path
    scale: str
    columns: tuple[str, ...]
    rows: Mapping[str, Mapping[str, Value]]
    settings: Mapping[str, Mapping[str, str]]

    @property
    def compared(self) -> list[str]:
        """The value columns that can be compared."""
        return [c for c in self.columns if c not in NOT_COMPARED]


def parse_number(text: str) -> Fraction | None:
    """Return a decimal number exactly, or None if the text is none."""
    return Fraction(text) if _NUMBER.fullmatch(text) else None


def table_folder(folder: Path) -> Path:
    """Return where the tables of ``folder`` are: itself, or its ``tables``.

    Raises
    ------
    UserError
        If there is no such folder, or it holds no table.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; allowed: one that holds tableN.csv files")
    for candidate in (folder, folder / "tables"):
        if table_names(candidate):
            return candidate
    raise UserError(f"{folder}: holds no tableN.csv, nor does a folder tables in it")


def table_names(folder: Path) -> list[str]:
    """Return ``table2``, ``table3``, ... as far as there is a CSV, in the paper's order."""
    names = [f.stem for f in folder.glob("table*.csv") if re.fullmatch(r"table\d+", f.stem)]
    return sorted(names, key=lambda name: int(name.removeprefix("table")))


def read_table(file: Path) -> TableFile:
    """Return the content of a tableN.csv of either kind.

    Raises
    ------
    UserError
        Naming the file and what is wrong: unreadable, no table of the paper's,
        other columns, a row given twice, a cell that is no number.
    """
    keys = _key_columns(file)
    header, lines = read_csv(file)
    own = [c for c in ("scale", "row", "n") if c in header]
    if own and len(own) < 3:
        missing = next(c for c in ("scale", "row", "n") if c not in header)
        raise UserError(f"{file}: has no column {missing!r}, but {own[0]!r}")
    if not own:
        unnamed = [c for c in keys if c not in header]
        if unnamed:
            raise UserError(f"{file}: has no column {unnamed[0]!r}, which names its rows")
    columns = _value_columns(file, header, keys, ours=bool(own))
    scales = {line["scale"] for line in lines} if own else {"paper"}
    if len(scales) > 1:
        raise UserError(f"{file}: scale: found {' and '.join(sorted(scales))}; allowed: one scale")
    rows: dict[str, dict[str, Value]] = {}
    settings = {}
    for line in lines:
        row = line["row"] if own else "/".join(line[key] for key in keys)
        if row in rows:
            raise UserError(f"{file}: row {row} is given twice; allowed: each row once")
        cells = _Cells(f"{file}: row {row}", line)
        rows[row] = {c: cells.value(c) for c in columns if c not in NOT_COMPARED}
        used = dict.fromkeys((*keys, "dataset"))
        settings[row] = {key: line[key] for key in used if key in line} if own else {}
    return TableFile(file, scales.pop(), columns, rows, settings)


@lru_cache
def _paper_keys() -> dict[str, list[str]]:
    tables = load_catalogue("paper").tables.values()
    return {table.name: list(table.rows[0].key) for table in tables}


def _key_columns(file: Path) -> list[str]:
    """Return the columns that name the rows: ``depth`` does in one table, in another not."""
    keys = _paper_keys()
    if file.stem not in keys:
        names = allowed(name for name in keys if name.startswith("table"))
        raise UserError(f"{file}: not a table of config/experiments.yaml; allowed: {names}")
    return keys[file.stem]


def _value_columns(
    file: Path, header: Sequence[str], keys: Sequence[str], *, ours: bool
) -> tuple[str, ...]:
    known = [c for c in (*ACCURACIES, *DEPTHS, *NOT_COMPARED) if c not in keys]
    beside = set(keys)
    if ours:
        # `dataset` is in ours even where the paper's table does not print it.
        beside |= {"scale", "row", "n", "stamp", "dataset", "paper_dataset", "diverged"}
        beside |= {f"paper_{c}" for c in (*keys, *known)}
        beside |= {f"{c}_{suffix}" for c in known for suffix in ("std", "difference", "diverged")}
    columns = tuple(c for c in header if c not in beside)
    for column in columns:
        if column not in known:
            raise UserError(f"{file}: unknown column {column!r}; known values: {allowed(known)}")
    return columns


class _Cells:
    """Reads the cells of one line."""

    def __init__(self, where: str, line: Mapping[str, str]) -> None:
        self._where = where
        self._line = line
        n = line.get("n", "1")
        if not re.fullmatch(r"[1-9]\d{0,6}", n, re.ASCII):
            raise UserError(f"{where}: n: found {n!r:.80}; allowed: a number of seeds")
        self._n = int(n)

    def value(self, column: str) -> Value:
        """Return the value of a column."""
        if column in TOTALS:
            return self._total(column)
        text = self._line[column]
        mean = self._number(column, text)
        diverged = self._diverged(column, text)
        n = self._n - diverged
        if mean is None or n == 1:
            return Value(text, mean, None, n, diverged)
        std_text = self._line.get(f"{column}_std", "")
        std = self._number(f"{column}_std", std_text)
        if std is None or std < 0:
            raise UserError(
                f"{self._where}: {column}_std: found {std_text!r:.80}; "
                f"allowed: a number from 0, as there are {n} seeds"
            )
        return Value(text, mean, float(std), n, diverged)

    def _diverged(self, column: str, text: str) -> int:
        """Return how many seeds a value is without, as they diverged."""
        if text.casefold() in _LOST:
            return self._n
        count = self._line.get(f"{column}_diverged", "0")
        if not (re.fullmatch(r"\d{1,7}", count, re.ASCII) and int(count) < self._n):
            raise UserError(
                f"{self._where}: {column}_diverged: found {count!r:.80}; allowed: a number of "
                f"seeds below {self._n}, as {column} is {text!r:.80}"
            )
        return int(count)

    def _number(self, column: str, text: str) -> Fraction | None:
        number = parse_number(text)
        if number is None and text.casefold().lstrip("+-") not in (*_NO_VALUE, "inf", "infinity"):
            raise UserError(f"{self._where}: {column}: found {text!r:.80}; allowed: a number")
        return number

    def _total(self, column: str) -> Value:
        text = self._line[column]
        parts = [part.strip() for part in text.split(";")]
        if len(parts) != self._n:
            raise UserError(
                f"{self._where}: {column}: found {len(parts)} depths; allowed: {self._n}, as n"
            )
        found = [part for part in parts if part.casefold() not in _LOST]
        diverged = self._n - len(found)
        if not found or any(part.casefold() in _NO_VALUE for part in found):
            # A mean over the seeds that are left would hide that one is missing.
            return Value(text, None, None, len(found), diverged)
        for part in found:
            if not _TOTAL.fullmatch(part):
                raise UserError(
                    f"{self._where}: {column}: found {part!r:.80}; allowed: a depth like 7-7-7"
                )
        totals = [sum(map(int, part.split("-"))) for part in found]
        if len(totals) == 1:
            return Value(str(totals[0]), Fraction(totals[0]), None, 1, diverged)
        mean = Fraction(sum(totals), len(totals))
        std = statistics.stdev(totals)
        return Value(f"{float(mean):.2f}", mean, std, len(totals), diverged)
