"""Make generated tables the reference of their scale.

``python -m analysis promote --scale mini`` copies the tables, the CSVs of the figures and the
verdicts on the claims of results/out/mini to results/reference/mini, and packs the runs into an
archive a seed. A provenance.json says what made them and how to repeat it. It writes nothing
unless every change is committed and every run of the catalogue is finished and older than its
tables.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from analysis.commandline import add_data_source, data_source
from analysis.experiments.catalogue import Catalogue, Table, load_catalogue
from analysis.experiments.data_sets import recorded
from analysis.experiments.scales import ROOT, SCALES
from analysis.records.archives import archive_name, pack
from analysis.reference.conditions import clean_commit, describe_runs, one, repeat_command
from analysis.results.csvfiles import check_columns, read_csv
from analysis.tables.table_files import read_table, table_folder
from autogrow.errors import UserError, allowed
from autogrow.files.reading import reading
from autogrow.files.writing import json_bytes, write_bytes
from autogrow.runs.folder import read_result
from autogrow.runs.summary import Summary

FORMS = (".csv", ".md", ".tex", "_seeds.csv")
"""Endings of the files of a table."""

VERDICTS = ("claims.csv", "claims.md")
"""The files of the verdicts, where claims were judged."""

PICTURES = ("figure2.png", "figure9.png")
"""The pictures that README and docs show."""

_OURS = re.compile(
    r"table\d+(\.csv|\.md|\.tex|_seeds\.csv)|provenance\.json|figure\d+(_contour)?\.(csv|png)"
    r"|claims\.(csv|md)|runs-seed\d+\.tar\.xz"
)


def promote(
    scale: str, source: Path, target: Path, sources: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Copy a scale's tables and pack its runs into its reference; return the provenance.

    ``sources`` says which data sets were taken from elsewhere.

    Raises
    ------
    UserError
        If the tree is dirty or no git repository, a run is unfinished, a table is
        missing or older than a run, or the scale's numbers mean nothing.
    """
    catalogue = load_catalogue(scale, sources=sources)
    if scale == "smoke":
        raise UserError("scale: smoke cannot be a reference: its numbers have no meaning")
    commit = clean_commit(ROOT)
    target = target.resolve()
    _check_target(target, catalogue.table_names)
    folder = table_folder(source)
    tables = [catalogue.tables[name] for name in catalogue.table_names]
    files = [folder / f"{table.name}{form}" for table in tables for form in FORMS]
    files += _of_figures(source / "figures", catalogue)
    verdicts = [file for file in (source / "claims" / name for name in VERDICTS) if file.exists()]
    files += verdicts
    for file in files:
        if not file.is_file():
            raise UserError(
                f"{file}: no such file; a reference has every table and figure of the catalogue"
            )
    seeds = _seeds(folder, tables)
    summaries = _summaries(source, catalogue, seeds)
    for table in tables:
        _check_table(
            folder, table, scale, [_run_file(source, r, s) for r in table.runs for s in seeds]
        )
    if verdicts:
        _check_age(verdicts, [_run_file(source, r, s) for r in catalogue.runs for s in seeds])
    archives = {archive_name(seed): pack(source, seed, catalogue.runs) for seed in seeds}
    provenance = {
        **describe_runs(catalogue, seeds, summaries),
        # The name of the folder alone says it; see Settings.folder.
        "conventions": "released" if "released" in source.name.split("-") else "paper",
        "accuracy": _accuracy(folder, tables),
        "data_source": recorded(catalogue.settings),
        "left_out": list(catalogue.left_out),
    }
    words = ["--scale", scale, "--from", _in_repository(source), "--to", _in_repository(target)]
    provenance = {
        "scale": scale,
        "git_commit": commit,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": repeat_command(provenance, scale),
        "promoted_by": shlex.join(["python", "-m", "analysis", "promote", *words]),
        **provenance,
        "archives": {name: sha256(packed).hexdigest() for name, packed in archives.items()},
    }
    contents = {file.name: _content(file) for file in files}
    _install({**contents, **archives, "provenance.json": json_bytes(provenance)}, target)
    return provenance


def _of_figures(folder: Path, catalogue: Catalogue) -> list[Path]:
    """Return the CSVs of all figures, and the pictures that are shown."""
    figures = [name for name, table in catalogue.tables.items() if table.is_figure]
    files = [folder / f"{name}.csv" for name in figures]
    files += [file for name in figures for file in folder.glob(f"{name}_contour.csv")]
    return files + [folder / name for name in PICTURES if Path(name).stem in figures]


def _in_repository(path: Path) -> str:
    path, root = path.resolve(), ROOT.resolve()
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _check_target(target: Path, tables: Sequence[str]) -> None:
    """Refuse to replace what no earlier promotion has made."""
    if target.exists() and not target.is_dir():
        raise UserError(f"{target}: is not a folder")
    ours = {f"{name}{form}" for name in tables for form in FORMS}
    for entry in sorted(target.glob("*")):
        if not (entry.name in ours or _OURS.fullmatch(entry.name)):
            raise UserError(
                f"{target}: holds {entry.name}, which would be lost; "
                "allowed: a new folder, or one that an earlier promotion has made"
            )


def _seeds(folder: Path, tables: Sequence[Table]) -> list[int]:
    """Return the seeds that all tables are made from."""
    found: dict[tuple[int, ...], str] = {}
    for table in tables:
        file = folder / f"{table.name}_seeds.csv"
        header, rows = read_csv(file)
        check_columns(file, header, ["run", "seed"])
        if not all(row["seed"].isascii() and row["seed"].isdigit() for row in rows):
            raise UserError(f"{file}: not the seeds of a table: seed: allowed: whole numbers")
        lines = {(row["run"], int(row["seed"])) for row in rows}
        seeds = tuple(sorted({seed for _, seed in lines}))
        if lines != {(run, seed) for run in table.runs for seed in seeds}:
            raise UserError(f"{file}: its runs are not the catalogue's; make the table again")
        found[seeds] = table.name
    if len(found) > 1:
        found_sets = [f"{name} of {allowed(seeds)}" for seeds, name in found.items()]
        raise UserError(
            f"{folder}: tables of different seeds: {'; '.join(found_sets)}; allowed: the same seeds"
        )
    return list(next(iter(found)))


def _run_file(source: Path, run: str, seed: int) -> Path:
    return source / "runs" / run / f"seed{seed}" / "summary.json"


def _summaries(source: Path, catalogue: Catalogue, seeds: Sequence[int]) -> list[Summary]:
    """Return the summaries of every run of the catalogue, figures' runs included."""
    files = {_run_file(source, run, seed): seed for run in catalogue.runs for seed in seeds}
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise UserError(
            f"{missing[0]}: unfinished: {len(missing)} of {len(files)} runs have no summary"
        )
    summaries = []
    for file, seed in files.items():
        summaries.append(read_result(file.parent))
        if summaries[-1].seed != seed:
            raise UserError(f"{file}: is of seed {summaries[-1].seed}, not of {seed}")
    return summaries


def _check_table(folder: Path, table: Table, scale: str, summaries: Sequence[Path]) -> None:
    """Refuse a table of another scale, of other rows, or older than a run it shows."""
    file = folder / f"{table.name}.csv"
    content = read_table(file)
    if content.scale != scale:
        raise UserError(f"{file}: is of scale {content.scale}; allowed: {scale}")
    if set(content.rows) != {row.name for row in table.rows}:
        raise UserError(f"{file}: its rows are not the catalogue's; make the table again")
    _check_age([folder / f"{table.name}{form}" for form in FORMS], summaries)


def _check_age(files: Sequence[Path], summaries: Sequence[Path]) -> None:
    """Refuse files that are older than a run."""
    made = min(file.stat().st_mtime_ns for file in files)
    for summary in summaries:
        if summary.stat().st_mtime_ns > made:
            raise UserError(f"{files[0]}: is older than {summary}; make it again")


def _accuracy(folder: Path, tables: Sequence[Table]) -> Any:
    """Return which accuracy the tables show; only the text of their Markdown says it."""
    found = set()
    for table in tables:
        text = _content(folder / f"{table.name}.md").decode(errors="replace")
        match = re.search(r"\b(best|overall|final) accuracy in percent", text)
        found.add(match[1] if match else "unknown")
    return one(sorted(found))


def _content(file: Path) -> bytes:
    with reading(file, "a file of a finished table or figure"):
        return file.read_bytes()


def _install(contents: Mapping[str, bytes], target: Path) -> None:
    """Put everything into a folder beside the target, then exchange the two."""
    new = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    try:
        new.mkdir(parents=True)
        for name, content in contents.items():
            write_bytes(new / name, content)
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
    add_data_source(parser)


def run(options: argparse.Namespace) -> int:
    """Promote and say what was done; return the exit status."""
    source = options.source or ROOT / "results" / "out" / options.scale
    target = options.to or ROOT / "results" / "reference" / options.scale
    provenance = promote(options.scale, source, target, data_source(options))
    print(
        f"{_in_repository(target)}: {len(provenance['tables'])} tables of {provenance['runs']} runs"
    )
    lost = provenance["run_statuses"].get("diverged", 0)
    if lost:
        print(f"note: {lost} runs diverged; the tables name them (run_statuses)")
    dirty = sum(n for commit, n in provenance["run_commits"].items() if commit.endswith("+"))
    if dirty:
        print(f"note: {dirty} runs were made with uncommitted changes (run_commits)")
    return 0
