"""The files of a run's folder: what they hold, and how they are read back.

Never imports torch but to write or load weights.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autogrow.config.resolved import ResolvedSpec, parse_resolved
from autogrow.config.spec import spec_checksum, to_json
from autogrow.errors import UserError
from autogrow.files.writing import write_csv
from autogrow.files.yaml import read_yaml
from autogrow.growth.algorithm import GROWTH_HEADER, Event
from autogrow.networks.names import LAYERS, Architecture, NetworkName, parse_network
from autogrow.runs.summary import SUMMARY, Summary, read_summary

SPEC = "spec.yaml"
GROWTH = "growth.csv"
WEIGHTS = "weights.safetensors"


def read_spec(folder: Path) -> ResolvedSpec:
    """Return the resolved spec of the run in a folder; what cannot be read is a UserError."""
    file = folder / SPEC
    return parse_resolved(read_yaml(file), str(file))


def found_network(folder: Path, architecture: Architecture) -> NetworkName:
    """Return the network of an architecture that is as deep as a finished run's net.

    With another kind of sub-module: the depth at which each sub-network has as
    many layers, rounded up (Table 9 compares Plain4Net-6-6-6-6 with
    Basic4ResNet-3-3-3-3). An unfinished run, and one with another number of
    sub-networks, is a UserError.
    """
    file = folder / SUMMARY
    if not file.exists():
        raise UserError(f"{file}: is not there; allowed: the folder of a finished run")
    found = parse_network(read_summary(file).network)
    if found.architecture.sub_networks != architecture.sub_networks:
        raise UserError(
            f"{file}: {found} has {found.architecture.sub_networks} sub-networks, "
            f"{architecture.name} has {architecture.sub_networks}; allowed: as many"
        )
    old, new = (LAYERS[a.block] for a in (found.architecture, architecture))
    return NetworkName(architecture, tuple(-(-d * old // new) for d in found.depth))


def finished_summary(folder: Path, spec: ResolvedSpec) -> Summary | None:
    """Return the summary of the finished run of this spec, None if it is not finished.

    The summary may be of another spec if someone has put back a file of an earlier run, as
    Snakemake does when a job fails.
    """
    if not ((folder / SUMMARY).exists() and (folder / WEIGHTS).exists()):
        return None
    summary = read_summary(folder / SUMMARY)
    return summary if summary.spec_checksum in (None, spec_checksum(to_json(spec))) else None


def write_growth(folder: Path, events: Sequence[Event], *, sync: bool = False) -> None:
    """Write growth.csv."""
    write_csv(folder / GROWTH, GROWTH_HEADER, (e.row() for e in events), sync=sync)


def write_weights(folder: Path, network: Any, description: dict[str, Any]) -> None:
    """Write the network's weights, with the description from which it can be built again."""
    from autogrow.files.tensors import write_tensors

    write_tensors(folder / WEIGHTS, network.state_dict(), {"network": json.dumps(description)})


def load_network(folder: str | Path) -> Any:
    """Return the trained network of a run's folder, in evaluation mode.

    Raises
    ------
    UserError
        If there are no readable weights.
    """
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import load_file

    from autogrow.networks.growable import build_network

    file = Path(folder) / WEIGHTS
    try:
        with safe_open(file, "pt") as content:
            description = json.loads((content.metadata() or {})["network"])
        tensors = load_file(file)
        network = build_network(parse_network(description.pop("name")), **description)
        network.load_state_dict(tensors)
    except (OSError, KeyError, TypeError, RuntimeError, ValueError, SafetensorError) as error:
        raise UserError(f"{file}: no weights of a run: {error}") from None
    return network.eval()
