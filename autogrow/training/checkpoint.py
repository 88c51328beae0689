"""Checkpoints of a run: network, optimizers and records between two steps.

A checkpoint is one file: safetensors holding the network's state, the optimizer's momentum
by parameter name, Adam's state while AdamInit is at work, and the run's records as JSON;
then the SHA-256 of all that. It is written atomically, the last two are kept, and nothing
in it is ever unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from autogrow.errors import UserError
from autogrow.files.tensors import read_sealed, write_tensors
from autogrow.training.optimizer import SGD
from autogrow.training.unfinished import checkpoint_files as files

KEPT = 2


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
    """Write a checkpoint and drop all but the last two.

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
    for old in files(folder)[:-KEPT]:
        old.unlink()


def load_latest(
    folder: Path, warn: Callable[[str], None]
) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Return tensors and state of the newest good checkpoint, None if there is no checkpoint.

    ``warn`` is called with a message about every damaged checkpoint that is passed over.

    Raises
    ------
    UserError
        If there are checkpoints but none is good, because a run must not start over
        unless it is asked to.
    """
    candidates = files(folder)
    for file in reversed(candidates):
        try:
            tensors = read_sealed(file)
            return tensors, json.loads(tensors.pop("state").numpy().tobytes())
        except (OSError, ValueError) as error:
            warn(f"{file}: damaged checkpoint passed over ({error})")
    if candidates:
        raise UserError(
            f"{folder}: none of the {len(candidates)} checkpoints can be read; "
            "start over with --restart"
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
