"""How a run is carried out: device, threads and the like."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from autogrow.config.logger_names import LOGGERS
from autogrow.config.shared_settings import Epochs


class Execution(BaseModel):
    """How a run is carried out: nothing here changes what is computed beyond rounding.

    Examples
    --------
    >>> import autogrow
    >>> autogrow.Execution(device="cpu", threads=1, quiet=True).checkpoint_epochs
    1
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    device: str = Field("auto", description="auto (a GPU if there is one), cpu, cuda or cuda:N")
    threads: int | None = Field(None, ge=1, description="CPU threads (default: torch's)")
    workers: int | None = Field(
        None,
        ge=0,
        le=100_000,
        description="processes that decode images in files, 0: none (default: one for each CPU, "
        "up to 16)",
    )
    compiled: bool = Field(
        False,
        alias="compile",
        description="compile each kind of sub-module once; pays on a GPU in runs of hours",
    )
    data_root: Path | None = Field(
        None,
        strict=False,
        description="where data sets are looked for first and downloaded to (default: "
        "$AUTOGROW_DATA_ROOT, else ./data)",
    )
    download: bool = Field(False, description="download a missing data set")
    logger: Annotated[str, AfterValidator(LOGGERS.known)] = Field(
        "none",
        description="tensorboard: also write its event files into the run's folder (needs the "
        "extra tensorboard); `autogrow list loggers` has all",
    )
    quiet: bool = Field(False, description="print nothing on the terminal")
    restart: bool = Field(False, description="discard what the folder holds of this run")
    replace: bool = Field(False, description="discard a run of another spec in the folder")
    wait: bool = Field(False, description="wait while another process trains in the folder")
    checkpoint_epochs: Epochs = Field(1, description="epochs between two checkpoints")
    checkpoint_minutes: float = Field(
        10.0,
        gt=0,
        le=1_000_000,
        description="a checkpoint is also written inside an epoch once the last one is this old",
    )
