"""A table to read: Markdown, and LaTeX (booktabs) as a paper prints it."""

from __future__ import annotations

import re
from typing import get_args

import pandas as pd

from analysis.experiments.catalogue import Catalogue, Table
from analysis.experiments.table_entries import OwnValue
from analysis.results.summaries import Results
from analysis.results.texts import latex_text, markdown_text
from analysis.tables.lost_training import MARGIN

_HEADINGS = {
    "found_net": "found net",
    "accuracy": r"accu \%",
    "best_accuracy": r"best epoch \%",
    "delta": r"$\Delta$",
    "delta_top1": r"$\Delta$ Top-1",
    "top1": "Top-1",
    "top5": "Top-5",
    "K": "$K$",
    "seed_net": "seed net",
    "learning_rate": "learning rate",
    "fraction": "dataset size",
    "growing_hours": "growing (h)",
    "finetuning_hours": "fine-tuning (h)",
    "growing_ratio": "growing / fine-tuning",
    "spent": "spent ($10^9$)",
    "spent_growing": "growing ($10^9$)",
    "spent_finetuning": "fine-tuning ($10^9$)",
    "adaminit_uses": "AdamInits",
    "adaminit_median": "median epochs",
    "adaminit_below_3": r"below 3 epochs (\%)",
    "gpus": "hardware",
    "layers": r"layer \#",
    "null_depth": "null",
    "depth_minus_null": "found $-$ null",
    "equal_compute_accuracy": r"equal compute accu \%",
    "delta_equal_compute": r"$\Delta$ equal compute",
}

_NOTES = {
    "null_depth": "The null depth is what the schedule alone reports, on the curve of the seed "
    "network that never grows (>=: it had not stopped there); the found depth minus the null "
    "counts sub-modules.",
    "spent": "Spent: all multiply-adds of training in 10^9, those of twins in growing.",
    "equal_compute_accuracy": "Equal compute: the network from scratch, trained for as many "
    "multiply-adds as the run that grows.",
    "selection_gain": "The selection gain is what choosing the best test epoch adds to the last.",
    "regret": "The regret is the accuracy of the best fixed depth minus that of the row.",
}
"""Sentences on columns that the paper has not."""


def markdown(table: Table, frame: pd.DataFrame, catalogue: Catalogue, results: Results) -> str:
    """Return the table in Markdown, without its empty columns."""
    stamp = f"**{markdown_text(_stamp(catalogue))}**\n\n" if _stamp(catalogue) else ""
    shown = frame.drop(columns=["scale", "row", "stamp"], errors="ignore")
    for counts in [c for c in shown.columns if c.endswith("_diverged")]:
        column = counts.removesuffix("_diverged")
        shown[column] = [f"{row[column]}{_left_out(row, column)}" for _, row in frame.iterrows()]
        shown = shown.drop(columns=counts)
    notes = " ".join(map(markdown_text, sentences(table, frame, catalogue, results)))
    shown = shown.loc[:, (shown != "").any()].map(markdown_text).rename(columns=markdown_text)
    return (
        f"# {_number(table)}{markdown_text(table.title)}\n\n{stamp}"
        f"Columns without `paper_` are what was really used and measured; `paper_` columns are the "
        f"paper's, on its own data. {notes}\n\n"
        f"{shown.to_markdown(index=False, disable_numparse=True)}\n"
    )


def sentences(
    table: Table, frame: pd.DataFrame, catalogue: Catalogue, results: Results
) -> list[str]:
    """Return what a reader of the table must know, as plain text."""
    return [
        _conditions(table, catalogue, results),
        *_paper(table, frame),
        *_divergence(frame),
        *(text for column, text in _NOTES.items() if column in frame.columns),
    ]


def latex(table: Table, frame: pd.DataFrame, catalogue: Catalogue, results: Results) -> str:
    r"""Return the table in LaTeX: settings and values, mean and standard deviation in one cell.

    Needs ``\usepackage{booktabs}``.
    """
    hidden = ("scale", "row", "stamp", "n", "diverged", "lost_training")
    beside = re.compile(r"paper_.*|.*_(std|difference|diverged)")
    columns = [c for c in frame.columns if c not in hidden and not beside.fullmatch(c)]
    rows = [row for _, row in frame.iterrows()]
    cells = {_HEADINGS.get(c, latex_text(c)): [_cell(row, c) for row in rows] for c in columns}
    stamp = f"\\textbf{{{latex_text(_stamp(catalogue))}.}} " if _stamp(catalogue) else ""
    conditions = " ".join([_conditions(table, catalogue, results), *_divergence(frame)])
    shown = pd.DataFrame(cells).style.hide(axis="index")
    text: str = shown.to_latex(
        column_format="l" * len(columns),
        position_float="centering",
        hrules=True,
        label=f"tab:autogrow-{table.name.removeprefix('table').replace('_', '-')}",
        caption=f"{latex_text(table.title)}. {stamp}{latex_text(conditions)}",
    )
    return text


def _cell(row: pd.Series, column: str) -> str:
    text = latex_text(row[column])
    std = row.get(f"{column}_std", "")
    number = f"${text} \\pm {std}$" if text and std else text
    return f"{number}{_left_out(row, column)}"


def _left_out(row: pd.Series, column: str) -> str:
    """Tell how many seeds a mean is without; a cell without any number says so itself."""
    count = row.get(f"{column}_diverged", 0)
    return f" ({count} of {row['n']} diverged)" if 0 < count < row["n"] else ""


_DIVERGED = (
    "Runs whose loss was not finite diverged: they have no accuracy, and means are over the others."
)

_LOST_TRAINING = (
    f"Runs lost their training, with a last training accuracy more than {MARGIN:g} points below "
    "the median of the table's runs on the same data set,"
)


def _divergence(frame: pd.DataFrame) -> list[str]:
    notes = []
    if "diverged" in frame.columns:
        notes.append(_DIVERGED)
    if "lost_training" in frame.columns:
        rows = ", ".join(frame.loc[frame["lost_training"] > 0, "row"])
        notes.append(f"{_LOST_TRAINING} in the rows {rows}.")
    return notes


def _paper(table: Table, frame: pd.DataFrame) -> list[str]:
    """Tell what the paper's numbers are beside ours, and which rows it does not have."""
    key = table.rows[0].key
    columns = [c for c in frame.columns if c.removeprefix("paper_") in get_args(OwnValue)]
    columns = [c for c in columns if c.startswith("paper_") and c.removeprefix("paper_") not in key]
    if not columns:
        return ["The paper has no such table."]
    notes = []
    if any(c.endswith("_difference") for c in frame.columns):
        notes.append("A difference is ours minus the paper's, where both are of the same data.")
    elif not all(row.papers_data for row in table.rows):
        notes.append("No column subtracts the two: they are of different data.")
    without = frame.loc[(frame[columns] == "").all(axis=1), "row"]
    if not without.empty:
        notes.append(f"The paper does not have {', '.join(without)}.")
    return notes


def _conditions(table: Table, catalogue: Catalogue, results: Results) -> str:
    conditions = (
        f"Scale {catalogue.scale} ({catalogue.settings.description}), "
        f"seeds {', '.join(map(str, results.seeds))}, {results.accuracy} accuracy in percent."
    )
    if table.left_out:
        conditions += f" Rows of {', '.join(table.left_out)} are left out: the data was not there."
    return conditions


def _stamp(catalogue: Catalogue) -> str:
    return catalogue.settings.description if catalogue.scale == "smoke" else ""


def _number(table: Table) -> str:
    number = table.name.removeprefix("table")
    return f"Table {number}: " if number.isdigit() else ""
