"""Checkpoints of a run: network, optimizers and records between two steps.

A checkpoint is one file: safetensors holding the network's state, the optimizer's state
by parameter name, Adam's state while AdamInit is at work, the same of a twin while a growth is
on trial, and the run's records as JSON;
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
from autogrow.training.optimizer import SGD, Optimizer
from autogrow.training.twin import Twin
from autogrow.training.unfinished import checkpoint_files as files

FOREIGN = {
    "format": "written by another version of autogrow",
    "spec_checksum": "of a run with other settings",
    "data_checksum": "of other data than {data} is now (its checksum differs)",
}
"""What a checkpoint is, by the value in which it differs from the run."""
OF_TWIN = "twin."
NOBODY: Mapping[str, object] = MappingProxyType({})


def save(
    folder: Path,
    epochs: int,
    steps: int,
    network: nn.Module,
    optimizer: Optimizer,
    state: dict[str, Any],
    *,
    adam: torch.optim.Adam | None = None,
    twin: Twin | None = None,
) -> None:
    """Write a checkpoint and drop those before it but the last.

    ``state`` holds the run's records as plain values. Among the steps trained so far
    AdamInit's and a twin's count; among the epochs they do not.
    """
    tensors = _tensors_of(network, optimizer)
    if twin is not None:
        there = _tensors_of(twin.network, twin.optimizer)
        tensors |= {f"{OF_TWIN}{name}": tensor for name, tensor in there.items()}
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


def _tensors_of(network: nn.Module, optimizer: Optimizer) -> dict[str, Tensor]:
    """Return all tensors of a network and its optimizer, by what they are called in the file."""
    tensors = {f"network.{name}": t for name, t in network.state_dict().items()}
    for name, parameter in network.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor):
                tensors[f"{_prefix(key)}{name}"] = value
    return tensors


def of_twin(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return those of a checkpoint's tensors that are the twin's."""
    return _part(tensors, OF_TWIN)


def _prefix(key: str) -> str:
    """Return what a tensor of an optimizer's state is called before its parameter's name."""
    return "momentum." if key == "momentum_buffer" else f"optimizer.{key}."


def plain_values(network: nn.Module, optimizer: Optimizer) -> dict[str, Any]:
    """Return what a caller's optimizer remembers besides tensors; nothing of our own SGD.

    Raises
    ------
    UserError
        If there is something that is neither a tensor nor a plain value.
    """
    if isinstance(optimizer, SGD):
        return {}
    groups = [{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups]
    values: dict[str, dict[str, Any]] = {}
    for name, parameter in network.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            values.setdefault(name, {})
            if not isinstance(value, Tensor):
                values[name][key] = value
    try:
        return {"optimizer": json.loads(json.dumps({"groups": groups, "values": values}))}
    except TypeError as error:
        raise UserError(
            f"optimizer: its state cannot be kept ({error}); allowed: an optimizer whose state is "
            "tensors, numbers and texts"
        ) from None


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


def restore(
    tensors: dict[str, Tensor], values: dict[str, Any], network: nn.Module, optimizer: Optimizer
) -> None:
    """Put a checkpoint's tensors and values into a network of the same depth and its optimizer."""
    network.load_state_dict(_part(tensors, "network."))
    parameters = dict(network.named_parameters())
    for name, momentum in _part(tensors, "momentum.").items():
        buffer = torch.empty_like(parameters[name]).copy_(momentum)
        optimizer.state[parameters[name]] = {"momentum_buffer": buffer}
    if "optimizer" in values:
        _restore_own(_part(tensors, "optimizer."), values["optimizer"], parameters, optimizer)


def _restore_own(
    tensors: dict[str, Tensor],
    values: dict[str, Any],
    parameters: dict[str, nn.Parameter],
    optimizer: Optimizer,
) -> None:
    """Put back the rest of what a caller's optimizer remembers."""
    settings: dict[int, dict[str, Any]] = {}
    for group, kept in zip(optimizer.param_groups, values["groups"], strict=True):
        group |= {k: tuple(v) if isinstance(v, list) else v for k, v in kept.items()}
        settings |= {id(parameter): group for parameter in group["params"]}
    for name, plain in values["values"].items():
        optimizer.state[parameters[name]] = {**optimizer.state.get(parameters[name], {}), **plain}
    for place, tensor in tensors.items():
        key, _, name = place.partition(".")
        parameter, group = parameters[name], settings[id(parameters[name])]
        if tensor.shape == parameter.shape and tensor.ndim:  # in the parameter's memory layout
            value = torch.empty_like(parameter, dtype=tensor.dtype).copy_(tensor)
        elif key == "step" and not (group.get("fused") or group.get("capturable")):
            value = tensor  # torch counts steps on the CPU
        else:
            value = tensor.to(parameter.device)
        optimizer.state[parameter][key] = value


def restore_adam(tensors: dict[str, Tensor], adam: torch.optim.Adam) -> None:
    """Put a checkpoint's state of AdamInit, if it has one, into a new Adam."""
    for i, parameter in enumerate(adam.param_groups[0]["params"]):
        state = _part(tensors, f"adam.{i}.")
        if state:
            step = state.pop("step")  # Adam counts its steps on the CPU
            state = {k: torch.empty_like(parameter).copy_(t) for k, t in state.items()}
            adam.state[parameter] = {"step": step, **state}
