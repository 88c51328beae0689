"""A trained network as a file for other programs, from raw images to probabilities."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from autogrow.errors import UserError
from autogrow.files.tensors import write_tensors
from autogrow.files.writing import write_bytes
from autogrow.runs.folder import WEIGHTS, read_content
from autogrow.using.formats import Format
from autogrow.using.loading import TrainedNetwork
from autogrow.using.preparing import Preparation

INPUT, OUTPUTS = "images", ("logits", "probabilities")
METADATA = "autogrow"
"""Under this key, a file's metadata has the description of the network as JSON."""


class RawNetwork(nn.Module):
    """Maps raw images, uint8 (N, S, S, C), to logits and probabilities, both (N, classes)."""

    def __init__(self, trained: TrainedNetwork) -> None:
        super().__init__()
        self.prepare = Preparation(trained.description)
        self.network = trained.network

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and probabilities of raw images."""
        logits = self.network(self.prepare(images))
        return logits, logits.softmax(1)


def export(trained: TrainedNetwork, file: Path, form: Format) -> None:
    """Write a trained network to a file.

    ``onnx`` and ``torch-export`` take batches of any number of raw images, uint8 (N, S, S, C),
    under the name ``images``, and give ``logits`` and ``probabilities``: the normalisation is
    inside. What is not, the resizing of photographs, is in the metadata, with all that
    :class:`autogrow.runs.description.Description` has. ``safetensors`` are the weights with that
    description.

    Parameters
    ----------
    trained
        What :func:`autogrow.load` returned, on the CPU.
    file
        Where to write; what is there is replaced.
    form
        One of :data:`autogrow.using.formats.FORMATS`.

    Raises
    ------
    UserError
        If the file cannot be written, or the extra ``onnx`` is not installed.
    """
    if form == "safetensors":
        content = read_content(trained.folder / WEIGHTS) | trained.description.to_json()
        write_tensors(file, trained.network.state_dict(), {"network": json.dumps(content)})
        return
    description = trained.description
    size, channels = description.raw_size, description.channels
    # Of one image, an exporter would take the batch for a constant.
    images = torch.zeros(2, size, size, channels, dtype=torch.uint8)
    program = torch.export.export(
        RawNetwork(trained).eval(),
        (images,),
        dynamic_shapes={INPUT: {0: torch.export.Dim("batch")}},
    )
    facts = json.dumps(trained.description.model_dump())
    if form == "torch-export":
        extra = {METADATA: facts}
        write_bytes(file, lambda temporary: _save(program, temporary, extra))
    else:
        write_bytes(file, _onnx(program, facts))


def _save(program: Any, temporary: Path, extra: dict[str, str]) -> None:
    with temporary.open("wb") as opened:
        torch.export.save(program, opened, extra_files=extra)


def _onnx(program: Any, facts: str) -> bytes:
    """Return the content of an ONNX file."""
    try:
        import onnx
        import onnxscript  # noqa: F401 (torch asks for it)
    except ImportError:
        raise UserError(
            "format: onnx needs the packages onnx and onnxscript; allowed: pip install "
            "'autogrow[onnx]' first, or another format"
        ) from None
    converted = torch.onnx.export(
        program, input_names=[INPUT], output_names=list(OUTPUTS), dynamo=True, verbose=False
    )
    assert converted is not None
    model = converted.model_proto
    onnx.helper.set_model_props(model, {METADATA: facts})
    return bytes(model.SerializeToString())
