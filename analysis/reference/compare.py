"""Compare tables with a reference: ours with the paper's, or new ones with the committed.

``python -m analysis compare --new results/out/mini --reference results/reference/mini``

Rows are joined by their key. Accuracies are compared in percentage points, depths
(the total number of sub-modules, mean over the seeds; layers) relative to the
reference; times, GPUs and AdamInit's epochs are not compared.

A value agrees if the 95 % interval of its difference lies inside the tolerance, differs
if it lies outside, and else is undecided. The interval is Welch's; with one run on a side,
the prediction interval of the other's seeds; one run against one has none. What is
identical agrees. A run that diverged has no value: where it did on one side alone, that is
a difference; where it did on both, they agree.

Exit status: 0, nothing differs; 1, something differs or is missing on one side, with
--strict also if something is undecided; 2, the input cannot be compared, and nothing is
written.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

from analysis.reference.summing_up import Compared, three_lines
from analysis.reference.verdicts import Tolerances, judge
from analysis.tables.table_files import (
    NOT_COMPARED,
    TableFile,
    parse_number,
    read_table,
    table_folder,
    table_names,
)
from autogrow.errors import UserError, allowed, shown
from autogrow.files.writing import write_csv

HEADER = (
    *("table", "row", "column", "new", "reference", "difference", "verdict"),
    *("new_std", "new_n", "reference_std", "reference_n", "method"),
    *("tolerance", "difference_low", "difference_high", "seeds_needed"),
)
"""Columns of compare.csv."""


def _compared(new: TableFile, reference: TableFile, tolerances: Tolerances) -> list[Compared]:
    """Return each row and value column, in the reference's order."""
    if new.scale != reference.scale:
        raise UserError(
            f"{new.file}: is of scale {new.scale}, {reference.file} of scale {reference.scale}; "
            "allowed: the same scale"
        )
    for one, other in ((new, reference), (reference, new)):
        for column in one.columns:
            if column not in (*other.columns, *NOT_COMPARED):
                raise UserError(
                    f"{other.file}: has no column {shown(column)}, which {one.file} has"
                )
    values = []
    for row in dict.fromkeys([*reference.rows, *new.rows]):
        for column in (c for c in reference.columns if c not in NOT_COMPARED):
            a, b = (t.rows.get(row, {}).get(column) for t in (new, reference))
            if a is None and b is None:  # neither has a run for it
                continue
            verdict = judge(column, a, b, tolerances)
            values.append(Compared(reference.file.stem, row, column, a, b, verdict))
    return values


def _line(value: Compared) -> list[str]:
    """Return the cells of a line of compare.csv."""
    sides, verdict = (value.new, value.reference), value.verdict
    line = [value.table, value.row, value.column]
    line += [side.shown if side else "" for side in sides]
    line += [value.number(verdict.difference), verdict.name]
    for side in sides:
        std = side.std if side else None
        line += ["" if std is None else f"{std:.4f}", str(side.n) if side else ""]
    tolerance = "" if verdict.tolerance is None else f"{float(verdict.tolerance):g}"
    seeds = "" if verdict.seeds is None else str(verdict.seeds)
    return [*line, verdict.method, tolerance, *value.interval, seeds]


def _other_settings(new: TableFile, reference: TableFile) -> list[str]:
    """Return notes on rows whose data set, K or depth is not what the reference used."""
    return [
        f"{new.file.stem}: {row}: {key} is {shown(value)} in new, "
        f"{shown(reference.settings[row][key])} in the reference"
        for row, settings in new.settings.items()
        for key, value in settings.items()
        if reference.settings.get(row, {}).get(key, value) != value
    ]


def _tolerance(text: str) -> Fraction:
    number = parse_number(text)
    if number is None or number < 0:
        raise argparse.ArgumentTypeError(f"found {shown(text)}; allowed: a number from 0")
    return number


def _table(text: str) -> str:
    return f"table{int(text)}" if text.isascii() and text.isdigit() else text


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--new", type=Path, required=True, metavar="DIR", help="results/out/mini")
    parser.add_argument("--reference", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--tables",
        type=_table,
        nargs="+",
        metavar="TABLE",
        help="names of tables, or numbers like 5 (default: all that the reference has)",
    )
    parser.add_argument(
        "--accuracy-tolerance",
        type=_tolerance,
        default="0.5",
        metavar="PCT",
        help="percentage points (default: %(default)s)",
    )
    parser.add_argument(
        "--depth-tolerance",
        type=_tolerance,
        default="0.2",
        metavar="FRACTION",
        help="of the reference's depth (default: %(default)s)",
    )
    parser.add_argument("--strict", action="store_true", help="what is undecided counts as well")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: compare.csv in --new")


def run(options: argparse.Namespace) -> int:
    """Compare, print and write compare.csv; return the exit status."""
    tolerances = Tolerances(options.accuracy_tolerance, options.depth_tolerance)
    new, reference = table_folder(options.new), table_folder(options.reference)
    present, wanted = table_names(new), table_names(reference)
    if not options.tables and set(wanted).isdisjoint(present):
        raise UserError(f"{new}: has no table in common with {reference}")
    values: list[Compared] = []
    notes = []
    for table in dict.fromkeys(options.tables or wanted):
        for folder, names in ((new, present), (reference, wanted)):
            if table not in names:
                raise UserError(
                    f"{folder / table}.csv: no such table; the folder has {allowed(names)}"
                )
        ours, theirs = (read_table(folder / f"{table}.csv") for folder in (new, reference))
        values += _compared(ours, theirs, tolerances)
        notes += _other_settings(ours, theirs)
    left = [name for name in present if name not in wanted]
    if left:
        notes.append(f"not in the reference, not compared: {', '.join(left)}")
    out = options.out or options.new / "compare.csv"
    if not out.parent.is_dir():
        raise UserError(f"{out}: cannot be written: {out.parent} is not a folder")
    write_csv(out, HEADER, map(_line, values))
    summary = three_lines(values, tolerances)
    print("\n".join([*summary, *(f"note: {note}" for note in notes), f"All values: {out}"]))
    fails = ("differs", "undecided") if options.strict else ("differs",)
    return int(any(value.verdict.outcome in fails for value in values))
