"""Checkpoints of a run: network, optimizers and records between two steps.

A checkpoint is one file: safetensors holding the network's state, the optimizer's momentum
by parameter name, Adam's state while AdamInit is at work, and the run's records as JSON;
then the SHA-256 of all that. It is written atomically, the last two are kept, and nothing
in it is ever unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from autogrow.errors import UserError
from autogrow.files.tensors import read_sealed, write_tensors
from autogrow.training.optimizer import SGD
from autogrow.training.unfinished import checkpoint_files as files

FOREIGN = {
    "format": "written by another version of autogrow",
    "spec_checksum": "of a run with other settings",
    "data_checksum": "of other data than {data} is now (its checksum differs)",
}
"""What a checkpoint is, by the value in which it differs from the run."""
NOBODY: Mapping[str, object] = MappingProxyType({})


def save(
    folder: Path,
    epochs: int,
    steps: int,
    network: nn.Module,
    optimizer: SGD,
    state: dict[str, Any],
    *,
    adam: torch.optim.Adam | None = None,
) -> None:
    """Write a checkpoint and drop those before it but the last.

    ``state`` holds the run's records as plain values. Among the steps trained so far
    AdamInit's count; among the epochs they do not.
    """
    tensors = {f"network.{name}": t for name, t in network.state_dict().items()}
    for name, parameter in network.named_parameters():
        if parameter in optimizer.state:
            tensors[f"momentum.{name}"] = optimizer.state[parameter]["momentum_buffer"]
    if adam is not None:
        for i, parameter in enumerate(adam.param_groups[0]["params"]):
            values = adam.state.get(parameter, {})
            tensors |= {f"adam.{i}.{key}": tensor for key, tensor in values.items()}
    text = bytearray(json.dumps(state).encode())
    tensors["state"] = torch.frombuffer(text, dtype=torch.uint8)
    file = folder / f"checkpoint-{epochs:06d}-{steps:010d}.safetensors"
    write_tensors(file, tensors, sealed=True)
    for old in [f for f in files(folder) if f < file][:-1]:  # one passed over may be after it
        old.unlink()


def load_latest(
    folder: Path, warn: Callable[[str], None], owner: Mapping[str, object] = NOBODY
) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Return tensors and state of the newest good checkpoint, None if there is no checkpoint.

    ``warn`` is called with a message about every damaged or foreign checkpoint that is passed
    over. A foreign one has another value than the run's ``owner`` under a key of ``FOREIGN``.

    Raises
    ------
    UserError
        If there are checkpoints but none is good, because a run must not start over
        unless it is asked to.
    """
    bad: dict[Path, str] = {}
    for file in reversed(files(folder)):
        try:
            tensors = read_sealed(file)
            state = json.loads(tensors.pop("state").numpy().tobytes())
            differing = [key for key, value in owner.items() if state.get(key) != value]
        except (OSError, ValueError, KeyError, AttributeError, SafetensorError) as error:
            bad[file] = f"damaged ({error})"
            continue
        if not differing:
            for other, reason in bad.items():
                warn(f"{other}: {reason}: this checkpoint is passed over")
            return tensors, state
        bad[file] = FOREIGN[differing[0]].format(**owner)
    if bad:
        file, reason = next(iter(bad.items()))
        raise UserError(
            f"{file}: {reason}; none of the {len(bad)} checkpoints is good: bring back what they "
            "were made with, or start over with --restart"
        )
    return None


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}


def restore(tensors: dict[str, Tensor], network: nn.Module, optimizer: SGD) -> None:
    """Put a checkpoint's tensors into a network of the same depth and its optimizer."""
    network.load_state_dict(_part(tensors, "network."))
    parameters = dict(network.named_parameters())
    for name, momentum in _part(tensors, "momentum.").items():
        buffer = torch.empty_like(parameters[name]).copy_(momentum)
        optimizer.state[parameters[name]] = {"momentum_buffer": buffer}


def restore_adam(tensors: dict[str, Tensor], adam: torch.optim.Adam) -> None:
    """Put a checkpoint's state of AdamInit, if it has one, into a new Adam."""
    for i, parameter in enumerate(adam.param_groups[0]["params"]):
        state = _part(tensors, f"adam.{i}.")
        if state:
            step = state.pop("step")  # Adam counts its steps on the CPU
            state = {k: torch.empty_like(parameter).copy_(t) for k, t in state.items()}
            adam.state[parameter] = {"step": step, **state}
