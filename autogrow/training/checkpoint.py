"""Checkpoints of a run: network, optimizers and records between two steps.

A checkpoint is one file: safetensors holding the network's state, the
optimizer's momentum by parameter name, Adam's state while AdamInit is at work,
and the run's records as JSON; then the SHA-256 of all that. It is written
atomically, the last two are kept, and nothing in it is ever unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from autogrow.errors import UserError
from autogrow.files.tensors import read_sealed, write_tensors
from autogrow.growth.algorithm import Depth
from autogrow.training.epoch import Tally
from autogrow.training.metrics import Epoch
from autogrow.training.optimizer import SGD
from autogrow.training.unfinished import Halving
from autogrow.training.unfinished import checkpoint_files as files

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
        Run folder.
    epochs, steps
        Epochs and steps trained so far. AdamInit's steps count, its epochs do not.
    network, optimizer, adam
        What the checkpoint holds.
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


def load_latest(
    folder: Path, warn: Callable[[str], None]
) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Return tensors and state of the newest good checkpoint, None if there is no checkpoint.

    Parameters
    ----------
    folder
        Run folder.
    warn
        Is told of every damaged checkpoint that is passed over.

    Raises
    ------
    UserError
        If there are checkpoints but none is good, because a run must not start over
        unless it is asked to.
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


FORMAT = 2
"""Version of the values in a checkpoint; a run cannot resume from another version's."""


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Parameters
    ----------
    epochs
        All epochs recorded so far.
    depth
        Depth of the network; growth may be ahead of the last epoch.
    steps
        Optimizer steps in these epochs.
    tally
        Sums over all processes of the epoch that has begun.
    seconds
        Wall time that this epoch has taken so far.
    halvings
        Where a GPU's memory ran out.
    data_checksum
        Checksum of the data set.
    """

    epochs: Sequence[Epoch]
    depth: Depth
    steps: int
    tally: Tally
    seconds: float
    halvings: Sequence[Halving]
    data_checksum: str

    @classmethod
    def start(cls, data_checksum: str) -> Self:
        """Return the progress of a run that has not begun."""
        return cls([], (), 0, Tally(), 0.0, [], data_checksum)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        values = {k: v for k, v in vars(self).items() if k not in ("epochs", "tally", "halvings")}
        return {
            **values,
            "format": FORMAT,
            "epochs": [asdict(e) for e in self.epochs],
            "tally": {k: float(v) for k, v in vars(self.tally).items()},
            "halvings": [asdict(h) for h in self.halvings],
        }

    @classmethod
    def from_json(cls, values: dict[str, Any], folder: Path, data: str, checksum: str) -> Self:
        """Return the progress that :meth:`to_json` gave.

        Parameters
        ----------
        values
            Values of a checkpoint.
        folder, data, checksum
            Run folder, name of the data set, and that data set's present checksum.

        Raises
        ------
        UserError
            If another version of this package wrote them, or the data has changed.
        """
        values = dict(values)
        if values.pop("format", 1) != FORMAT:
            raise UserError(
                f"{folder}: its checkpoints are of another version of autogrow; finish the run "
                "with that one, or start over with --restart"
            )
        if values["data_checksum"] != checksum:
            raise UserError(
                f"{folder}: data {data!r} is not what this run began with "
                "(its checksum differs); restore it, or start over with --restart"
            )
        sums = values.pop("tally")
        loss = sums.pop("loss")
        return cls(
            epochs=[Epoch(**e) for e in values.pop("epochs")],
            depth=tuple(values.pop("depth")),
            tally=Tally(loss=loss, **{k: int(v) for k, v in sums.items()}),
            halvings=[Halving(**h) for h in values.pop("halvings")],
            **values,
        )
