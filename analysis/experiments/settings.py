"""config/config.yaml and config/scales/*.yaml as typed settings."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from analysis.experiments.conventions import Convention, filled
from autogrow.config.pydantic_errors import validated
from autogrow.data.locating import LAYOUTS
from autogrow.errors import UserError, allowed, shown
from autogrow.files.yaml import read_yaml
from autogrow.networks.names import ARCHITECTURES, BNWeights, Shortcut

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config"
LANDSCAPE = "landscape"
"""Kind of the jobs that compute the loss around a network."""

Scale = Literal["smoke", "mini", "reduced", "paper"]
SCALES = get_args(Scale)
Protocol = Literal["paper", "holdout"]
Accuracy = Literal["best", "overall", "final"]
REPLACEABLE = [name for name in LAYOUTS if name != "ImageNet"]
"""Data sets that may be taken from elsewhere."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Choices(_Strict):
    """Where the paper and the released code differ; each key is explained in config.yaml."""

    uniform_noise: Literal["std1", "unit"]
    # Not strict: `--config "choices={adaminit_slack: 0}"` gives text.
    adaminit_slack: float = Field(ge=0, le=100, strict=False)
    normalisation: Literal["released", "measured"]
    bn_weights: BNWeights
    shortcut: Shortcut
    morph_momentum: Literal["fresh", "kept"]
    adaminit_statistics: Literal["frozen", "updated"]
    single_image: Literal["joined", "own"]
    subset: Literal["stratified", "random"]
    max_depth: Literal["none", "released"]
    finetuning: Literal["full", "short"]
    growing_steps: Literal["halves", "milestones"]


class Checkpoints(_Strict):
    """How often runs write checkpoints; each key is explained in config.yaml."""

    epochs: int = Field(ge=1, le=100_000, strict=False)
    minutes: float = Field(gt=0, le=1_000_000, strict=False)


# Not strict: numbers inside `--config "cluster={...}"` are text.
_Count = Annotated[int, Field(ge=1, le=1_000_000, strict=False)]


def _like(pattern: str, form: str) -> AfterValidator:
    """Return a validator of texts that may reach a shell command."""

    def check(text: str) -> str:
        if re.fullmatch(pattern, text, re.ASCII) is None:
            raise ValueError(f"allowed: {form}")
        return text

    return AfterValidator(check)


def _path(text: str) -> str:
    if not text.isprintable() or not text.strip() or text.startswith("-"):
        raise ValueError("allowed: a path of printable characters that does not begin with -")
    return text


def _npz(text: str) -> str:
    """Return ``npz:PATH`` with the path that a job in any folder finds."""
    form, _, path = text.partition(":")
    if form != "npz" or not path.strip():
        raise ValueError("allowed: npz:PATH")
    return f"npz:{Path(_in_home(path)).absolute()}"


def _in_home(text: str) -> str:
    try:
        return str(Path(text).expanduser())
    except RuntimeError:
        raise ValueError("allowed: a path, ~ only of a user who has a home") from None


_Device = Annotated[str, _like(r"auto|cpu|cuda(:\d{1,3})?", "auto, cpu, cuda or cuda:N")]
# What Snakemake's Slurm plugin takes.
_GpuType = Annotated[str, _like(r"[\w.]+", "letters, digits, _ and .")]
_Names = Annotated[str, _like(r"\w[\w.,-]*", "letters, digits, _, . and -; commas between names")]
_Path = Annotated[str, AfterValidator(_path)]
# Snakemake takes braces for wildcards.
_Input = Annotated[_Path, _like("[^{}]+", "a path without braces")]


def _replaceable(sources: dict[str, str]) -> dict[str, str]:
    for name in sources:
        if name not in REPLACEABLE:
            raise ValueError(f"{shown(name)}: allowed: {allowed(REPLACEABLE)}")
    return sources


_Sources = Annotated[
    dict[str, Annotated[_Path, AfterValidator(_npz)]], AfterValidator(_replaceable)
]


class JobSize(_Strict):
    """What one job asks a cluster for; each key is explained in slurm/cluster.yaml."""

    gpus: _Count
    cpus: _Count
    mem_gb: _Count
    hours: _Count

    @field_validator("cpus")
    @classmethod
    def _one_for_each_gpu(cls, cpus: int, info: ValidationInfo) -> int:
        if cpus < info.data.get("gpus", 1):
            raise ValueError(f"allowed: {info.data['gpus']} or more, one for each GPU")
        return cpus


class Cluster(_Strict):
    """How jobs are submitted to a cluster; each key is explained in slurm/cluster.yaml."""

    partition: _Names | None
    account: _Names | None
    gpu_type: _GpuType | None
    shards: int | None = Field(ge=1, le=100, strict=False)
    scratch: _Path | None
    jobs: dict[str, JobSize]

    @field_validator("jobs")
    @classmethod
    def _every_kind(cls, jobs: dict[str, JobSize]) -> dict[str, JobSize]:
        wanted = {*ARCHITECTURES, "ImageNet", LANDSCAPE}
        if set(jobs) != wanted:
            raise ValueError(f"allowed: a size for each of {allowed(sorted(wanted))}")
        if jobs[LANDSCAPE].gpus > 1:
            raise ValueError(f"allowed: one GPU for {LANDSCAPE}")
        return jobs


class Settings(_Strict):
    """config.yaml: what is run and how; each key is explained there."""

    scale: Scale
    # Not strict: `--config seeds=[0,1]` gives text.
    seeds: list[Annotated[int, Field(ge=0, le=2**32 - 1, strict=False)]] = Field(min_length=1)
    conventions: Convention
    protocol: Protocol
    precision: Literal["fp32", "tf32", "bf16"]
    choices: Choices
    accuracy: Accuracy
    device: _Device
    gpu_share: dict[str, Annotated[int, Field(ge=1, le=100, strict=False)]]
    data_root: Annotated[_Path, AfterValidator(_in_home)] | None
    data_source: _Sources
    reference: _Input | None
    checkpoints: Checkpoints
    retries: int = Field(ge=0, le=100, strict=False)
    throughput: float | None = Field(gt=0, allow_inf_nan=False)
    cluster: Cluster | None

    @model_validator(mode="before")
    @classmethod
    def _as_scale_and_conventions_say(cls, content: Any) -> Any:
        if isinstance(content, dict) and content.get("scale") in SCALES:
            scale = read_scale(content["scale"])
            own: dict[str, Any] = {"protocol": "paper"}  # as the released code, at every scale
            if content.get("conventions") == "paper":
                own = {"protocol": scale.protocol, "accuracy": scale.accuracy}
            content = content | {k: v for k, v in own.items() if content.get(k) is None}
        return filled(content)

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("allowed: each seed once")
        return seeds

    @field_validator("gpu_share")
    @classmethod
    def _every_network(cls, shares: dict[str, int]) -> dict[str, int]:
        wanted = {*ARCHITECTURES, "ImageNet"}
        if set(shares) != wanted:
            raise ValueError(f"allowed: a share for each of {allowed(sorted(wanted))}")
        return shares

    @field_validator("cluster")
    @classmethod
    def _gpus_are_given_by_slurm(
        cls, cluster: Cluster | None, info: ValidationInfo
    ) -> Cluster | None:
        device = info.data.get("device", "auto")
        if cluster is not None and device not in ("auto", "cpu", "cuda"):
            raise ValueError(f"device {shown(device)}: allowed on a cluster: auto, cpu or cuda")
        return cluster

    @property
    def folder(self) -> Path:
        """Where everything generated goes, relative to the repository."""
        released = self.conventions == "released"
        usual = ("paper", "paper" if released else read_scale(self.scale).protocol)
        chosen = zip((self.conventions, self.protocol), usual, strict=True)
        others = [name for name, default in chosen if name != default]
        return Path("results/out") / "-".join([self.scale, *others])

    @property
    def reference_folder(self) -> Path:
        """Folder of the tables that new ones are compared with."""
        if self.reference is not None:
            return Path(self.reference)
        ours = Path("results/reference") / self.folder.name
        if self.scale == "paper" and not (ROOT / ours).is_dir():
            return Path("results/paper")
        return ours


class FigureSettings(_Strict):
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


class ScaleSettings(_Strict):
    """How a scale makes the paper's runs smaller; config/README.md explains each key."""

    description: str
    protocol: Protocol = "paper"
    accuracy: Accuracy = "best"
    optional: list[str] = []
    data_source: _Sources = {}
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


def prepare_environment(settings: Settings) -> None:
    """Set what the jobs of this workflow inherit: PATH, PYTHONPATH and the data root.

    ``python`` on PATH may lack the packages that this interpreter has, and ``analysis``
    is not installed: jobs find it in this clone.
    """
    for variable, folder in (("PATH", Path(sys.executable).parent), ("PYTHONPATH", ROOT)):
        others = os.environ.get(variable)
        os.environ[variable] = os.pathsep.join([str(folder), *([others] if others else [])])
    if settings.data_root is not None:
        os.environ["AUTOGROW_DATA_ROOT"] = str(Path(settings.data_root).resolve())
    if settings.cluster is not None and settings.cluster.scratch is not None:
        # Jobs read the settings again: $TMPDIR is the node's.
        os.environ["AUTOGROW_SCRATCH"] = os.path.expandvars(settings.cluster.scratch)
