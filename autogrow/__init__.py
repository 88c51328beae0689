"""AutoGrow: automatic layer growing in deep convolutional networks.

The public interface is loaded on first use, so that commands that need no
torch (``autogrow replay``, the tables) start at once.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "AutogrowSpec": "autogrow.config.spec",
    "Callback": "autogrow.training.callbacks",
    "ConvergentGrowth": "autogrow.growth.policies",
    "DataPlugin": "autogrow.data",
    "DatasetInfo": "autogrow.data",
    "Decision": "autogrow.growth.policies",
    "Description": "autogrow.runs.description",
    "Epoch": "autogrow.training.metrics",
    "Event": "autogrow.growth.algorithm",
    "Execution": "autogrow.config.execution",
    "Found": "autogrow.api.found",
    "Growable": "autogrow.networks.growable",
    "Growth": "autogrow.growth.algorithm",
    "ImageData": "autogrow.data",
    "Initializer": "autogrow.networks.initializers",
    "InterruptedRunError": "autogrow.errors",
    "Logger": "autogrow.runs.loggers",
    "MorphSpec": "autogrow.config.spec",
    "NetworkPlugin": "autogrow.networks.plugin",
    "Observed": "autogrow.growth.algorithm",
    "PeriodicGrowth": "autogrow.growth.policies",
    "Policy": "autogrow.growth.policies",
    "Predictions": "autogrow.using.loading",
    "ScratchSpec": "autogrow.config.spec",
    "Split": "autogrow.data",
    "Summary": "autogrow.runs.summary",
    "TrainedNetwork": "autogrow.using.loading",
    "Trial": "autogrow.growth.algorithm",
    "UserError": "autogrow.errors",
    "build_network": "autogrow.networks.growable",
    "depth_of": "autogrow.networks.growable",
    "grow": "autogrow.api.growing",
    "grow_sub_module": "autogrow.api.sub_modules",
    "growable": "autogrow.networks.any_module",
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
    # Torch's threads read it when torch is imported: threads that wait do not spin then.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
