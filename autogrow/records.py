"""The files of a run's folder: what they hold, and how they are read back."""

from __future__ import annotations

import hashlib
import json
import math
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from autogrow import __version__
from autogrow.errors import UserError
from autogrow.files import read_json, write_csv, write_json
from autogrow.growth import GROWTH_HEADER, Event
from autogrow.names import LAYERS, Architecture, NetworkName, parse_network

SPEC = "spec.json"
METRICS = "metrics.csv"
GROWTH = "growth.csv"
SUMMARY = "summary.json"
WEIGHTS = "weights.safetensors"
MICRO_BATCH = "micro_batch.json"

Phase = Literal["growing", "finetuning", "training", "adaminit"]


@dataclass(frozen=True)
class Epoch:
    """A row of metrics.csv; losses are mean cross-entropies, accuracies percent.

    Parameters
    ----------
    epoch
        Epochs trained so far, from 1. AdamInit's epochs are not counted: its
        rows repeat the epoch after which the network grew.
    phase
        What the epoch was for.
    depth
        Depth it was trained at, as ``2-1-1``.
    lr
        Learning rate.
    train_loss, train_accuracy
        Over the augmented batches as they were trained on.
    val_loss, val_accuracy, test_accuracy
        In evaluation mode after the epoch; not measured in AdamInit. Under the
        protocol ``paper`` the validation set is the test set. NaN accuracies: training
        or validation loss was not finite.
    best_val_accuracy
        Running maximum over the run.
    seconds
        Wall time, growth, evaluation and checkpoint included.
    test_top5
        Top-5 accuracy; for summary.json, not a column.
    skipped
        Damaged images left out of the three sets; likewise.
    """

    epoch: int
    phase: Phase
    depth: str
    lr: float
    train_loss: float
    train_accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    test_accuracy: float | None
    best_val_accuracy: float
    seconds: float
    test_top5: float | None = None
    skipped: int = 0

    @property
    def finite(self) -> bool:
        """Whether the losses are finite: an epoch with another one has diverged."""
        return math.isfinite(self.train_loss) and math.isfinite(self.val_loss or 0.0)

    def row(self) -> list[str]:
        """Return the row's cells, decimals fixed; accuracies as they were decided on."""
        return [
            str(self.epoch),
            self.phase,
            self.depth,
            f"{self.lr:.8g}",
            _cell(self.train_loss, 6),
            _cell(self.train_accuracy, 4),
            _cell(self.val_loss, 6),
            _cell(self.val_accuracy, 4),
            _cell(self.test_accuracy, 4),
            _cell(self.best_val_accuracy, 4),
            _cell(self.seconds, 3),
        ]


METRICS_HEADER = [n for n in Epoch.__dataclass_fields__ if n not in ("test_top5", "skipped")]


def _cell(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"


def check_folder(folder: Path, spec: dict[str, Any]) -> None:
    """Check that the folder does not hold another spec's run; nothing is written.

    Raises
    ------
    UserError
        If it does.
    """
    file = folder / SPEC
    if not file.exists():
        return
    there = read_json(file)
    if there == spec:
        return
    if not isinstance(there, dict):
        raise UserError(f"{file}: is not a run's spec; use another folder")
    differing = [k for k in sorted({*there, *spec}) if there.get(k) != spec.get(k)]
    told = ", ".join(f"{k} {there.get(k)!r} there, {spec.get(k)!r} here" for k in differing[:3])
    raise UserError(
        f"{folder}: holds a run of another spec ({told}); "
        "use another folder, or throw that run away with --replace"
    )


def open_folder(folder: Path, spec: dict[str, Any]) -> None:
    """Write spec.json into the run's folder, which must exist."""
    remove_strays(folder)
    if not (folder / SPEC).exists():
        write_json(folder / SPEC, spec)


def remove_strays(folder: Path) -> None:
    """Remove what a process that was killed while writing has left in a run's folder."""
    for place in (folder, folder / "snapshots"):
        # Ours, and those that safetensors writes before it renames them to ours.
        for stray in (*place.glob(".*.tmp"), *place.glob(".tmp*")):
            stray.unlink(missing_ok=True)


def clear_folder(folder: Path) -> None:
    """Throw away everything a run has left in its folder, its log excepted."""
    for name in (SUMMARY, WEIGHTS, METRICS, GROWTH, SPEC, MICRO_BATCH):
        (folder / name).unlink(missing_ok=True)
    for file in [*folder.glob("checkpoint-*"), *folder.glob("snapshots/*.safetensors")]:
        file.unlink()


def found_network(folder: Path, architecture: Architecture) -> NetworkName:
    """Return the network of an architecture that is as deep as a finished run's net.

    With another kind of sub-module: the depth at which each sub-network has as
    many layers, rounded up (Table 9 compares Plain4Net-6-6-6-6 with
    Basic4ResNet-3-3-3-3).

    Parameters
    ----------
    folder
        Folder of the finished run.
    architecture
        Of the network to return.

    Raises
    ------
    UserError
        If the run is not finished, or has another number of sub-networks.
    """
    file = folder / SUMMARY
    if not file.exists():
        raise UserError(f"{file}: is not there; allowed: the folder of a finished run")
    content = read_json(file)
    if not isinstance(content, dict) or not isinstance(content.get("network"), str):
        raise UserError(f"{file}: network: missing; allowed: the summary of a finished run")
    found = parse_network(content["network"])
    if found.architecture.sub_networks != architecture.sub_networks:
        raise UserError(
            f"{file}: {found} has {found.architecture.sub_networks} sub-networks, "
            f"{architecture.name} has {architecture.sub_networks}; allowed: as many"
        )
    old, new = (LAYERS[a.block] for a in (found.architecture, architecture))
    return NetworkName(architecture, tuple(-(-d * old // new) for d in found.depth))


def spec_checksum(spec: dict[str, Any]) -> str:
    """Return a checksum of a run's spec, by which its summary is known."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()


def finished_summary(folder: Path) -> dict[str, Any] | None:
    """Return the summary of a finished run, None if the run is not finished.

    A summary of another spec than spec.json's is none of this run.
    """
    if not ((folder / SUMMARY).exists() and (folder / WEIGHTS).exists()):
        return None
    summary = read_json(folder / SUMMARY)
    if not isinstance(summary, dict):
        raise UserError(f"{folder / SUMMARY}: is no summary of a run; delete it to start over")
    return summary if is_of_its_spec(folder, summary) else None


def is_of_its_spec(folder: Path, summary: Mapping[str, Any]) -> bool:
    """Return whether a folder's summary is of the run that spec.json there describes.

    It is not if someone has put back a file of an earlier run, as Snakemake does when a
    job fails.
    """
    if not (folder / SPEC).exists():
        return True
    checksum = spec_checksum(read_json(folder / SPEC))
    return summary.get("spec_checksum", checksum) == checksum


def write_metrics(folder: Path, epochs: Sequence[Epoch], *, sync: bool = False) -> None:
    """Write metrics.csv."""
    write_csv(folder / METRICS, METRICS_HEADER, (e.row() for e in epochs), sync=sync)


def write_growth(folder: Path, events: Sequence[Event], *, sync: bool = False) -> None:
    """Write growth.csv."""
    write_csv(folder / GROWTH, GROWTH_HEADER, (e.row() for e in events), sync=sync)


def write_weights(folder: Path, network: Any, description: dict[str, Any]) -> None:
    """Write the network's weights, with what is needed to build it again.

    Parameters
    ----------
    folder
        The run's folder.
    network
        The trained network.
    description
        Name with depth, image_channels, classes, stem and width.
    """
    from autogrow.tensorfiles import write_tensors

    about = {"network": json.dumps(description)}
    write_tensors(folder / WEIGHTS, network.state_dict(), about)


def load_network(folder: str | Path) -> Any:
    """Return the trained network of a run's folder, in evaluation mode.

    Raises
    ------
    UserError
        If there are no readable weights.
    """
    import safetensors
    import safetensors.torch

    from autogrow.networks import build_network

    file = Path(folder) / WEIGHTS
    try:
        with safetensors.safe_open(file, "pt") as content:
            description = json.loads((content.metadata() or {})["network"])
        tensors = safetensors.torch.load_file(file)
        network = build_network(parse_network(description.pop("name")), **description)
        network.load_state_dict(tensors)
    except (OSError, KeyError, TypeError, RuntimeError, ValueError) as error:
        raise UserError(f"{file}: no weights of a run: {error}") from None
    except safetensors.SafetensorError as error:
        raise UserError(f"{file}: no readable weights: {error}") from None
    return network.eval()


@cache
def git_commit() -> str | None:
    """Return the commit of this source tree, with ``+`` for changes; None outside git."""
    here = Path(__file__).resolve().parent

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(here), *arguments], capture_output=True, text=True, timeout=30
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    commit = git("rev-parse", "HEAD")
    if commit is None or git("ls-files", "--error-unmatch", Path(__file__).name) is None:
        return None
    return commit + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")


def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    import numpy
    import torch

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "autogrow": __version__,
    }
