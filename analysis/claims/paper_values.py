"""The values that a claim rests on, from the numbers that the paper prints: one run each.

A run has the same number wherever a table or figure shows it. Baselines of several depths are
those of the manual search that the released code lists: the paper prints none of its Figure 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from analysis.claims.claims import Claim, selected
from analysis.claims.kinds import Basis, Series
from analysis.claims.values import NONE, Value
from analysis.experiments.catalogue import Catalogue
from analysis.experiments.rows import Row
from analysis.results.published import MANUAL, manual_search
from analysis.tables.paper_numbers import read_paper_numbers

_GROWN = Series.model_validate(
    {"table": "figure3", "rows": {"method": "AutoGrow", "K": 3}, "column": "accuracy"}
)
_DEPTHS = ("found_net", "depth")
_ACCURACIES = ("accuracy", "top1")
_DELTAS = ("delta", "delta_top1")


class PapersNumbers:
    """The numbers in ``results/paper``."""

    papers = True

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.seeds = (0,)
        self._numbers = _numbers_by_run(catalogue)

    def bases(self, claim: Claim) -> Sequence[Basis]:
        """Return the one basis there is: the paper compares in its own way alone."""
        return ("paper",)

    def values(self, series: Series, basis: Basis) -> list[Value]:
        """Return a value for each row of a side."""
        rows = selected(series, self.catalogue)
        if series.rows.get("method") == ["baseline"] and any(row.key.get("depth") for row in rows):
            return _manual_search({row.key["network"] for row in rows})
        return [self._value(row, series.column[basis]) for row in rows]

    def remarks(self) -> list[str]:
        """Return how the found net stands beside the manual search, for each network of it."""
        lines = []
        grown_nets = self.values(_GROWN, "paper")
        baselines = _manual_search({dict(value.key)["network"] for value in grown_nets})
        for grown in grown_nets:
            [network] = grown.of(["network"])
            shallower = [
                value
                for value in baselines
                if value.of(["network"]) == (network,) and value.sub_modules < grown.sub_modules
            ]
            if shallower:
                best = max(shallower, key=lambda value: value.number)
                lines.append(
                    f"{best.row} from scratch {best.number:.2f} % (released code), AutoGrow's net "
                    f"of {grown.sub_modules:g} sub-modules {grown.number:.2f} %"
                )
        return lines

    def _value(self, row: Row, column: str) -> Value:
        run = row.runs["main"]
        known = self._numbers.get(run, {})
        number = known.get(column, math.nan)
        missing = NONE if math.isnan(number) else ""
        depth = known.get("found_net", math.nan)
        return Value(row.name, tuple(row.key.items()), 0, (run,), number, missing, depth)


def _numbers_by_run(catalogue: Catalogue) -> Mapping[str, dict[str, float]]:
    """Return what the paper prints of each run, by the columns of claims."""
    found: dict[str, dict[str, float]] = {}
    for name in catalogue.table_names:
        table = catalogue.tables[name]
        printed = read_paper_numbers(table).rows
        for row in table.rows:
            numbers = found.setdefault(row.runs["main"], {})
            for column, text in printed.get(row.name, {}).items():
                if text and column in _DEPTHS:
                    numbers["found_net"] = float(sum(map(int, text.split("-"))))
                elif text and column in (*_ACCURACIES, *_DELTAS, "growing_ratio"):
                    numbers[column] = float(text)
    return found


def _manual_search(networks: set[str]) -> list[Value]:
    """Return the accuracies of networks from scratch that the released code lists."""
    values = []
    for _, line in manual_search().iterrows():
        if line["network"] in networks:
            key = {"network": line["network"], "method": "baseline", "depth": line["depth"]}
            name = f"{line['network']}-{line['depth']}"
            depth = float(sum(map(int, line["depth"].split("-"))))
            values.append(
                Value(
                    name, tuple(key.items()), 0, (f"{MANUAL}: {name}",), line["accuracy"], "", depth
                )
            )
    return values
