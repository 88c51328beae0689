"""A table of the paper from the summaries of finished runs.

``python -m analysis table table5 --scale mini --folder results/out/mini`` writes

* ``tables/table5.csv``: a row for each of config/experiments.yaml, ours beside the paper's,
* ``tables/table5.md`` and ``.tex``: the same to read,
* ``tables/table5_seeds.csv``: every run and seed, long form.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from analysis.commandline import add_results
from analysis.experiments.catalogue import Catalogue, Table, load_catalogue
from analysis.experiments.row_checks import DEPTHS
from analysis.experiments.row_files import from_json
from analysis.experiments.rows import Row
from analysis.results.summaries import Results
from analysis.tables import beyond
from analysis.tables.columns import COLUMNS, Summaries
from analysis.tables.formats import latex, markdown
from analysis.tables.frontier import frontier_cells
from analysis.tables.lost_training import lost_training
from analysis.tables.paper_numbers import read_paper_numbers
from analysis.tables.table_files import BASELINE_DIVERGED, DIVERGED
from autogrow.errors import UserError, allowed, shown
from autogrow.files.writing import write_together
from autogrow.runs.summary import TEST_ACCURACIES

SCALED = ("K", "fraction", *DEPTHS)
"""Key columns, beside the data set, whose value at a scale may not be the paper's."""


def build_table(table: Table, catalogue: Catalogue, results: Results) -> pd.DataFrame:
    """Return a table with the paper's numbers, if it has such a table, beside ours.

    Columns: ``scale``, ``row`` (as config/experiments.yaml has it), the settings that were really
    used, for each numeric value its mean, standard deviation over the seeds
    (``_std``, empty for one seed), the paper's (``paper_``) and, where ours is of the paper's data,
    the ``_difference``; for each text the values of all seeds; ``n`` seeds. Hours are of other
    machines than the paper's: no difference is taken.

    A run that diverged has no value: means are over the other seeds, and ``diverged``
    stands where there is no other. If any run of the table diverged, ``diverged`` counts
    those of the row, whatever their role, and ``_diverged`` the seeds a mean is without.
    ``lost_training`` counts those of the row that :func:`lost_training` finds, if there are any.

    Where the accuracy of the last epoch counts, that of the best test epoch is beside it, as
    ``best_accuracy``. Where rows have runs for what the paper did not control, their columns stand
    beside AutoGrow's: see :mod:`analysis.tables.beyond` and, for ``regret``,
    :mod:`analysis.tables.frontier`.
    """
    paper = read_paper_numbers(table)
    values = beyond.with_beside(table.values or paper.columns, table.rows)
    frontier = frontier_cells(table.rows, results) if "regret" in values else None
    lost = lost_training(table, results)
    rows = []
    for number, row in enumerate(table.rows):
        theirs = dict.fromkeys(paper.columns, "") | dict(paper.rows.get(row.name, {}))
        by_role = {role: results.summaries(run) for role, run in row.runs.items()}
        seeds = [dict(zip(by_role, s, strict=True)) for s in zip(*by_role.values(), strict=True)]
        cells: dict[str, Any] = {"scale": catalogue.scale, "row": row.name}
        cells |= _settings(row)
        for column in values:
            if column == "regret" and frontier is not None:
                cells |= frontier[number]
            elif column not in beyond.NULL:
                cells |= _value(column, seeds, theirs.get(column), comparable=row.papers_data)
            elif column == "null_depth":
                cells |= beyond.null_cells(row, results)
            if column in ("accuracy", "top1") and results.accuracy == "final":
                cells |= _value("best_accuracy", seeds, None, comparable=False)
        cells["n"] = len(results.seeds)
        cells["diverged"] = sum(map(len, results.diverged(row).values()))
        cells["lost_training"] = lost[row.name]
        if catalogue.scale == "smoke":
            cells["stamp"] = catalogue.settings.description
        rows.append(cells)
    frame = pd.DataFrame(rows)
    if not frame["lost_training"].any():
        frame = frame.drop(columns="lost_training")
    names = list(map(str, frame.columns))
    unsaid = [c for c in names if c.endswith("_difference") and not frame[c].any()]
    if not frame["diverged"].any():
        unsaid += [c for c in names if c.endswith("diverged")]
    return frame.drop(columns=unsaid)


def _settings(row: Row) -> dict[str, Any]:
    """Return the key columns as really used, the paper's beside those a scale may change."""
    cells: dict[str, Any] = {"dataset": row.values["dataset"], "paper_dataset": row.paper_dataset}
    for column, value in row.key.items():
        cells[column] = row.values[column]
        if column in SCALED:
            cells[f"paper_{column}"] = value
    return cells


def _value(
    name: str, seeds: Sequence[Summaries], paper: str | None, *, comparable: bool
) -> dict[str, Any]:
    """Return the cells of a value column.

    ``seeds`` has the summaries by role of each seed. ``paper`` is None if the paper has no such
    column; the difference is taken only if the two are ``comparable``.
    """
    column = COLUMNS[name]
    beside = {} if paper is None else {f"paper_{name}": paper}
    measured = [column.of(summaries) for summaries in seeds]
    if column.decimals is None:
        texts = [DIVERGED if value is None else value for value in measured]
        return {name: "; ".join(texts), **beside}
    series = pd.Series([value for value in measured if value is not None], dtype=float)
    mean = column.text(series.mean())
    if series.empty:
        only_baseline = not any(s["main"].diverged for s in seeds)
        mean = BASELINE_DIVERGED if only_baseline else DIVERGED
    if paper is not None:
        differs = comparable and paper and not name.endswith("_hours")
        difference = series.mean() - float(paper) if differs else math.nan
        beside[f"{name}_difference"] = column.text(difference)
    return {
        name: mean,
        f"{name}_std": column.text(series.std()),
        f"{name}_diverged": measured.count(None),
        **beside,
    }


def seeds_table(table: Table, catalogue: Catalogue, results: Results) -> pd.DataFrame:
    """Return the long form: a line for each row, role and seed.

    Accuracies in percent, those of a run that diverged as far as it came; seconds of wall
    time, FLOPs as multiply-adds; where ``values`` names the columns, each run's values.
    If any run diverged, ``diverged_after`` has the first epoch whose loss was not finite.
    """
    lines = []
    for row in table.rows:
        for role, run in row.runs.items():
            for seed, s in zip(results.seeds, results.summaries(run), strict=True):
                line: dict[str, Any] = {"scale": catalogue.scale, "row": row.name, "role": role}
                line |= {"dataset": row.values["dataset"], "run": run, "seed": seed}
                line |= {k: s[k] for k in ("network", "layers", "parameters", "flops")}
                line |= {k: s[k] for k in ("flops_growing", "flops_finetuning")}
                for key in TEST_ACCURACIES:
                    line[key] = "" if s[key] is None else f"{s[key]:.4f}"
                for key in ("seconds_growing", "seconds_finetuning"):
                    line[key] = f"{s[key]:.1f}"
                line |= {"device": s["device"], "threads": s["threads"]}
                for key in table.values:
                    column = COLUMNS.get(key)
                    if column and column.decimals is not None and column.roles == ("main",):
                        value = column.of({"main": s})
                        line[key] = "" if value is None else column.text(value)
                line["diverged_after"] = s.diverged_after if s.diverged else ""
                if catalogue.scale == "smoke":
                    line["stamp"] = catalogue.settings.description
                lines.append(line)
    frame = pd.DataFrame(lines)
    if (frame["diverged_after"] == "").all():
        return frame.drop(columns="diverged_after")
    return frame


def write_table(table: Table, catalogue: Catalogue, results: Results) -> None:
    """Write the files of a table into the folder ``tables`` of the results."""
    frame = build_table(table, catalogue, results)
    contents = {
        "_seeds.csv": seeds_table(table, catalogue, results).to_csv(index=False),
        ".md": markdown(table, frame, catalogue, results),
        ".tex": latex(table, frame, catalogue, results),
        ".csv": frame.to_csv(index=False),
    }
    folder = results.folder / "tables"
    write_together({folder / f"{table.name}{e}": c.encode() for e, c in contents.items()})


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("table", help="as table5")
    add_results(parser)


def run(options: argparse.Namespace) -> int:
    """Write a table's files; return the exit status."""
    catalogue = from_json(options.rows) if options.rows else load_catalogue(options.scale)
    names = catalogue.table_names
    if options.table not in names:
        raise UserError(f"table: found {shown(options.table)}; allowed: {allowed(names)}")
    results = Results(options.folder, options.seeds, options.accuracy)
    write_table(catalogue.tables[options.table], catalogue, results)
    return 0
