"""config/scales/*.yaml as typed settings: how a scale makes the paper's runs smaller."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from autogrow.config.pydantic_errors import validated
from autogrow.data.locating import LAYOUTS
from autogrow.errors import UserError, allowed, shown
from autogrow.files.yaml import read_yaml

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config"

Scale = Literal["smoke", "mini", "reduced", "paper"]
SCALES = get_args(Scale)
Protocol = Literal["paper", "holdout"]
Accuracy = Literal["best", "overall", "final"]
REPLACEABLE = [name for name in LAYOUTS if name != "ImageNet"]
"""Data sets that may be taken from elsewhere."""


class Strict(BaseModel):
    """A part of a configuration file: no unknown key, no value of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _path(text: str) -> str:
    if not text.isprintable() or not text.strip() or text.startswith("-"):
        raise ValueError("allowed: a path of printable characters that does not begin with -")
    return text


def _npz(text: str) -> str:
    """Return ``npz:PATH``; a relative path stays one, so that records hold no machine's folders."""
    form, _, path = text.partition(":")
    if form != "npz" or not path.strip():
        raise ValueError("allowed: npz:PATH")
    return f"npz:{in_home(path)}"


def in_home(text: str) -> str:
    """Return a path with the user's home in the place of ~."""
    try:
        return str(Path(text).expanduser())
    except RuntimeError:
        raise ValueError("allowed: a path, ~ only of a user who has a home") from None


CheckedPath = Annotated[str, AfterValidator(_path)]


def _replaceable(sources: dict[str, str]) -> dict[str, str]:
    for name in sources:
        if name not in REPLACEABLE:
            raise ValueError(f"{shown(name)}: allowed: {allowed(REPLACEABLE)}")
    return sources


Sources = Annotated[
    dict[str, Annotated[CheckedPath, AfterValidator(_npz)]], AfterValidator(_replaceable)
]


class FigureSettings(Strict):
    """How large the figures are at a scale; config/README.md explains each key."""

    snapshots: dict[int, Annotated[int, Field(ge=1)]] = {}
    contour_points: int = Field(31, ge=3)
    surface_points: int = Field(51, ge=3)
    row_blocks: int = Field(17, ge=1)
    images: int | None = Field(None, ge=1)

    @field_validator("surface_points")
    @classmethod
    def _odd(cls, points: int) -> int:
        if points % 2 == 0:
            raise ValueError("allowed: an odd number, so that the network itself is a point")
        return points

    @field_validator("row_blocks")
    @classmethod
    def _no_empty_block(cls, blocks: int, info: ValidationInfo) -> int:
        points = [info.data.get(f"{grid}_points", blocks) for grid in ("contour", "surface")]
        if blocks > min(points):
            raise ValueError(f"allowed: up to {min(points)}, the rows of the smaller grid")
        return blocks


class ScaleSettings(Strict):
    """How a scale makes the paper's runs smaller; config/README.md explains each key."""

    description: str
    protocol: Protocol = "paper"
    accuracy: Accuracy = "best"
    optional: list[str] = []
    data_source: Sources = {}
    data: dict[str, dict[str, Any]] = {}
    settings: dict[str, Any] = {}
    epochs: int | None = Field(None, ge=1)
    finetune_epochs: int | None = Field(None, ge=1)
    null_epochs: int | None = Field(None, ge=1)
    T: int | None = Field(None, ge=1)
    tau: float | None = Field(None, gt=0)
    depth: dict[str, str] = {}
    K: dict[int, Annotated[int, Field(ge=1)]] = {}
    fraction: dict[str, str] = {}
    width: dict[str, Annotated[int, Field(ge=1)]] = {}
    figures: FigureSettings = FigureSettings()

    @field_validator("optional")
    @classmethod
    def _not_packaged(cls, names: list[str]) -> list[str]:
        for name in names:
            if name not in LAYOUTS:
                raise ValueError(f"{shown(name)}: allowed: {allowed(LAYOUTS)}")
        return names


def read_scale(scale: str) -> ScaleSettings:
    """Return the settings of a scale from config/scales.

    Raises
    ------
    UserError
        If there is no such scale or its file is malformed.
    """
    if scale not in SCALES:
        raise UserError(f"scale: found {shown(scale)}; allowed: {allowed(SCALES)}")
    file = CONFIG / "scales" / f"{scale}.yaml"
    return validated(ScaleSettings, read_yaml(file), str(file))
