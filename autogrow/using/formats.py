"""The formats in which a trained network is exported. Imports no torch."""

from __future__ import annotations

from typing import Literal, get_args

Format = Literal["onnx", "torch-export", "safetensors"]
FORMATS: tuple[Format, ...] = get_args(Format)
NAMES: dict[Format, str] = {
    "onnx": "network.onnx",
    "torch-export": "network.pt2",
    "safetensors": "network.safetensors",
}
"""What a file of each format is called in a run's folder."""
