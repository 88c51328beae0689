"""Reads claims.csv back: the verdicts that another job, or another campaign, has written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from analysis.claims.judging import VERDICTS
from analysis.claims.reports import HEADER
from analysis.results.csvfiles import check_columns, read_csv, read_numbers
from autogrow.errors import UserError, allowed, shown


@dataclass(frozen=True)
class Verdict:
    """A line of claims.csv: a claim on one basis.

    Numbers are NaN and texts empty where there is none. A p value has its value after Holm's
    correction in brackets. ``checksum`` is that of the claims.
    """

    claim: str
    basis: str
    decides: bool
    verdict: str
    reason: str
    effect: float
    unit: str
    low: float
    high: float
    p_support: str
    p_contradict: str
    seeds: str
    pairs: str
    missing: str
    seeds_needed: str
    runs: tuple[str, ...]
    checksum: str


def read_verdicts(file: Path) -> list[Verdict]:
    """Return the lines of a claims.csv.

    Raises
    ------
    UserError
        Naming the file and what is wrong: no CSV, other columns, an unknown verdict, no number.
    """
    header, lines = read_csv(file)
    check_columns(file, header, HEADER)
    numbers = {column: read_numbers(file, lines, column) for column in ("effect", "low", "high")}
    found = []
    for k, line in enumerate(lines):
        if line["verdict"] not in VERDICTS:
            raise UserError(
                f"{file}: line {k + 2}: verdict: found {shown(line['verdict'])}; "
                f"allowed: {allowed(VERDICTS)}"
            )
        found.append(
            Verdict(
                claim=line["id"],
                basis=line["basis"],
                decides=line["decides"] == "yes",
                verdict=line["verdict"],
                reason=line["reason"],
                effect=numbers["effect"][k],
                unit=line["unit"],
                low=numbers["low"][k],
                high=numbers["high"][k],
                p_support=_with(line["p_support"], line["adjusted_p_support"]),
                p_contradict=_with(line["p_contradict"], line["adjusted_p_contradict"]),
                seeds=line["n_seeds"],
                pairs=line["n_pairs"],
                missing=line["missing"],
                seeds_needed=line["seeds_needed"],
                runs=tuple(run for run in line["runs"].split("; ") if run),
                checksum=line["claims_sha256"],
            )
        )
    return found


def _with(raw: str, adjusted: str) -> str:
    return f"{raw} ({adjusted})" if raw else ""
