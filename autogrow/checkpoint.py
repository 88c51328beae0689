"""Checkpoints of a run: network, optimizer and records after an epoch.

A checkpoint is one file: the SHA-256 of what follows, then safetensors holding
the network's state, the optimizer's momentum by parameter name, and the run's
records as JSON. It is written atomically, the last two are kept, and nothing
in it is ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn

from autogrow.errors import UserError
from autogrow.files import write_bytes
from autogrow.optimizer import SGD

KEPT = 2
_DIGEST = 64  # hexadecimal characters of a SHA-256
_STATE = "state"


def save(
    folder: Path,
    number: int,
    network: nn.Module,
    optimizer: SGD,
    state: dict[str, Any],
) -> None:
    """Write checkpoint ``number`` and drop all but the last two.

    Parameters
    ----------
    folder
        The run's folder.
    number
        Increases from one checkpoint to the next: epochs trained.
    network, optimizer
        What to save.
    state
        The run's records, as plain values.
    """
    tensors = {f"network.{name}": t for name, t in network.state_dict().items()}
    for name, parameter in network.named_parameters():
        momentum = optimizer.state.get(parameter, {}).get("momentum_buffer")
        if momentum is not None:
            tensors[f"momentum.{name}"] = momentum
    text = np.frombuffer(json.dumps(state).encode(), dtype=np.uint8)
    tensors[_STATE] = torch.from_numpy(text.copy())
    data = safetensors.torch.save({k: t.detach().cpu().contiguous() for k, t in tensors.items()})
    digest = hashlib.sha256(data).hexdigest().encode()
    write_bytes(folder / f"checkpoint-{number:06d}.safetensors", digest + data)
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
    content = file.read_bytes()
    digest, data = content[:_DIGEST], content[_DIGEST:]
    if digest != hashlib.sha256(data).hexdigest().encode():
        raise ValueError("its checksum does not fit its content")
    tensors = safetensors.torch.load(data)
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
