"""The kinds of tests that a claim can name, each with the parameters that it needs.

docs/claims.md says what each of them computes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Basis = Literal["paper", "protocol", "equal_compute", "depth_minus_null"]
"""On which comparison a claim is judged; docs/claims.md explains each."""

_OfTables = Literal[
    "accuracy",
    "delta",
    "top1",
    "delta_top1",
    "found_net",
    "growing_ratio",
    "adaminit_median",
    "depth_minus_null",
    "equal_compute_accuracy",
    "delta_equal_compute",
]
_OfRuns = Literal[
    "seconds_growing",
    "flops_growing",
    "flops_finetuning",
    "flops_training",
    "parameters",
    "flops",
]
"""What the summary of a run says, as it is in it."""
_Measured = Literal[
    "adaminit_change",
    "recovery",
    "growing_minus_finetuning",
    "tradeoff_gain",
    "sharpest_turn",
    "path_over_displacement",
    "final_train_loss",
    "roughness",
    "low_loss_share",
    "centre_loss",
]
"""What is measured on a curve, a trajectory or a surface; docs/claims.md defines each."""
Column = Literal[_OfTables, _OfRuns, _Measured]
Word = Annotated[str, BeforeValidator(lambda v: str(v) if isinstance(v, int) else v)]
_MARGIN = Field(description="the name of a margin")
_SIDE = Field(description="table, rows and column")


_Words = Annotated[
    list[Word],
    BeforeValidator(lambda v: v if isinstance(v, list) else [v]),
    Field(min_length=1),
]
_Columns = Annotated[
    Mapping[Basis, Column],
    BeforeValidator(lambda v: v if isinstance(v, dict) else dict.fromkeys(get_args(Basis), v)),
]


class Strict(BaseModel):
    """A part of config/claims.yaml: no unknown key, no value of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Series(Strict):
    """One side of a comparison: a column of some rows of a table.

    Attributes
    ----------
    table
        Its name, as ``table5`` or ``figure3``.
    rows
        Key columns and the paper's values in them; all rows if empty.
    column
        The column, or one for each basis.
    """

    table: str = Field(description="the name of a table or figure")
    rows: Mapping[str, _Words] = {}
    column: _Columns = Field(description="a column, or one for each basis")


class _Test(Strict):
    """What all kinds share: where the values come from."""

    measure: Series = _SIDE

    @property
    def series(self) -> dict[str, Series]:
        """Every side of the test by its key."""
        fields = {key: getattr(self, key) for key in type(self).model_fields}
        return {key: value for key, value in fields.items() if isinstance(value, Series)}


class _Paired(_Test):
    """A difference or ratio: a column that is one, or two sides paired by seed.

    Each side has one value for every seed and combination of values in ``paired_by``: the mean
    over its rows that share them.
    """

    against: Series | None = None
    paired_by: list[str] = []


class Superiority(_Paired):
    """At least as good as (``not inferior``), or better than (``superior``).

    ``noninferiority`` is a paired t test over the seeds, of the mean over all pairs;
    ``sign flip`` pools pairs and seeds.
    """

    kind: Literal["noninferiority", "sign flip"]
    direction: Literal["above", "below"]
    shows: Literal["superior", "not inferior"]
    margin: str = _MARGIN


class Equivalence(_Paired):
    """Two one-sided paired t tests (TOST) over the seeds, of the mean over all pairs."""

    kind: Literal["equivalence"]
    shows: Literal["alike", "different"]
    margin: str = _MARGIN


class CostRatio(_Paired):
    """The t interval of the log ratio; a column that is a ratio has no other side."""

    kind: Literal["cost ratio"]
    low: float | None = Field(None, gt=0)
    high: float = Field(gt=0, description="a ratio above 0")


class Count(_Paired):
    """The exact binomial interval of the share of runs whose value is above or below a limit."""

    kind: Literal["count"]
    direction: Literal["above", "below"]
    limit: float = Field(description="a number")
    share: float = Field(gt=0, lt=1, description="between 0 and 1")


class Trend(_Test):
    """Page's exact trend test: each seed of each group of rows orders the settings."""

    kind: Literal["trend"]
    over: str = Field(description="a key column")
    order: list[Word] = Field(min_length=3, description="three or more of its values")
    direction: Literal["rising", "falling"]


class Plateau(_Test):
    """TOST between neighbours in the order."""

    kind: Literal["plateau"]
    over: str = Field(description="a key column")
    order: list[Word] = Field(min_length=2, description="two or more of its values")
    margin: str = _MARGIN


class FixedSettings(_Test):
    """Dunnett's test of one setting against each of several, and the one's regret.

    ``side`` keeps those of the others that are shallower or deeper than the net of ``measure``.
    """

    kind: Literal["fixed settings"]
    others: Series = _SIDE
    paired_by: list[str] = []
    side: Literal["all", "shallower", "deeper"] = "all"
    shows: Literal["superior", "not inferior"]
    margin: str = _MARGIN


Test = Annotated[
    Superiority | Equivalence | CostRatio | Count | Trend | Plateau | FixedSettings,
    Field(discriminator="kind"),
]
