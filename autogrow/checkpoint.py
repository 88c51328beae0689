"""Checkpoints of a run: network, optimizers and records between two steps.

A checkpoint is one file: safetensors holding the network's state, the
optimizer's momentum by parameter name, Adam's state while AdamInit is at work,
and the run's records as JSON; then the SHA-256 of all that. It is written
atomically, the last two are kept, and nothing in it is ever unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from autogrow.errors import UserError
from autogrow.optimizer import SGD
from autogrow.tensorfiles import read_sealed, write_tensors

KEPT = 2
_STATE = "state"


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

    Parameters
    ----------
    folder
        The run's folder.
    epochs, steps
        Trained so far, AdamInit's epochs not counted, its steps counted: where the run is.
    network, optimizer, adam
        What to save.
    state
        The run's records, as plain values.
    """
    tensors = {f"network.{name}": t for name, t in network.state_dict().items()}
    for name, parameter in network.named_parameters():
        momentum = optimizer.state.get(parameter, {}).get("momentum_buffer")
        if momentum is not None:
            tensors[f"momentum.{name}"] = momentum
    for i, values in _adams(adam):
        tensors |= {f"adam.{i}.{key}": tensor for key, tensor in values.items()}
    text = np.frombuffer(json.dumps(state).encode(), dtype=np.uint8)
    tensors[_STATE] = torch.from_numpy(text.copy())
    file = folder / f"checkpoint-{epochs:06d}-{steps:010d}.safetensors"
    write_tensors(file, tensors, sealed=True)
    for old in files(folder)[:-KEPT]:
        old.unlink()


def files(folder: Path) -> list[Path]:
    """Return the folder's checkpoint files, oldest first."""
    return sorted(folder.glob("checkpoint-[0-9]*.safetensors"))


def remove(folder: Path) -> None:
    """Remove all checkpoints of a run that is complete."""
    for file in files(folder):
        file.unlink()


def load_latest(
    folder: Path, warn: Callable[[str], None]
) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Return tensors and state of the newest good checkpoint, None if there is no checkpoint.

    Parameters
    ----------
    folder
        The run's folder.
    warn
        Told of every damaged checkpoint that is passed over.

    Raises
    ------
    UserError
        If there are checkpoints but none is good: the run must not start over
        unasked.
    """
    candidates = files(folder)
    for file in reversed(candidates):
        try:
            return _load(file)
        except (OSError, ValueError) as error:
            warn(f"{file}: damaged checkpoint passed over ({error})")
    if candidates:
        raise UserError(
            f"{folder}: none of the {len(candidates)} checkpoints can be read; "
            "start over with --restart"
        )
    return None


def _load(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    tensors = read_sealed(file)
    return tensors, json.loads(tensors.pop(_STATE).numpy().tobytes())


def restore(tensors: dict[str, Tensor], network: nn.Module, optimizer: SGD) -> None:
    """Put a checkpoint's tensors into a network of the same depth and its optimizer."""
    prefix = "network."
    network.load_state_dict(
        {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
    )
    for name, parameter in network.named_parameters():
        momentum = tensors.get(f"momentum.{name}")
        if momentum is not None:
            buffer = torch.empty_like(parameter).copy_(momentum)
            optimizer.state[parameter] = {"momentum_buffer": buffer}


def restore_adam(tensors: dict[str, Tensor], adam: torch.optim.Adam) -> None:
    """Put a checkpoint's state of AdamInit, if it has one, into a new Adam."""
    for i, parameter in enumerate(adam.param_groups[0]["params"]):
        prefix = f"adam.{i}."
        state = {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
        if state:
            step = state.pop("step")  # Adam counts its steps on the CPU
            state = {k: torch.empty_like(parameter).copy_(t) for k, t in state.items()}
            adam.state[parameter] = {"step": step, **state}


def _adams(adam: torch.optim.Adam | None) -> Iterator[tuple[int, dict[str, Tensor]]]:
    if adam is not None:
        for i, parameter in enumerate(adam.param_groups[0]["params"]):
            yield i, adam.state.get(parameter, {})
