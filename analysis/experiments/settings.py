"""config/config.yaml as typed settings."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from analysis.experiments.conventions import Convention, filled
from analysis.experiments.scales import (
    ROOT,
    SCALES,
    Accuracy,
    CheckedPath,
    Protocol,
    Scale,
    Sources,
    Strict,
    in_home,
    read_scale,
)
from autogrow.errors import allowed, shown
from autogrow.networks.names import ARCHITECTURES, BNWeights, Shortcut

LANDSCAPE = "landscape"
"""Kind of the jobs that compute the loss around a network."""


class Choices(Strict):
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


class Checkpoints(Strict):
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


_Device = Annotated[str, _like(r"auto|cpu|cuda(:\d{1,3})?", "auto, cpu, cuda or cuda:N")]
# What Snakemake's Slurm plugin takes.
_GpuType = Annotated[str, _like(r"[\w.]+", "letters, digits, _ and .")]
_Names = Annotated[str, _like(r"\w[\w.,-]*", "letters, digits, _, . and -; commas between names")]
# Snakemake takes braces for wildcards.
_Input = Annotated[CheckedPath, _like("[^{}]+", "a path without braces")]


class JobSize(Strict):
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


class Cluster(Strict):
    """How jobs are submitted to a cluster; each key is explained in slurm/cluster.yaml."""

    partition: _Names | None
    account: _Names | None
    gpu_type: _GpuType | None
    shards: int | None = Field(ge=1, le=100, strict=False)
    scratch: CheckedPath | None
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


class Settings(Strict):
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
    data_root: Annotated[CheckedPath, AfterValidator(in_home)] | None
    data_source: Sources
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
