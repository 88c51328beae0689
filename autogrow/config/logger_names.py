"""What may log a run beside its own records, by the names that settings give them."""

from __future__ import annotations

from typing import Any

from autogrow.plugins import Registry


def _fault(found: Any) -> str | None:
    missing = [name for name in ("update", "close") if not callable(getattr(found, name, None))]
    if not isinstance(found, type) or missing:
        return "is no logger: a class with the methods update and close"
    return None


LOGGERS = Registry(
    "logger",
    "autogrow.loggers",
    {
        "none": "autogrow.runs.loggers:NoLogger",
        "tensorboard": "autogrow.runs.event_files:EventFiles",
    },
    _fault,
)
"""A logger is a class as :class:`autogrow.runs.loggers.Logger` says."""
