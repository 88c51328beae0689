"""What is looked at before a run trains: its settings, and what its folder holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autogrow import checkpoint, records
from autogrow import data as datasets
from autogrow.config import RunSpec, resolve
from autogrow.data import ImageData
from autogrow.distributed import World
from autogrow.execution import Execution
from autogrow.reporter import Reporter


def prepare_folder(
    folder: Path, spec: dict[str, Any], execution: Execution, world: World
) -> dict[str, Any] | None:
    """Check the folder, clear it if asked to; return the summary if the run is finished.

    Raises
    ------
    UserError
        If it holds the run of another spec that is not to be replaced.
    """
    if world.first:
        if not execution.replace:
            records.check_folder(folder, spec)
        elif (folder / records.SPEC).exists() and records.read_json(folder / records.SPEC) != spec:
            records.clear_folder(folder)
        if execution.restart:
            records.clear_folder(folder)
    world.wait()
    summary = records.finished_summary(folder)
    if summary is not None:
        if world.first:  # a process that was killed at its very end may have left some
            remove_remains(folder)
        with Reporter(folder, quiet=execution.quiet, silent=not world.first) as reporter:
            reporter.say(f"{folder}: this run is complete; nothing to do")
    return summary


def remove_remains(folder: Path) -> None:
    """Remove what only an unfinished run needs, from the folder of a finished one."""
    checkpoint.remove(folder)
    (folder / records.MICRO_BATCH).unlink(missing_ok=True)
    records.remove_strays(folder)


def prepared(data: ImageData, spec: RunSpec) -> ImageData:
    """Return a data set as a run of this spec sees it: scaled down, its statistics measured."""
    data = datasets.downscaled(data, spec.downscale)
    return datasets.with_measured_statistics(data) if spec.normalisation == "measured" else data


def resolve_for(spec: RunSpec, facts: ImageData | datasets.DatasetInfo) -> RunSpec:
    """Return the spec with every setting filled in, those that depend on the data too.

    Raises
    ------
    UserError
        If a setting is impossible for these images.
    """
    spec = resolve(spec, facts.image_size // spec.downscale)
    padding, flip = spec.crop_padding, spec.flip
    if padding is None:
        padding = -(-facts.crop_padding // spec.downscale)
    if flip is None:
        flip = facts.flip
    return spec.model_copy(update={"crop_padding": padding, "flip": flip})
