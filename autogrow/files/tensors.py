"""Files of tensors (safetensors), written atomically and from where the tensors are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor

from autogrow.errors import UserError
from autogrow.files.writing import write_bytes

DIGEST = 64
"""Hexadecimal characters of a SHA-256."""


def write_tensors(
    path: Path,
    tensors: Mapping[str, Tensor],
    metadata: dict[str, str] | None = None,
    *,
    sealed: bool = False,
) -> None:
    """Write a safetensors file through a temporary file, fsync and rename.

    Parameters
    ----------
    path
        The file.
    tensors
        By name; on any device, in any memory layout.
    metadata
        Texts to go with them.
    sealed
        Whether the content's SHA-256 follows it, for :func:`read_sealed`.

    Raises
    ------
    UserError
        If the file cannot be written; what was there before is left as it was.
    """
    plain = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}

    def write(temporary: Path) -> None:
        # Not `safetensors.torch.save`: it holds the whole content twice, and ends or hangs
        # the process where there is no memory for that.
        mode = temporary.stat().st_mode
        try:
            safetensors.torch.save_file(plain, temporary, metadata)
        except safetensors.SafetensorError as error:
            raise UserError(f"{path}: cannot be written: {error}") from None
        temporary.chmod(mode)  # the library lets nobody but the owner read it
        if sealed:
            with temporary.open("r+b") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                file.write(digest.encode())

    write_bytes(path, write)


def read_sealed(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a sealed file.

    Raises
    ------
    OSError, ValueError
        If the file cannot be read or is damaged.
    """
    with path.open("rb") as file:
        data = file.read(max(0, path.stat().st_size - DIGEST))
        digest = file.read()
    if digest != hashlib.sha256(data).hexdigest().encode():
        raise ValueError("its checksum does not fit its content")
    return safetensors.torch.load(data)
