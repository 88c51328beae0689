"""config/claims.yaml as typed claims, checked against the tables that they name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from analysis.claims.kinds import Basis, Series, Strict, Test
from analysis.experiments.catalogue import Catalogue
from analysis.experiments.rows import Row
from analysis.experiments.scales import CONFIG
from autogrow.config.pydantic_errors import validated
from autogrow.errors import UserError, allowed, shown
from autogrow.files.yaml import read_yaml

CLAIMS = CONFIG / "claims.yaml"

Need = Literal[
    "CIFAR10",
    "CIFAR100",
    "SVHN",
    "FashionMNIST",
    "MNIST",
    "ImageNet",
    "depth frontier",
    "landscapes of several seeds",
]
"""What a scale must have for a claim to be testable there; docs/claims.md explains each."""


class Margin(Strict):
    """The smallest difference that matters, and why it is this one."""

    value: float = Field(gt=0, description="a number above 0")
    unit: str = Field(min_length=1, description="a text")
    why: str = Field(min_length=1, description="a text")

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}"


class Claim(Strict):
    """One claim, of the paper or of this suite.

    Attributes
    ----------
    claim
        One sentence.
    place
        Where the paper says it, or where this suite tests what it says itself.
    bases
        On which comparisons it is judged, all of them shown; ``decides`` is the one that counts.
    needs
        Without which it is not testable at a scale.
    """

    claim: str = Field(min_length=1, description="a sentence")
    place: str = Field(min_length=1, description="where it is said")
    bases: list[Basis] = Field(min_length=1, description="at least one basis")
    decides: Basis = Field(description="one of `bases`")
    needs: tuple[Need, ...] = Field((), strict=False)
    test: Test = Field(description="a kind of test and its parameters")

    @model_validator(mode="after")
    def _same_bases(self) -> Self:
        if self.decides not in self.bases:
            raise UserError(
                f"decides: found {shown(self.decides)}; allowed: {allowed(self.bases)}, as `bases`"
            )
        for key, series in self.test.series.items():
            for basis in self.bases:
                if basis not in series.column:
                    raise UserError(f"test.{key}.column: has none for {basis}; allowed: one")
        return self


class ClaimsFile(Strict):
    """config/claims.yaml; each key is explained in config/README.md."""

    alpha: float = Field(gt=0, lt=0.5, description="a probability below 0.5")
    margins: Mapping[str, Margin]
    claims: Mapping[Annotated[str, Field(pattern="^[CS][0-9]{2}[a-z]?$")], dict[str, object]]


class Claims(Strict):
    """All claims by id, the margins that they name, and the level of their tests."""

    alpha: float
    margins: Mapping[str, Margin]
    claims: Mapping[str, Claim]

    @property
    def tables(self) -> list[str]:
        """The tables and figures that any claim rests on, each once."""
        tests = (claim.test for claim in self.claims.values())
        return list(dict.fromkeys(s.table for test in tests for s in test.series.values()))


def is_papers(name: str) -> bool:
    """Return whether a claim is the paper's (``C07``), and not one of this suite (``S07``)."""
    return name.startswith("C")


def load_claims(catalogue: Catalogue, file: Path = CLAIMS) -> Claims:
    """Return the claims of a file; ``catalogue`` has the tables that they may name.

    Raises
    ------
    UserError
        Naming file, claim and key of what is malformed, or of a table, row or column of a key
        that the catalogue has not.
    """
    content = validated(ClaimsFile, read_yaml(file), str(file))
    claims = {}
    for name, entry in content.claims.items():
        where = f"{file}: {name}"
        claim = claims[name] = validated(Claim, entry, where)
        margin = getattr(claim.test, "margin", None)
        if margin is not None and margin not in content.margins:
            raise UserError(
                f"{where}: test.margin: found {shown(margin)}; allowed: {allowed(content.margins)}"
            )
        _check_rows(claim, catalogue, where)
    return Claims(alpha=content.alpha, margins=content.margins, claims=claims)


def selected(series: Series, catalogue: Catalogue) -> list[Row]:
    """Return the rows that a side rests on; none of a table that a scale has not."""
    table = catalogue.tables.get(series.table)
    rows = table.rows if table else ()
    return [r for r in rows if all(r.key.get(c) in values for c, values in series.rows.items())]


def _check_rows(claim: Claim, catalogue: Catalogue, where: str) -> None:
    """Refuse a table, key column or value of one that the catalogue does not have."""
    paired_by = getattr(claim.test, "paired_by", [])
    over = getattr(claim.test, "over", None)
    if paired_by and len(claim.test.series) < 2:
        raise UserError(f"{where}: test.paired_by: allowed: with two sides")
    groups = []
    for key, series in claim.test.series.items():
        _one_of(series.table, catalogue.tables, f"{where}: test.{key}.table")
        rows = catalogue.tables[series.table].rows
        for column, values in series.rows.items():
            here = f"{where}: test.{key}.rows.{column}"
            known = dict.fromkeys(row.key[column] for row in rows if column in row.key)
            if not known:
                raise UserError(f"{here}: {series.table} has no such column")
            for value in values:
                _one_of(value, known, here)
        found = [row.key for row in selected(series, catalogue)]
        if not found:
            raise UserError(f"{where}: test.{key}.rows: {series.table} has no row with all of them")
        for column in (*paired_by, *([over] if over else [])):
            if not all(column in row for row in found):
                raise UserError(f"{where}: test: {series.table} has no column {shown(column)}")
        if over:
            for value in claim.test.order:  # type: ignore[union-attr]
                _one_of(value, {row[over] for row in found}, f"{where}: test.order")
        groups.append({tuple(row[column] for column in paired_by) for row in found})
    if any(group != groups[0] for group in groups):
        raise UserError(f"{where}: test.paired_by: the two sides have other values there")


def _one_of(value: str, known: Iterable[str], where: str) -> None:
    if value not in known:
        raise UserError(f"{where}: found {shown(value)}; allowed: {allowed(known)}")
