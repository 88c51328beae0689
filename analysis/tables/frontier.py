"""The depth frontier: fixed depths around the found one, and AutoGrow's regret."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from analysis.experiments.rows import Row
from analysis.results.summaries import Results

MARGIN = 0.5
"""Percentage points below the best fixed depth that do not matter."""

WAYS = {"": "main", "equal_compute_": "equal_compute"}
"""How fixed depths are trained: what begins the columns' names, and the role of the runs."""

PER_WAY = (
    *("within_margin", "best_depth", "smallest_depth"),
    *("regret", "regret_low", "regret_high"),
)


def frontier_cells(rows: Sequence[Row], results: Results) -> list[dict[str, str]]:
    """Return the cells of :data:`PER_WAY`, for each of :data:`WAYS`, of each row of a table.

    Rows with a depth are the fixed ones. Of those, ``within_margin`` is ``yes`` where the mean
    accuracy is at most :data:`MARGIN` below that of the best. Of the others, AutoGrow's,
    ``regret`` is the accuracy of the best fixed depth minus AutoGrow's, mean over the seeds, with
    its 95 % interval (paired Student's t; empty with one seed), and ``smallest_depth`` the
    shallowest within the margin. Rows are compared with those of their network and data set. There
    are no columns of a way in which no fixed depth was trained.
    """
    ways = {way: r for way, r in WAYS.items() if any(_fixed(row) and r in row.runs for row in rows)}
    columns = [f"{way}{column}" for way in ways for column in PER_WAY]
    cells = [dict.fromkeys(columns, "") for _ in rows]
    for way, role in ways.items():
        for row, own in zip(rows, cells, strict=True):
            peers = [r for r in rows if _fixed(r) and role in r.runs and _task(r) == _task(row)]
            if not peers:
                continue
            scores = pd.DataFrame({r.values["depth"]: _scores(r, role, results) for r in peers})
            means = scores.mean()
            near = [depth for depth in means.index if means[depth] >= means.max() - MARGIN]
            if _fixed(row):
                own[f"{way}within_margin"] = "yes" if row.values["depth"] in near else ""
            elif near:
                best = str(means.idxmax())
                regret = scores[best] - _scores(row, "main", results)
                low, mean, high = interval(regret)
                own[f"{way}best_depth"] = best
                own[f"{way}smallest_depth"] = min(near, key=_sub_modules)
                own |= {f"{way}regret": mean, f"{way}regret_low": low, f"{way}regret_high": high}
    return cells


def interval(values: pd.Series[float]) -> tuple[str, str, str]:
    """Return the lower end of a mean's 95 % interval (Student's t), the mean, the upper end.

    Seeds without a value are left out; with fewer than two there are no ends.
    """
    values = values.dropna()
    n = len(values)
    if n == 0:
        return "", "", ""
    half = math.nan
    if n > 1:
        from scipy.stats import t

        half = float(t.ppf(0.975, n - 1)) * values.std() / math.sqrt(n)
    mean = values.mean()
    ends = ("" if math.isnan(half) else f"{end:.2f}" for end in (mean - half, mean + half))
    low, high = ends
    return low, f"{mean:.2f}", high


def _fixed(row: Row) -> bool:
    return row.key.get("depth", "") != ""


def _task(row: Row) -> tuple[str, str]:
    return row.values["dataset"], row.key.get("network", "")


def _scores(row: Row, role: str, results: Results) -> pd.Series[float]:
    accuracies = [summary["accuracy"] for summary in results.summaries(row.runs[role])]
    return pd.Series(accuracies, index=list(results.seeds), dtype=float)


def _sub_modules(depth: object) -> int:
    return sum(map(int, str(depth).split("-")))
