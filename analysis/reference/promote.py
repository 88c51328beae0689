"""Make generated tables the reference of their scale.

``python -m analysis promote --scale mini`` copies the tables and Figure 2 of results/out/mini
to results/reference/mini, with a provenance.json that says what made them and how to repeat
it. It writes nothing unless every change is committed and every run of the catalogue is
finished and older than its tables.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from analysis.experiments.catalogue import Catalogue, Table, load_catalogue
from analysis.experiments.settings import ROOT, SCALES
from analysis.reference.conditions import (
    clean_commit,
    describe_runs,
    one,
    promote_command,
    repeat_command,
)
from analysis.results.csvfiles import check_columns, read_csv
from analysis.tables.table_files import read_table, table_folder
from autogrow.errors import UserError, allowed
from autogrow.files.writing import write_bytes, write_json
from autogrow.runs.summary import Summary, read_summary

FORMS = (".csv", ".md", ".tex", "_seeds.csv")
"""Endings of the files of a table."""

PICTURE = ("figure2.csv", "figure2.png")
"""The figure that README shows."""

_OURS = re.compile(r"table\d+(\.csv|\.md|\.tex|_seeds\.csv)|provenance\.json")


def promote(
    scale: str,
    source: Path | None = None,
    target: Path | None = None,
    repository: Path | None = None,
) -> dict[str, Any]:
    """Copy a scale's tables into its reference; return the provenance.

    Parameters
    ----------
    scale
        ``mini`` or ``paper``.
    source
        Folder of the scale's results; None: results/out/SCALE of the repository.
    target
        Folder of the reference; None: results/reference/SCALE of the repository.
    repository
        Whose commit the provenance names; None: this project.

    Raises
    ------
    UserError
        If the tree is dirty or no git repository, a run is unfinished, a table is
        missing or older than a run, or the scale's numbers mean nothing.
    """
    repository = repository or ROOT
    source = source or repository / "results" / "out" / scale
    target = (target or repository / "results" / "reference" / scale).resolve()
    catalogue = load_catalogue(scale)
    if scale == "smoke":
        raise UserError("scale: smoke cannot be a reference: its numbers have no meaning")
    commit = clean_commit(repository)
    _check_target(target)
    folder = table_folder(source)
    tables = [t for name, t in catalogue.tables.items() if name.startswith("table")]
    files = [_file(folder, table, form) for table in tables for form in FORMS]
    files += [_picture(source / "figures" / name) for name in PICTURE]
    seeds = _seeds(folder, tables)
    summaries = _summaries(source, catalogue, seeds)
    for table in tables:
        _check_table(folder, table, scale, [summaries[r, s][0] for r in table.runs for s in seeds])
    provenance = {
        **describe_runs(catalogue, seeds, [summary for _, summary in summaries.values()]),
        "accuracy": _accuracy(folder, tables),
    }
    provenance = {
        "scale": scale,
        "git_commit": commit,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": repeat_command(provenance, scale),
        "promoted_by": promote_command(scale, source, target, repository),
        **provenance,
    }
    _install(files, provenance, target)
    return provenance


def _check_target(target: Path) -> None:
    """Refuse to replace what no earlier promotion has made."""
    if not target.exists():
        return
    if not target.is_dir():
        raise UserError(f"{target}: is not a folder")
    for entry in sorted(target.iterdir()):
        if entry.name not in PICTURE and not _OURS.fullmatch(entry.name):
            raise UserError(
                f"{target}: holds {entry.name}, which would be lost; "
                "allowed: a new folder, or one that an earlier promotion has made"
            )


def _file(folder: Path, table: Table, form: str) -> Path:
    file = folder / f"{table.name}{form}"
    if not file.is_file():
        raise UserError(f"{file}: no such file; a reference has every table of the catalogue")
    return file


def _seeds(folder: Path, tables: Sequence[Table]) -> list[int]:
    """Return the seeds that all tables are made from."""
    found: dict[tuple[int, ...], str] = {}
    for table in tables:
        file = _file(folder, table, "_seeds.csv")
        header, rows = read_csv(file)
        check_columns(file, header, ["run", "seed"])
        if not all(row["seed"].isascii() and row["seed"].isdigit() for row in rows):
            raise UserError(f"{file}: not the seeds of a table: seed: allowed: whole numbers")
        lines = [(row["run"], int(row["seed"])) for row in rows]
        seeds = tuple(sorted({seed for _, seed in lines}))
        if set(lines) != {(run, seed) for run in table.runs for seed in seeds}:
            raise UserError(f"{file}: its runs are not the catalogue's; make the table again")
        found[seeds] = table.name
    if len(found) > 1:
        told = [f"{name} of {allowed(seeds)}" for seeds, name in found.items()]
        raise UserError(
            f"{folder}: tables of different seeds: {'; '.join(told)}; allowed: the same seeds"
        )
    return list(next(iter(found)))


def _summaries(
    source: Path, catalogue: Catalogue, seeds: Sequence[int]
) -> dict[tuple[str, int], tuple[Path, Summary]]:
    """Return file and content for every run of the catalogue, figures' runs included."""
    runs = source / "runs"
    files = {
        (run, seed): runs / run / f"seed{seed}" / "summary.json"
        for run in catalogue.runs
        for seed in seeds
    }
    missing = [file for file in files.values() if not file.is_file()]
    if missing:
        raise UserError(
            f"{missing[0]}: unfinished: {len(missing)} of {len(files)} runs have no summary"
        )
    return {key: (file, _finished(file, key[1])) for key, file in files.items()}


def _finished(file: Path, seed: int) -> Summary:
    summary = read_summary(file)
    if summary.seed != seed:
        raise UserError(f"{file}: is of seed {summary.seed}, not of {seed}")
    return summary


def _check_table(folder: Path, table: Table, scale: str, summaries: Iterable[Path]) -> None:
    """Refuse a table of another scale, of other rows, or older than a run it shows."""
    file = _file(folder, table, ".csv")
    content = read_table(file)
    if content.scale != scale:
        raise UserError(f"{file}: is of scale {content.scale}; allowed: {scale}")
    if set(content.rows) != {row.name for row in table.rows}:
        raise UserError(f"{file}: its rows are not the catalogue's; make the table again")
    made = min(_file(folder, table, form).stat().st_mtime_ns for form in FORMS)
    for summary in summaries:
        if summary.stat().st_mtime_ns > made:
            raise UserError(f"{file}: is older than {summary}; make the table again")


def _accuracy(folder: Path, tables: Sequence[Table]) -> Any:
    """Return which accuracy the tables show; only the text of their Markdown says it."""
    found = set()
    for table in tables:
        text = _content(_file(folder, table, ".md")).decode(errors="replace")
        match = re.search(r"\b(best|final) accuracy in percent", text)
        found.add(match[1] if match else "unknown")
    return one(sorted(found))


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror or error}") from None


def _picture(file: Path) -> Path:
    if not file.is_file():
        raise UserError(f"{file}: no such file; README shows this figure of the reference")
    return file


def _install(files: Iterable[Path], provenance: Mapping[str, Any], target: Path) -> None:
    """Put everything into a folder beside the target, then exchange the two."""
    new = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    try:
        new.mkdir(parents=True)
        for file in files:
            write_bytes(new / file.name, _content(file))
        write_json(new / "provenance.json", provenance)
        if target.exists():
            target.rename(old)
        try:
            new.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
    except OSError as error:
        raise UserError(f"{target}: cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--scale", required=True, choices=SCALES)
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="DIR", help="default: results/out/SCALE"
    )
    parser.add_argument("--to", type=Path, metavar="DIR", help="default: results/reference/SCALE")


def run(options: argparse.Namespace) -> int:
    """Promote and say what was done; return the exit status."""
    provenance = promote(options.scale, options.source, options.to)
    shown = options.to or Path("results") / "reference" / options.scale
    print(f"{shown}: {len(provenance['tables'])} tables of {provenance['runs']} runs")
    lost = provenance["run_statuses"].get("diverged", 0)
    if lost:
        print(f"note: {lost} runs diverged; the tables name them (run_statuses)")
    dirty = sum(n for commit, n in provenance["run_commits"].items() if commit.endswith("+"))
    if dirty:
        print(f"note: {dirty} runs were made with uncommitted changes (run_commits)")
    return 0
