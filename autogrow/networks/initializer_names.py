"""The initializers of a new sub-module, by the names that settings give them. Knows no torch.

A new initializer is a file with a subclass of
:class:`autogrow.networks.initializers.Initializer`, and a line here or an entry point of a package
of its own.
"""

from __future__ import annotations

from typing import Any

from autogrow.plugins import Registry


def _fault(found: Any) -> str | None:
    from autogrow.networks.initializers import Initializer

    if not (isinstance(found, type) and issubclass(found, Initializer)):
        return "is no initializer: a class derived from autogrow.Initializer"
    if getattr(found, "__abstractmethods__", None):
        return "has no method initialize"
    return None


INITIALIZERS = Registry(
    "initializer",
    "autogrow.initializers",
    {
        "GauInit": "autogrow.networks.initializers:GauInit",
        "UniInit": "autogrow.networks.initializers:UniInit",
        "ZeroInit": "autogrow.networks.initializers:ZeroInit",
        "AdamInit": "autogrow.networks.initializers:AdamInit",
        "Net2DeeperNet": "autogrow.networks.rivals.net2deeper:Net2DeeperNet",
        "Duplication": "autogrow.networks.rivals.duplication:Duplication",
    },
    _fault,
)
