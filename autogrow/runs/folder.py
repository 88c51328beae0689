"""The files of a run's folder: what they hold, and how they are read back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autogrow.config.execution import Execution
from autogrow.errors import UserError
from autogrow.files.reading import read_json
from autogrow.files.writing import write_csv, write_json
from autogrow.growth.algorithm import GROWTH_HEADER, Event
from autogrow.networks.names import LAYERS, Architecture, NetworkName, parse_network
from autogrow.training.metrics import METRICS
from autogrow.training.reporter import Reporter
from autogrow.training.unfinished import MICRO_BATCH, remove_checkpoints

if TYPE_CHECKING:
    from autogrow.process.distributed import World

SPEC = "spec.json"
GROWTH = "growth.csv"
SUMMARY = "summary.json"
WEIGHTS = "weights.safetensors"


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
    from autogrow.files.tensors import write_tensors

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

    from autogrow.networks.growable import build_network

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
            check_folder(folder, spec)
        elif (folder / SPEC).exists() and read_json(folder / SPEC) != spec:
            clear_folder(folder)
        if execution.restart:
            clear_folder(folder)
    world.wait()
    summary = finished_summary(folder)
    if summary is not None:
        if world.first:  # a process that was killed at its very end may have left some
            remove_remains(folder)
        with Reporter(folder, quiet=execution.quiet, silent=not world.first) as reporter:
            reporter.say(f"{folder}: this run is complete; nothing to do")
    return summary


def remove_remains(folder: Path) -> None:
    """Remove what only an unfinished run needs, from the folder of a finished one."""
    remove_checkpoints(folder)
    (folder / MICRO_BATCH).unlink(missing_ok=True)
    remove_strays(folder)
