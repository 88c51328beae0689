"""What a scale takes for the paper's data sets, and which of them are not there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from analysis.experiments.scales import ScaleSettings
from autogrow.data import info
from autogrow.data.locating import is_there
from autogrow.data.npz import KIND
from autogrow.data.registry import DATASETS
from autogrow.errors import UserError, shown
from autogrow.files.reading import file_sha256

COUNTS = {"training_images": "data_fraction", "validation_images": "holdout_fraction"}
"""Numbers of images in a scale's `data`, and the settings of a run that they become."""

data_facts = cache(info)
"""What is known about a data set without its images; of a user's own, headers are read once."""


def data_of(scale: ScaleSettings, dataset: str) -> dict[str, Any]:
    """Return the settings that take the place of one of the paper's data sets.

    Numbers of images become fractions of the training set that there is. Where the data set is
    itself taken from elsewhere, its images are treated as those of the paper's, and its file's
    SHA-256 goes into the spec: another content is another run.

    Raises
    ------
    UserError
        If the scale has other data in its place, the file is missing, or numbers are impossible.
    """
    sized = {"data": dataset, **scale.data.get(dataset, {})}
    source = scale.data_source.get(dataset)
    if source is not None:
        if sized["data"] != dataset:
            raise UserError(
                f"data_source: found {dataset}, in whose place the scale has {sized['data']}; "
                "allowed: data sets that the scale uses"
            )
        facts, file = DATASETS[dataset], Path(source.partition(":")[2])
        crop = -(-facts.crop_padding // (_whole(sized, "downscale") or 1))
        known = {"data": source, "data_sha256": _sha256(dataset, file)}
        sized = {"crop_padding": crop, "flip": facts.flip, **sized, **known}
    for count, fraction in COUNTS.items():
        if count in sized:
            number = sized.pop(count)
            whole = data_facts(str(sized["data"])).divided(_whole(sized, "test_images") or 0)[0]
            if not isinstance(number, int) or not 0 < number <= whole:
                raise UserError(
                    f"data: {dataset}: {count}: found {shown(number)}; "
                    f"allowed: a whole number from 1 to {whole}"
                )
            sized[fraction] = number / whole
    return sized


def _whole(sized: Mapping[str, Any], key: str) -> int | None:
    """Return a setting that is a number from 1; what else it is, the spec of the run refuses."""
    value = sized.get(key)
    return value if isinstance(value, int) and value > 0 else None


def left_out(scale: ScaleSettings) -> list[str]:
    """Return the optional data sets that are not there, whose rows are left out."""
    wanted = [n for n in scale.optional if scale.data.get(n, {}).get("data", n) == n]
    return [n for n in wanted if n not in scale.data_source and not is_there(n)]


@cache
def _sha256(dataset: str, file: Path) -> str:
    try:
        return file_sha256(file, KIND)
    except UserError as error:
        raise UserError(f"data_source: {dataset}: {error}") from None
