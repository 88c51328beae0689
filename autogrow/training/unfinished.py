"""What the folder of an unfinished run holds beside its records: checkpoints and a halving.

Imports no torch, so that a command which only looks at run folders answers at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from autogrow.errors import UserError
from autogrow.files.reading import read_bytes
from autogrow.files.writing import write_json

MICRO_BATCH = "micro_batch.json"


def checkpoint_files(folder: Path) -> list[Path]:
    """Return a folder's checkpoint files, oldest first."""
    return sorted(folder.glob("checkpoint-[0-9]*.safetensors"))


def remove_checkpoints(folder: Path) -> None:
    """Remove all checkpoints of a run that is complete."""
    for file in checkpoint_files(folder):
        file.unlink()


@dataclass(frozen=True)
class Halving:
    """Where a GPU's memory ran out, and the most images at once in a process from there on."""

    epoch: Annotated[int, Field(ge=1)]
    depth: str
    micro_batch: Annotated[int, Field(ge=1)]

    def __str__(self) -> str:
        return (
            f"out of GPU memory in epoch {self.epoch} at depth {self.depth}: from here on at most "
            f"{self.micro_batch} images at once, gradients accumulated to the same batch; BN "
            f"statistics are of {self.micro_batch} images"
        )


def write_halving(folder: Path, halving: Halving) -> None:
    """Keep a halving for the next start, after one of several processes ran out of memory."""
    write_json(folder / MICRO_BATCH, asdict(halving))


def with_written_halving(folder: Path, halvings: Sequence[Halving]) -> list[Halving]:
    """Return a checkpoint's halvings, and one that :func:`write_halving` has kept since."""
    known = list(halvings)
    file = folder / MICRO_BATCH
    if file.exists():
        try:
            content = read_bytes(file, "a halving of the micro-batch", 2**16)
            written = TypeAdapter(Halving).validate_json(content, strict=True)
        except ValidationError:
            raise UserError(f"{file}: found no halving of the micro-batch; delete it") from None
        if not known or written.micro_batch < known[-1].micro_batch:
            known.append(written)
    return known
