"""The value columns of the tables: what each takes from the runs of a row, for one seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.results.summaries import CountedSummary

Summaries = Mapping[str, CountedSummary]
"""The summaries of one seed's runs of a row, by their role in it."""


@dataclass(frozen=True)
class Column:
    """A value column.

    Attributes
    ----------
    value
        Its value for one seed, NaN where the run has none.
    decimals
        Of a number; None: it is text.
    roles
        The runs that it needs.
    outlives
        What of a diverged run still gives a value: nothing, the growth (``growth``: if that was
        done before), or everything (``any``).
    """

    value: Callable[[Summaries], Any]
    decimals: int | None = 2
    roles: tuple[str, ...] = ("main",)
    outlives: str = ""

    def of(self, summaries: Summaries) -> Any:
        """Return one seed's value; None if the runs that it needs diverged."""
        if self.outlives == "growth":
            lost = summaries["main"].diverged_growing
        else:
            needed = [summaries[role] for role in self.roles if role in summaries]
            lost = self.outlives != "any" and any(run.diverged for run in needed)
        if lost:
            return None
        return self.value(summaries) if set(self.roles) <= set(summaries) else math.nan

    def text(self, number: float) -> str:
        """Return a number as the tables have it; NaN is empty."""
        return "" if pd.isna(number) else f"{number:.{self.decimals}f}"


def _main(key: str, decimals: int | None = 2, outlives: str = "") -> Column:
    """Return the column of a summary's field."""
    return Column(lambda runs: runs["main"][key], decimals, outlives=outlives)


def _minus(key: str, role: str) -> Column:
    """Return the column of what AutoGrow or a morphed net has more than another run."""
    return Column(lambda runs: runs["main"][key] - runs[role][key], roles=("main", role))


def _hours(phase: str) -> Column:
    return Column(lambda runs: runs["main"][f"seconds_{phase}"] / 3600, decimals=4)


def _spent(key: str) -> Column:
    """Return the column of what training has computed, in 10^9 multiply-adds."""
    return Column(lambda runs: runs["main"][key] / 1e9, decimals=3)


def _gain(role: str) -> Column:
    """Return the column of how many points more the best test epoch has than the last one."""
    return Column(
        lambda runs: runs[role]["best_test_accuracy"] - runs[role]["final_accuracy"], roles=(role,)
    )


def _adaminit(value: Callable[[pd.Series], float]) -> Column:
    """Return the column of something of the epochs of all AdamInits of a run."""
    return Column(
        lambda runs: value(pd.Series([u.epochs for u in runs["main"]["adaminit"]], dtype=float)),
        decimals=1,
    )


def _delta_equal_compute(runs: Summaries) -> float:
    main, other = runs["main"], runs["equal_compute"]
    # Beside a baseline of the frontier it is the same depth with another number of epochs.
    return main["accuracy"] - other["accuracy"] if main.kind == "autogrow" else math.nan


def _growing_ratio(runs: Summaries) -> float:
    main = runs["main"]
    ratio: float = main["seconds_growing"] / (main["seconds_finetuning"] or math.nan)
    return ratio


def _hardware(runs: Summaries) -> str:
    main = runs["main"]
    return f"{main['processes']} x {main['device']}, {main['threads']} threads"


COLUMNS: dict[str, Column] = {
    "found_net": _main("depth", None, "growth"),
    "depth": _main("depth", None, "growth"),
    "layers": _main("layers", 1, "growth"),
    "accuracy": _main("accuracy"),
    "top1": _main("accuracy"),
    "top5": _main("top5"),
    "delta": _minus("accuracy", "scratch"),
    "delta_top1": _minus("accuracy", "scratch"),
    "best_accuracy": _main("best_test_accuracy"),
    "final_accuracy": _main("final_accuracy"),
    "best_test_accuracy": _main("best_test_accuracy"),
    "gpus": Column(_hardware, None, outlives="any"),
    "growing_hours": _hours("growing"),
    "finetuning_hours": _hours("finetuning"),
    "growing_ratio": Column(_growing_ratio),
    "spent": _spent("flops_training"),
    "spent_growing": _spent("flops_growing"),
    "spent_finetuning": _spent("flops_finetuning"),
    "adaminit_uses": _adaminit(len),
    "adaminit_median": _adaminit(pd.Series.median),
    "adaminit_below_3": _adaminit(lambda epochs: 100 * epochs.lt(3).mean()),
    "equal_compute_accuracy": Column(
        lambda runs: runs["equal_compute"]["accuracy"], roles=("equal_compute",)
    ),
    "delta_equal_compute": Column(_delta_equal_compute, roles=("main", "equal_compute")),
    "selection_gain": _gain("main"),
    "baseline_selection_gain": _gain("scratch"),
    "delta_final": _minus("final_accuracy", "scratch"),
    "delta_best_test": _minus("best_test_accuracy", "scratch"),
}
"""Every value column but those of the schedule null and of the frontier's regret."""


def roles_of(column: str) -> tuple[str, ...]:
    """Return the roles of the runs that a column is made from; the first is what it tells of."""
    if column == "null_depth":
        return ("never_grown",)
    if column == "depth_minus_null":
        return ("main", "never_grown")
    return COLUMNS[column].roles if column in COLUMNS else ("main",)
