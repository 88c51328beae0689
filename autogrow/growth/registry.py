"""The growing policies, by the names that settings give them.

Nothing is imported before it is used.

A new policy is a file with a subclass of :class:`autogrow.growth.policies.Policy`, and a line here
or an entry point of a package of its own.
"""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any

from autogrow.plugins import Registry


def _fault(found: Any) -> str | None:
    from autogrow.growth.policies import Policy

    if not (isinstance(found, type) and issubclass(found, Policy) and is_dataclass(found)):
        return "is no policy: a dataclass derived from autogrow.Policy"
    if getattr(found, "__abstractmethods__", None):
        return "has no method decide"
    return None


POLICIES = Registry(
    "policy",
    "autogrow.policies",
    {
        "periodic": "autogrow.growth.policies:PeriodicGrowth",
        "convergent": "autogrow.growth.policies:ConvergentGrowth",
        "fixed": "autogrow.growth.rivals.fixed:FixedSchedule",
        "one_shot": "autogrow.growth.rivals.one_shot:OneShot",
        "random_stop": "autogrow.growth.rivals.random_stop:RandomStop",
        "fragrow": "autogrow.growth.rivals.fragrow:FRAGrow",
        "controlled": "autogrow.growth.rivals.controlled:ControlledGrowth",
    },
    _fault,
)
