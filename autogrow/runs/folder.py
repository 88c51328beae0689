"""The files of a run's folder: what they hold, and how they are read back.

Never imports torch but to write or load weights.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from autogrow.config.resolved import ResolvedSpec, parse_resolved
from autogrow.config.spec import spec_checksum, to_json
from autogrow.errors import UserError
from autogrow.files.reading import require_file
from autogrow.files.seals import Seal, read_seal, seal_file
from autogrow.files.writing import write_csv
from autogrow.files.yaml import read_yaml
from autogrow.growth.algorithm import GROWTH_HEADER, Event
from autogrow.networks.names import LAYERS, Architecture, NetworkName, parse_network
from autogrow.runs.summary import SUMMARY, Summary, read_summary
from autogrow.training.unfinished import checkpoint_files

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
    found = parse_network(read_result(folder).network)
    if found.architecture.sub_networks != architecture.sub_networks:
        raise UserError(
            f"{file}: {found} has {found.architecture.sub_networks} sub-networks, "
            f"{architecture.name} has {architecture.sub_networks}; allowed: as many"
        )
    if not {found.architecture.block, architecture.block} <= LAYERS.keys():
        if found.architecture.name == architecture.name:
            return found
        raise UserError(
            f"{file}: its network is {found}, which says nothing of the depth of "
            f"{architecture.name}; allowed: a run of the same network"
        )
    old, new = (LAYERS[a.block] for a in (found.architecture, architecture))
    return NetworkName(architecture, tuple(-(-d * old // new) for d in found.depth))


def is_unsealed(folder: Path) -> bool:
    """Return whether a folder's run was finished by an older suite, which did not seal.

    A summary without a seal beside checkpoints is of a run that was killed just before its
    seal; the checkpoints continue it.
    """
    file = folder / SUMMARY
    return file.exists() and not seal_file(file).exists() and not checkpoint_files(folder)


def finished(folder: Path) -> Seal | None:
    """Return the seal of a folder's run, None if the run is not finished.

    Raises
    ------
    UserError
        If the run is unsealed, or its seal damaged.
    """
    file = folder / SUMMARY
    return read_seal(file) if seal_file(file).exists() or is_unsealed(folder) else None


def require_finished(folder: Path, *names: str) -> Seal:
    """Return the seal of a finished run of which the named files are as they were sealed.

    Raises
    ------
    UserError
        If the run is not finished, or naming the file that is damaged.
    """
    seal = finished(folder)
    if seal is None:
        raise UserError(f"{folder / SUMMARY}: no summary of a finished run: it is not there")
    seal.check(*names)
    return seal


def read_result(folder: Path) -> Summary:
    """Return the summary of a finished run: this folder's own, by its seal and spec."""
    require_finished(folder, SPEC, SUMMARY)
    return read_summary(folder / SUMMARY)


def check_older(folder: Path) -> None:
    """Check, as far as it can be, that the files of a run without a seal belong together."""
    spec, summary = read_spec(folder), read_summary(folder / SUMMARY)
    if summary.spec_checksum not in (None, spec_checksum(to_json(spec))):
        raise UserError(f"{folder / SUMMARY}: is of another spec than {SPEC}; train the run again")
    if spec.kind == "autogrow":
        require_file(folder / GROWTH, "a file of a finished result")


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
        If the run is not finished or its weights are damaged.

    Examples
    --------
    >>> import tempfile
    >>> import autogrow
    >>> spec = autogrow.ScratchSpec(
    ...     network="Plain3Net-1-1-1", data="digits", data_fraction=0.05, width=2, epochs=1
    ... )
    >>> quiet = autogrow.Execution(device="cpu", threads=1, quiet=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     summary = autogrow.run(spec, folder, execution=quiet)
    ...     autogrow.depth_of(autogrow.load_network(folder))
    (1, 1, 1)
    """
    file = Path(folder) / WEIGHTS
    seal = require_finished(file.parent, SUMMARY)
    # Large weights take a third of the time to check: another thread does that meanwhile.
    with ThreadPoolExecutor(1) as beside:
        checked = beside.submit(seal.check, WEIGHTS)
        try:
            network = read_network(file) if file.is_file() else None
        finally:
            checked.result()  # what it says of a damage is clearer
    return network


def read_content(file: Path) -> dict[str, Any]:
    """Return what a file of weights says of its network and images."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "pt") as opened:
            content = json.loads((opened.metadata() or {})["network"])
        return dict(content.items())
    except (OSError, KeyError, AttributeError, ValueError, SafetensorError) as error:
        raise UserError(f"{file}: no weights of a run: {error}") from None


def read_network(file: Path) -> Any:
    """Return the network of a file of weights that are known to be sound."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from autogrow.networks.by_name import network_by_name
    from autogrow.runs.description import arguments_of

    content = read_content(file)
    if "name" not in content:
        raise UserError(
            f"{file}: is of a network of somebody's own, which no name describes; allowed: "
            "autogrow.load(..., network=NETWORK) with a network like the one that was grown"
        )
    try:
        network = network_by_name(parse_network(content["name"]), **arguments_of(content))
        network.load_state_dict(load_file(file))
    except (OSError, KeyError, TypeError, RuntimeError, ValueError, SafetensorError) as error:
        raise UserError(f"{file}: no weights of a run: {error}") from None
    return network.eval()
