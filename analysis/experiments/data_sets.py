"""What a scale takes for the paper's data sets, and which of them are not there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from analysis.experiments.scales import ScaleSettings, Strict
from autogrow.config.pydantic_errors import validated
from autogrow.data import info
from autogrow.data.locating import is_there
from autogrow.data.npz import KIND
from autogrow.data.registry import DATASETS, DatasetInfo
from autogrow.errors import UserError, shown
from autogrow.files.reading import file_sha256

COUNTS = {"training_images": "data_fraction", "validation_images": "holdout_fraction"}
"""Numbers of images in a scale's `data`, and the settings of a run that they become."""

_from_file = cache(info)


class Elsewhere(Strict):
    """What a reference records of a data set that was taken from elsewhere.

    ``images`` counts those of its training and test split.
    """

    data: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    image_size: int
    channels: int
    n_classes: int
    images: Annotated[tuple[int, int], Field(strict=False)]


_RECORDED: dict[str, Elsewhere] = {}


def data_facts(name: str) -> DatasetInfo:
    """Return what is known about a data set without its images.

    Of a user's own data, the headers are read once, unless a reference has recorded it.
    """
    known = _RECORDED.get(name)
    if known is None:
        return _from_file(name)
    return DatasetInfo(name, known.image_size, known.channels, known.n_classes, known.images)


def recorded(scale: ScaleSettings) -> dict[str, dict[str, Any]]:
    """Return what a reference has to record of the data sets that a scale takes from elsewhere."""
    found = {}
    for dataset, source in scale.data_source.items():
        facts = data_facts(source)
        known = {"data": source, "sha256": _sha256(dataset, source)}
        known |= {key: getattr(facts, key) for key in ("image_size", "channels", "n_classes")}
        found[dataset] = {**known, "images": list(facts.images)}
    return found


def remember(content: object, source: str) -> dict[str, str]:
    """Take for known what :func:`recorded` returned, so that no file is needed; return sources.

    Raises
    ------
    UserError
        Naming ``source`` and what is malformed.
    """
    if not isinstance(content, dict):
        raise UserError(f"{source}: found {shown(content)}; allowed: data sets by their names")
    for dataset, known in content.items():
        elsewhere = validated(Elsewhere, known, f"{source}: {dataset}")
        _RECORDED[elsewhere.data] = elsewhere
    return {dataset: known["data"] for dataset, known in content.items()}


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
        facts = DATASETS[dataset]
        crop = -(-facts.crop_padding // (_whole(sized, "downscale") or 1))
        known = {"data": source, "data_sha256": _sha256(dataset, source)}
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


def _sha256(dataset: str, source: str) -> str:
    known = _RECORDED.get(source)
    return known.sha256 if known else _sha256_of(dataset, Path(source.partition(":")[2]))


@cache
def _sha256_of(dataset: str, file: Path) -> str:
    try:
        return file_sha256(file, KIND)
    except UserError as error:
        raise UserError(f"data_source: {dataset}: {error}") from None
