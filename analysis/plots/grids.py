"""Values on a grid of points, as matplotlib takes them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

Grid = tuple[np.ndarray, np.ndarray, np.ndarray]
"""x (m,), y (n,) and the values at them (n, m)."""


def grid(rows: pd.DataFrame, column: str) -> Grid:
    """Return a column of long-form rows on the grid of their x and y.

    Returns
    -------
    x, y, values
        NaN where the rows lack a point. All empty if there are no rows.
    """
    table = rows.pivot_table(index="y", columns="x", values=column, dropna=False)
    return table.columns.to_numpy(float), table.index.to_numpy(float), table.to_numpy(float)


def levels(losses: np.ndarray, wanted: int = 9) -> np.ndarray:
    """Return levels with a constant ratio inside the range of the losses that are finite.

    Empty if no two losses that are finite and above 0 differ.
    """
    usable = losses[np.isfinite(losses) & (losses > 0)]
    if not usable.size or usable.min() == usable.max():
        return np.empty(0)
    low, high = math.log10(usable.min()), math.log10(usable.max())
    return np.logspace(low, high, wanted + 2)[1:-1]
