"""AutoGrow: automatic layer growing in deep convolutional networks.

The public interface is loaded on first use, so that commands that need no
torch (``autogrow replay``, the tables) start at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "AutogrowSpec": "autogrow.config.spec",
    "Description": "autogrow.runs.description",
    "Growable": "autogrow.networks.growable",
    "ImageData": "autogrow.data",
    "MorphSpec": "autogrow.config.spec",
    "Predictions": "autogrow.using.loading",
    "ScratchSpec": "autogrow.config.spec",
    "Split": "autogrow.data",
    "TrainedNetwork": "autogrow.using.loading",
    "UserError": "autogrow.errors",
    "build_network": "autogrow.networks.growable",
    "image_data": "autogrow.data",
    "keep_memory": "autogrow.process.memory",
    "load": "autogrow.using.loading",
    "load_network": "autogrow.runs.folder",
    "run": "autogrow.runs.run",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'autogrow' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
