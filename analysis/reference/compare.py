"""Compare tables with a reference: ours with the paper's, or new ones with the committed.

``python -m analysis compare --new results/out/mini --reference results/reference/mini``

Rows are joined by their key. Accuracies are compared in percentage points, depths
(the total number of sub-modules, mean over the seeds; layers) relative to the
reference; hours and GPUs are not compared. With two or more seeds on both sides,
within means that the 95 % confidence interval of the difference (Welch) reaches
into the tolerance; else the difference itself has to. A run that diverged has no value:
where it did on one side alone, that is a difference; where it did on both, they agree.

Exit status: 0, all agrees; 1, something is outside or missing (a value that is
missing on both sides is not comparable, and counts as well); 2, the input cannot
be compared, and nothing is written.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from analysis.reference.verdicts import (
    ACCURACY_TOLERANCE,
    AGREE,
    DEPTH_TOLERANCE,
    HEADER,
    VERDICTS,
    Comparison,
    Tolerances,
    judge,
)
from analysis.tables.table_files import (
    TableFile,
    parse_number,
    read_table,
    table_folder,
    table_names,
)
from autogrow.errors import UserError, allowed
from autogrow.files.writing import write_csv


def compare_tables(
    new: TableFile, reference: TableFile, tolerances: Tolerances
) -> list[Comparison]:
    """Return a comparison for each row and value column, in the reference's order.

    Raises
    ------
    UserError
        If the two are of other scales or have other value columns.
    """
    if new.scale != reference.scale:
        raise UserError(
            f"{new.file}: is of scale {new.scale}, {reference.file} of scale {reference.scale}; "
            "allowed: the same scale"
        )
    for one, other in ((new, reference), (reference, new)):
        for column in one.columns:
            if column not in other.columns:
                raise UserError(f"{other.file}: has no column {column!r}, which {one.file} has")
    table = reference.file.stem
    comparisons = []
    for row in dict.fromkeys([*reference.rows, *new.rows]):
        ours, theirs = new.rows.get(row), reference.rows.get(row)
        for column in reference.compared:
            a, b = (side[column] if side else None for side in (ours, theirs))
            if a is None:
                verdict = ("missing in new", "")
            elif b is None:
                verdict = ("missing in reference", "")
            else:
                verdict = judge(column, a, b, tolerances)
            comparisons.append(Comparison(table, row, column, a, b, *verdict))
    return comparisons


def compare(
    new: Path,
    reference: Path,
    tables: Sequence[str] | None = None,
    tolerances: Tolerances | None = None,
) -> tuple[list[Comparison], list[str]]:
    """Compare the tables of two folders; return the comparisons and notes to read.

    Parameters
    ----------
    new, reference
        Folders that hold tableN.csv, or a folder ``tables`` with them.
    tables
        ``table5``, ...; None: all that the reference has.
    tolerances
        How far a value may be from the reference; None: the defaults.

    Raises
    ------
    UserError
        If the input cannot be compared.
    """
    new, reference = table_folder(new), table_folder(reference)
    present = table_names(new)
    if tables is None:
        tables = table_names(reference)
        if not set(tables) & set(present):
            raise UserError(f"{new}: has no table in common with {reference}")
    comparisons: list[Comparison] = []
    notes = []
    for table in tables:
        files = [folder / f"{table}.csv" for folder in (new, reference)]
        for file in files:
            if not file.is_file():
                others = allowed(table_names(file.parent))
                raise UserError(f"{file}: no such table; the folder has {others}")
        ours, theirs = map(read_table, files)
        comparisons += compare_tables(ours, theirs, tolerances or Tolerances())
        notes += _other_settings(ours, theirs)
    left = [name for name in present if name not in table_names(reference)]
    if left:
        notes.append(f"not in the reference, not compared: {', '.join(left)}")
    return comparisons, notes


def _other_settings(new: TableFile, reference: TableFile) -> list[str]:
    """Tell rows whose data set, K or depth at the scale is not what the reference used."""
    notes = []
    for row, settings in new.settings.items():
        others = reference.settings.get(row, {})
        for key, value in settings.items():
            if others.get(key, value) != value:
                notes.append(
                    f"{new.file.stem}: {row}: {key} is {value!r} in new, "
                    f"{others[key]!r} in the reference"
                )
    return notes


def _report(comparisons: Sequence[Comparison], notes: Sequence[str], tolerances: Tolerances) -> str:
    lines = [[cell or "-" for cell in c.line()[:7]] for c in comparisons]
    lines.insert(0, list(HEADER[:7]))
    widths = [max(len(line[i]) for line in lines) for i in range(7)]
    texts = []
    for line in lines:
        cells = [
            cell.rjust(width) if 3 <= i <= 5 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        texts.append("  ".join(cells).rstrip())
    texts += [f"note: {note}" for note in notes]
    counts = Counter(c.verdict for c in comparisons)
    rows = len({(c.table, c.row) for c in comparisons})
    told = ", ".join(f"{counts[v]} {v}" for v in VERDICTS if counts[v] or v in VERDICTS[:2])
    texts.append(
        f"{rows} rows, {len(comparisons)} values: {told} "
        f"(accuracies: {float(tolerances.accuracy):g} points, "
        f"depths: {float(100 * tolerances.depth):g} %)"
    )
    return "\n".join(texts)


def _tolerance(text: str) -> Fraction:
    number = parse_number(text)
    if number is None or number < 0:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed: a number from 0")
    return number


def _table(text: str) -> str:
    number = text.removeprefix("table")
    if not (number.isascii() and number.isdigit()):
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed: numbers like 5")
    return f"table{int(number)}"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--new", type=Path, required=True, metavar="DIR", help="results/out/mini")
    parser.add_argument("--reference", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--tables",
        type=_table,
        nargs="+",
        metavar="N",
        help="numbers of tables (default: all that the reference has)",
    )
    parser.add_argument(
        "--accuracy-tolerance",
        type=_tolerance,
        default=ACCURACY_TOLERANCE,
        metavar="PCT",
        help="percentage points (default: %(default)s)",
    )
    parser.add_argument(
        "--depth-tolerance",
        type=_tolerance,
        default=DEPTH_TOLERANCE,
        metavar="FRACTION",
        help="of the reference's depth (default: %(default)s)",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: compare.csv in --new")


def run(options: argparse.Namespace) -> int:
    """Compare, print and write compare.csv; return the exit status."""
    tolerances = Tolerances(options.accuracy_tolerance, options.depth_tolerance)
    tables = list(dict.fromkeys(options.tables)) if options.tables else None
    comparisons, notes = compare(options.new, options.reference, tables, tolerances)
    out = options.out or options.new / "compare.csv"
    if not out.parent.is_dir():
        raise UserError(f"{out}: cannot be written: {out.parent} is not a folder")
    write_csv(out, HEADER, [c.line() for c in comparisons])
    print(_report(comparisons, notes, tolerances))
    return int(any(c.verdict not in AGREE for c in comparisons))
