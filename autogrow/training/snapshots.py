"""Snapshots of a run's parameters, from which its trajectory is drawn (Figures 5 and 6).

``snapshots/00012.safetensors`` holds every parameter at the end of epoch 12,
``snapshots/00012-grown.safetensors`` right after the growth that follows it.
"""

from __future__ import annotations

from pathlib import Path

from torch import nn

from autogrow.files.tensors import write_tensors

FOLDER = "snapshots"


def write_snapshot(
    folder: Path, network: nn.Module, *, epoch: int, phase: str, depth: str, grown: bool = False
) -> None:
    """Write the network's parameters, float32, by name; epoch, phase and depth as metadata.

    The phase is ``seed`` before the first epoch, else what the last epoch was for; ``grown``
    says whether the network has grown since that epoch.
    """
    path = folder / FOLDER / f"{epoch:05d}{'-grown' if grown else ''}.safetensors"
    tensors = {name: parameter.float() for name, parameter in network.named_parameters()}
    write_tensors(path, tensors, {"epoch": str(epoch), "phase": phase, "depth": depth})
