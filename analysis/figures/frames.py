"""The CSV of a figure: read, checked, and cut into panels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.results.csvfiles import check_columns, grid_sides, read_csv, read_numbers
from analysis.results.texts import one_line
from autogrow.errors import UserError, shown

COMMON = ("scale", "description", "panel", "title", "dataset", "paper_dataset", "run")
"""Text columns that the CSV of every figure has; ``seed`` is their number."""

EQUAL_COMPUTE = "equal compute"
"""The ``method`` of nets from scratch for AutoGrow's multiply-adds, in CSVs of Figures 3 and 10."""


def read_frame(file: Path, text: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
    """Return the rows of a figure's CSV, sorted by panel.

    It must have the columns ``text`` and ``numbers`` besides the common ones. An empty number
    is NaN, infinite ones stay. ``diverged_after`` is NaN where the CSV says nothing of it.
    """
    header, lines = read_csv(file)
    check_columns(file, header, [*COMMON, "seed", *text, *numbers])
    frame = pd.DataFrame(lines)
    for column in ("scale", "dataset"):
        if (frame[column] == "").any():
            line = int((frame[column] == "").argmax()) + 2
            raise UserError(f"{file}: line {line}: has no {column}; allowed: one in every line")
    for column in (*COMMON, *text):  # matplotlib sets what is between two $ as a formula
        frame[column] = [one_line(cell).replace("$", r"\$") for cell in frame[column]]
    for column in ("seed", *numbers):
        frame[column] = read_numbers(file, lines, column)
    frame["diverged_after"] = math.nan
    if "diverged_after" in header:
        frame["diverged_after"] = read_numbers(file, lines, "diverged_after")
    return frame.sort_values("panel", kind="stable", ignore_index=True)


def read_grids(file: Path, text: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
    """Return what :func:`read_frame` does of a CSV that has a whole grid in each panel."""
    frame = read_frame(file, text, numbers)
    for (panel, _), rows in frame.groupby(["panel", "seed"], dropna=False):
        if grid_sides(zip(rows["x"], rows["y"], strict=True)) is None:
            raise UserError(
                f"{file}: panel {shown(panel)} has {len(rows)} points; allowed: all of a grid, once"
            )
    return frame


def finite(frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Return for each row whether its numbers in these columns are all finite."""
    return np.isfinite(frame[list(columns)].to_numpy(float)).all(axis=1)


def panels(frame: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield letter, heading (``(a) Basic3ResNet, K = 3``) and rows of each panel."""
    for letter, rows in frame.groupby(frame["panel"].astype(str), sort=True):
        letter = str(letter)
        title = rows["title"].iloc[0]
        yield letter, f"({letter}) {title}" if letter else title, rows


def one_seed(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the rows of each panel's lowest seed, and a note that says which those are."""
    lowest = frame.groupby("panel")["seed"].transform("min")
    shown = frame[frame["seed"] == lowest]
    note = f"Seed {_listed(shown['seed'])}"
    if frame["seed"].nunique() > shown["seed"].nunique():
        note += f" of {_listed(frame['seed'])}"
    return shown, f"{note}."


def over_seeds(frame: pd.DataFrame) -> str:
    """Return a note that says which seeds a mean is over."""
    seeds = _listed(frame["seed"])
    if frame["seed"].nunique() == 1:
        return f"Seed {seeds}."
    return f"Mean and standard deviation over seeds {seeds}."


def same_runs(frame: pd.DataFrame) -> list[str]:
    """Return a note that says which panels show the same run; none if each has its own."""
    first = frame.drop_duplicates("panel")
    letters = [list(panel) for _, panel in first.groupby("run", sort=False)["panel"]]
    same = [f"{', '.join(several[:-1])} and {several[-1]}" for several in letters if several[1:]]
    return [f"Panels that show the same run: {'; '.join(same)}."] if same else []


def divergence(rows: pd.DataFrame) -> str:
    """Return in which epoch the run of these rows diverged, in words; else nothing."""
    after = rows["diverged_after"].iloc[0]
    return f"diverged in epoch {after:g}" if after == after else ""


def conditions(frame: pd.DataFrame) -> str:
    """Return the scale and the data sets really used, in a sentence each."""
    scales = frame[["scale", "description"]].drop_duplicates()
    sentences = [f"Scale {scale}: {text}." for scale, text in scales.itertuples(index=False)]
    by_panel: dict[str, list[str]] = {}
    for letter, _, rows in panels(frame):
        for used, paper in rows[["dataset", "paper_dataset"]].drop_duplicates().to_numpy():
            text = used if used == paper else f"{used} (the paper's: {paper})"
            by_panel.setdefault(text, []).append(letter)
    parts = [f"({', '.join(letters)}) {text}" for text, letters in by_panel.items()]
    sentences.append(f"Data: {'; '.join(parts if len(parts) > 1 else by_panel)}.")
    return " ".join(sentences)


def stamp(frame: pd.DataFrame) -> str:
    """Return what must be seen first: that a smoke test has no meaning; else nothing."""
    smoke = frame.loc[frame["scale"] == "smoke", "description"]
    return "" if smoke.empty else smoke.iloc[0]


def _listed(seeds: pd.Series) -> str:
    return ", ".join(f"{seed:g}" for seed in sorted(seeds.unique()))


Grid = tuple[np.ndarray, np.ndarray, np.ndarray]
"""x (m,), y (n,) and the values at them (n, m)."""


def grid(rows: pd.DataFrame, column: str) -> Grid:
    """Return a column of long-form rows on the grid of their x and y.

    NaN stands where the rows lack a point; all three are empty if there are no rows.
    """
    table = rows.pivot_table(index="y", columns="x", values=column, dropna=False)
    return table.columns.to_numpy(float), table.index.to_numpy(float), table.to_numpy(float)
