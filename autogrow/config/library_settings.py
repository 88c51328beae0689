"""What the settings of a run mean for a network of timm, torchvision, or an installed package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autogrow.config.shared_settings import RunSpec
from autogrow.errors import UserError, shown
from autogrow.files.reading import file_sha256, require_digest
from autogrow.networks.names import is_library, is_plugin


def library_settings(spec: RunSpec) -> dict[str, Any]:
    """Return the settings that a library decides on, and the checksum of pretrained weights.

    Raises
    ------
    UserError
        If the library has no such choice, or pretrained weights cannot be read or are others.
    """
    name = spec.architecture.name
    library = is_library(name)
    if (not library or is_plugin(name)) and (spec.pretrained or spec.pretrained_sha256):
        key = "pretrained" if spec.pretrained else "pretrained_sha256"
        raise UserError(
            f"{key}: found {shown(getattr(spec, key))} with the network {name}; allowed: a "
            "network of timm or torchvision"
        )
    if not library:
        return {}
    from autogrow.networks.libraries import model_of

    model = model_of(name)
    width = model.width
    wanted = {"width": (None, width), "shortcut": ("B",), "bn_weights": ("ones",)}
    for key, allowed in wanted.items():
        if getattr(spec, key) not in allowed:
            raise UserError(
                f"{key}: found {shown(getattr(spec, key))} with the network {name}; allowed: "
                f"none or {allowed[-1]}, as the library has its own"
            )
    rate = spec.learning_rate or model.learning_rate
    return {"width": width, "learning_rate": rate, "pretrained_sha256": _sha256(spec)}


def _sha256(spec: RunSpec) -> str:
    """Return the checksum of the pretrained weights, empty if there are none."""
    if not spec.pretrained:
        if spec.pretrained_sha256:
            raise UserError("pretrained_sha256: found without pretrained; allowed: both, or none")
        return ""
    file = Path(spec.pretrained)
    found = file_sha256(file, "a safetensors file of pretrained weights")
    if spec.pretrained_sha256:
        require_digest(file, "SHA-256", found, spec.pretrained_sha256, "as pretrained_sha256 says")
    return found
