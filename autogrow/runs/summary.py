"""summary.json: what a finished run found, and what produced it.

One model for the run that writes it and for everything that reads it; never imports torch.
Fields with a default are younger than the format: older summaries lack them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from autogrow.config.pydantic_errors import validated
from autogrow.errors import UserError
from autogrow.files.reading import read_json
from autogrow.networks.names import format_depth, parse_network
from autogrow.training.metrics import BESIDE, Phase

SUMMARY = "summary.json"

TEST_ACCURACIES = (
    *("final_accuracy", "best_accuracy", "best_test_accuracy"),
    *("final_top5", "best_top5"),
)
OVERALL = ("overall_accuracy", "overall_top5")
SCORES = (*TEST_ACCURACIES, "final_val_accuracy", "best_val_accuracy", "final_train_accuracy")

Count = Annotated[int, Field(ge=0, description="a whole number from 0")]
Seconds = Annotated[float, Field(ge=0, description="a number from 0")]
Percentage = Annotated[float, Field(ge=0, le=100, description="a percentage")]
Measured = Annotated[Percentage | None, Field(description="a percentage")]
"""None in a run that diverged before it measured any."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)

    def __getitem__(self, key: str) -> Any:
        """Return a field by its name, as tables name their columns."""
        return getattr(self, key)


class AdamInitUse(_Strict):
    """What one AdamInit took: the accuracy that it aimed at and the one that it reached."""

    after_epoch: Count
    epochs: Count
    old_train_accuracy: Percentage
    train_accuracy: Percentage


class DataSummary(_Strict):
    """The data set that a run was trained on."""

    name: str
    training_images: Count
    validation_images: Count
    test_images: Count
    damaged_images: Count = 0
    image_size: Count
    image_channels: Count
    classes: Count
    mean: list[float]
    std: list[float]
    statistics: str
    crop_padding: Count
    flip: bool
    checksum: str


class MemoryShortage(_Strict):
    """An epoch in which a GPU's memory ran out, and the images at once from there on."""

    epoch: Count
    depth: str
    micro_batch: Count


class Summary(_Strict):
    """What a finished run found, and what produced it.

    Accuracies are in percent. ``best_accuracy`` is the test accuracy at the best
    validation epoch of the final network's schedule (fine-tuning; training of the deeper
    net; all of a baseline's), ``overall_accuracy`` that at the best validation epoch of
    the whole run, growing and the shallower net included, ``final_accuracy`` that of the last
    epoch; ``best_val_accuracy`` is the running maximum over the whole run. ``best_test_accuracy``
    is the largest test accuracy of the final network's schedule: what choosing on the test set
    gives, as in the paper, whatever steers growth.

    ``flops`` are multiply-adds of one image's forward pass. ``flops_training`` are those of all
    training, as :func:`autogrow.runs.cost.training_flops` counts them; ``flops_growing`` is the
    part of growing, AdamInit and twins, ``flops_finetuning`` that of fine-tuning, or of a
    training from scratch.

    A run whose last loss was not finite has the status ``diverged`` and the accuracies of
    the epochs before; None if there is none. If the final network's schedule had none,
    those of the whole run count. Without test images (``data.test_images`` is 0) the accuracies are
    those of the validation images. From epoch ``diverged_after`` on no loss was finite.

    ``capped`` are the sub-networks, from 0, that have grown to the spec's ``max_depth``.
    ``bounded`` are those that a bound has stopped, by the bound's setting.
    ``micro_batch`` is the most images at once in the end (0: whole batches), and
    ``bn_images`` over how many of them Batch Normalization took its statistics then;
    ``out_of_memory`` says where a GPU's memory ran out.

    ``library_code`` is Python code by which timm or torchvision builds the final network as
    ``network``, which takes the run's weights; None for the paper's networks.

    Examples
    --------
    >>> import autogrow
    >>> [name for name in autogrow.Summary.model_fields if name.startswith("flops_g")]
    ['flops_growing']
    """

    status: Literal["complete", "diverged"] = Field(description="complete or diverged")
    diverged_after: Annotated[int, Field(ge=1)] | None = Field(None, validate_default=True)
    kind: Literal["scratch", "morph", "autogrow"]
    network: str
    depth: str
    layers: Count
    parameters: Count
    flops: Count
    flops_training: Count
    flops_growing: Count
    flops_finetuning: Count
    final_accuracy: Measured
    best_accuracy: Measured
    best_test_accuracy: Measured
    final_top5: Measured
    best_top5: Measured
    overall_accuracy: Measured = None
    overall_top5: Measured = None
    final_val_accuracy: Measured
    best_val_accuracy: Measured
    final_train_accuracy: Measured
    epochs: dict[Phase, Count]
    capped: list[Count] = []
    bounded: dict[str, list[Count]] = {}
    adaminit: list[AdamInitUse]
    seconds_growing: Seconds
    seconds_finetuning: Seconds
    spec_checksum: str | None = None
    protocol: str
    seed: Count
    data: DataSummary
    versions: dict[str, str]
    git_commit: str | None
    device: str
    threads: Count
    processes: Count = 1
    micro_batch: Count = 0
    bn_images: Count = 0
    out_of_memory: list[MemoryShortage] = []
    library_code: str | None = None

    @field_validator("network")
    @classmethod
    def _known(cls, network: str) -> str:
        return str(parse_network(network))

    @field_validator("depth")
    @classmethod
    def _of_the_network(cls, depth: str, info: ValidationInfo) -> str:
        if "network" in info.data:
            wanted = format_depth(parse_network(info.data["network"]).depth)
            if depth != wanted:
                raise ValueError(f"allowed: {wanted}, as its network")
        return depth

    @field_validator("diverged_after")
    @classmethod
    def _of_a_run_that_diverged(cls, epoch: int | None, info: ValidationInfo) -> int | None:
        if epoch is None and info.data.get("status") == "diverged":
            raise ValueError("allowed: a whole number from 1, as the run diverged")
        return epoch

    @field_validator(*SCORES)
    @classmethod
    def _measured(cls, accuracy: float | None, info: ValidationInfo) -> float | None:
        if accuracy is None and info.data.get("status") == "complete":
            raise ValueError("allowed: a percentage, as the run is complete")
        return accuracy

    @property
    def diverged(self) -> bool:
        """Whether the last loss of the run was not finite."""
        return self.status == "diverged"

    @property
    def diverged_growing(self) -> bool:
        """Whether the run diverged before it had found its network."""
        return self.diverged and self.epochs.get("growing", 0) >= (self.diverged_after or 0)

    @property
    def own_epochs(self) -> int:
        """How many epochs the run trained; AdamInit's and a twin's are not counted."""
        return sum(n for phase, n in self.epochs.items() if phase not in BESIDE)

    def to_json(self) -> dict[str, Any]:
        """Return the summary as plain values; ``library_code`` only if there is any."""
        return self.model_dump(exclude=None if self.library_code else {"library_code"})

    def in_one_line(self) -> str:
        """Return what the run found, as a sentence for the terminal."""
        found = "none"
        if self.final_accuracy is not None and self.best_accuracy is not None:
            measured = "test" if self.data.test_images else "validation"
            found = (
                f"{measured} accuracy {self.final_accuracy:.2f} % at the end, "
                f"{self.best_accuracy:.2f} % at best"
            )
        if self.diverged:
            found = f"diverged: no finite loss from epoch {self.diverged_after} on; before: {found}"
        seconds = self.seconds_growing + self.seconds_finetuning
        return (
            f"{self.network} on {self.data.name}: {found}; "
            f"{self.parameters:,} parameters, {seconds:.0f} s"
        )


def read_summary(file: Path) -> Summary:
    """Return the summary of a finished run.

    Raises
    ------
    UserError
        Naming the file, the key, what was found there and what is allowed.
    """
    try:
        content = read_json(file)
    except UserError as error:
        reason = str(error).removeprefix(f"{file}: ").removeprefix("cannot be read: ")
        raise UserError(f"{file}: no summary of a finished run: {reason}") from None
    return validated(Summary, content, f"{file}: no summary of a finished run")
