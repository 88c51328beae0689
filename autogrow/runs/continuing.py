"""Training on from what a finished run has found: its settings, and its weights by checksum."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autogrow.config.resolved import ResolvedScratch, ResolvedSpec
from autogrow.config.spec import ScratchSpec, to_json
from autogrow.data import ImageData
from autogrow.errors import UserError, shown
from autogrow.files.reading import file_sha256, read_text, require_digest
from autogrow.runs.curves import LARGEST
from autogrow.runs.description import arguments_of
from autogrow.runs.folder import SPEC, WEIGHTS, read_content, read_spec, require_finished
from autogrow.runs.summary import SUMMARY, read_summary
from autogrow.training.building import shape_of
from autogrow.training.metrics import METRICS
from autogrow.training.unfinished import checkpoint_files

if TYPE_CHECKING:
    from torch import Tensor

OWN = (
    *("epochs", "schedule", "period", "snapshots"),
    *("pretrained", "pretrained_sha256", "continue_from", "continue_sha256"),
)
"""Settings that a run does not take from the one that it continues from."""


def continued_settings(given: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a training that continues from a finished run.

    Those that are not given are the finished run's. The learning rate is that of its last epoch,
    and stays constant.

    Parameters
    ----------
    given
        A user's settings, ``continue_from`` among them.

    Raises
    ------
    UserError
        If that run is not finished or damaged, or has diverged.
    """
    folder = Path(given["continue_from"])
    seal = require_finished(folder, SPEC, SUMMARY, METRICS, WEIGHTS)
    summary = read_summary(folder / SUMMARY)
    if summary.diverged:
        raise UserError(
            f"continue_from: {folder} has diverged; allowed: a run whose losses are finite"
        )
    there = to_json(read_spec(folder))
    text = read_text(folder / METRICS, "the records of a run", LARGEST)
    *_, last = csv.DictReader(text.splitlines())
    return {
        **{k: v for k, v in there.items() if k in ScratchSpec.model_fields and k not in OWN},
        "network": summary.network,
        "schedule": "constant",
        "learning_rate": float(last["lr"]),
        **given,
        "kind": "scratch",
        "continue_sha256": seal.files[WEIGHTS][1],
    }


def first_weights(spec: ResolvedSpec, folder: Path, data: ImageData) -> dict[str, Tensor] | None:
    """Return the weights that a run begins with; None if it has its own.

    Raises
    ------
    UserError
        If the run that it continues from has other weights now, or they do not fit.
    """
    if not isinstance(spec, ResolvedScratch) or not spec.continue_from or checkpoint_files(folder):
        return None
    file = Path(spec.continue_from) / WEIGHTS
    kind = "the weights that continue_sha256 names"
    require_digest(file, "SHA-256", file_sha256(file, kind), spec.continue_sha256, kind)
    content = read_content(file)
    there = {"name": content.get("name"), **arguments_of(content)}
    here = {"name": spec.network, **shape_of(spec, data)}
    for key in sorted({*there, *here}):
        if there.get(key) != here.get(key):
            raise UserError(
                f"continue_from: {file} has {key} {shown(there.get(key))}, this run "
                f"{shown(here.get(key))}; allowed: a run that continues with the same network"
            )
    from safetensors.torch import load_file

    return load_file(file)
