"""The two conventions: what each key of docs/choices.md is by the paper and by the released code.

A key of config.yaml that is null is as its key ``conventions`` says. What steers growth is the
same in both, and the scale's.
"""

from __future__ import annotations

import copy
from typing import Any, Literal

Convention = Literal["paper", "released"]

CONVENTIONS: dict[str, tuple[Any, Any]] = {
    "accuracy": ("best", "overall"),
    "choices.uniform_noise": ("std1", "unit"),
    "choices.adaminit_slack": (0.5, 0.5),
    "choices.normalisation": ("released", "released"),
    "choices.subset": ("stratified", "random"),
    "choices.max_depth": ("none", "released"),
    "choices.finetuning": ("full", "short"),
    "choices.growing_steps": ("halves", "milestones"),
    "choices.bn_weights": ("ones", "uniform"),
    "choices.shortcut": ("B", "B"),
    "choices.morph_momentum": ("fresh", "kept"),
    "choices.adaminit_statistics": ("frozen", "updated"),
    "choices.single_image": ("joined", "own"),
}
"""Every key that the conventions set: its value under ``paper``, and under ``released``."""


def filled(content: Any) -> Any:
    """Return what config.yaml holds, its keys that are null as its conventions say.

    What is malformed is left for the validation to report.
    """
    if not isinstance(content, dict):
        return content
    column = int(content.get("conventions") == "released")
    full = copy.deepcopy(content)
    for key, values in CONVENTIONS.items():
        *nested, name = key.split(".")
        place = full.get(nested[0]) if nested else full
        if isinstance(place, dict) and place.get(name) is None:
            place[name] = values[column]
    return full
