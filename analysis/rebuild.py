"""Rebuild tables, figures and verdicts from the committed archives, without training.

``python -m analysis rebuild --scale mini`` unpacks the archives of results/reference/mini into
results/out/rebuilt/mini, and makes every table there, every figure that needs no landscape, the
verdicts on the claims, and the report. What was in that folder before is removed. Then it says
which of the committed files they equal, byte for byte. Tables and figures that are younger than the
reference are left out.

Exit status: 0, all that is committed was rebuilt; 1, a file differs or could not be made; 2, an
archive is missing or damaged.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis.claims.judge import write_verdicts
from analysis.claims.values import FinishedRuns
from analysis.experiments.catalogue import Catalogue, load_catalogue
from analysis.experiments.data_sets import remember
from analysis.experiments.scales import ROOT, SCALES
from analysis.figures.draw import write_pictures
from analysis.figures.figure_data import write_figure
from analysis.records.archives import archive_files, read_archive
from analysis.records.unpacking import unpack
from analysis.report.build import PAGE, write_report
from analysis.results.summaries import Results
from analysis.tables.build import write_table
from autogrow.data.locating import LAYOUTS
from autogrow.errors import UserError, allowed, shown
from autogrow.files.reading import read_bytes, read_json, require_folder

MOST = 2**26
ALL = list(LAYOUTS)
"""The paper's data sets."""


def rebuild(catalogue: Catalogue, reference: Path, out: Path) -> tuple[list[Path], list[str]]:
    """Rebuild what the archives of a reference have the runs for.

    Parameters
    ----------
    out
        A folder that this function alone writes to: what is there is removed.

    Returns
    -------
    made, lacking
        The files that were made, and a line for each of what could not be.

    Raises
    ------
    UserError
        If there is no archive, or naming the member of one that is damaged.
    """
    require_folder(reference, "a folder of archives")
    archives = {file: read_archive(file) for file in archive_files(reference)}
    if not archives:
        raise UserError(f"{reference}: has no archive; allowed: a folder that has been promoted to")
    shutil.rmtree(out, ignore_errors=True)
    for file, archive in archives.items():
        unpack(archive, file.name, out)
    results = Results(out, [archive.seed for archive in archives.values()], _accuracy(reference))
    lacking = []
    younger = younger_than(reference, catalogue)
    for name, table in catalogue.tables.items():
        if name in younger:
            continue
        try:
            if not table.is_figure:
                write_table(table, catalogue, results)
            elif not table.has_landscapes:
                write_figure(table, catalogue, results)
                write_pictures(name, out)
        except UserError as error:
            lacking.append(f"{name}: {error}")
    try:
        write_verdicts(FinishedRuns(catalogue, out, results.seeds), out)
    except UserError as error:
        lacking.append(f"claims: {error}")
    write_report(catalogue, results)
    kinds = ("tables", "figures", "claims")
    made = [file for kind in kinds for file in sorted((out / kind).glob("*"))]
    return made, lacking


def catalogue_of(reference: Path, scale: str) -> Catalogue:
    """Return the catalogue that a reference was made with; its data sets need not be there.

    Raises
    ------
    UserError
        If its provenance is malformed.
    """
    content = _provenance(reference)
    file = reference / "provenance.json"
    missing = content.get("left_out")
    if missing is not None and not (isinstance(missing, list) and {*map(str, missing)} <= {*ALL}):
        raise UserError(f"{file}: left_out: found {shown(missing)}; allowed: {allowed(ALL)}")
    sources = remember(content.get("data_source", {}), f"{file}: data_source")
    return load_catalogue(scale, sources=sources, missing=missing)


def younger_than(reference: Path, catalogue: Catalogue) -> list[str]:
    """Return the tables and figures that a reference does not have, though it has others."""
    there = [name for name in catalogue.tables if (reference / f"{name}.csv").exists()]
    return [name for name in catalogue.tables if name not in there] if there else []


def _accuracy(reference: Path) -> str:
    """Return which accuracy the committed tables show."""
    content = _provenance(reference)
    known = content.get("accuracy") if content else "best"
    if known not in ("best", "overall", "final"):
        file = reference / "provenance.json"
        raise UserError(f"{file}: accuracy: allowed: {allowed(('best', 'overall', 'final'))}")
    return str(known)


def _provenance(reference: Path) -> dict[str, Any]:
    """Return what a reference says of its making; nothing before it is promoted."""
    file = reference / "provenance.json"
    content = read_json(file) if file.exists() else {}
    if not isinstance(content, dict):
        raise UserError(f"{file}: found {shown(content)}; allowed: names and values")
    return content


def differing(catalogue: Catalogue, made: Sequence[Path], reference: Path) -> tuple[int, list[str]]:
    """Return how many committed files are equal, and the names of the others.

    Pictures are left out, as they are drawn from their CSV and depend on the fonts of a machine,
    and so are figures with landscapes.
    """
    files = {file.name: file for file in made}
    not_made = tuple(name for name, table in catalogue.tables.items() if table.has_landscapes)
    committed = [
        file
        for file in sorted(reference.iterdir())
        if file.suffix in (".csv", ".md", ".tex") and not file.name.startswith(not_made)
    ]
    others = [
        file.name
        for file in committed
        if file.name not in files
        or read_bytes(files[file.name], "a file", MOST) != read_bytes(file, "a file", MOST)
    ]
    return len(committed) - len(others), others


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--scale", required=True, choices=SCALES)
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="DIR", help="default: results/reference/SCALE"
    )


def run(options: argparse.Namespace) -> int:
    """Rebuild and compare; return the exit status."""
    reference = options.source or ROOT / "results" / "reference" / options.scale
    out = ROOT / "results" / "out" / "rebuilt" / reference.resolve().name
    catalogue = catalogue_of(reference, options.scale)
    made, lacking = rebuild(catalogue, reference, out)
    same, others = differing(catalogue, made, reference)
    for line in lacking:
        print(f"not made: {line}")
    younger = younger_than(reference, catalogue)
    if younger:
        print(f"left out, as {reference} is older: {', '.join(younger)}")
    print(f"{out}: {len(made)} files made")
    print(f"Report: {out / PAGE}")
    print(f"{reference}: {same} committed files are equal, byte for byte")
    if others:
        print(f"{len(others)} are not: {allowed(others)}")
    return int(bool(lacking or others))
