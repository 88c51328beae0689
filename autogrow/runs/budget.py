"""Equal compute: for how many epochs a network trains for what a finished run spent."""

from __future__ import annotations

from pathlib import Path

from autogrow.config.spec import ScratchSpec
from autogrow.errors import UserError, shown
from autogrow.networks.names import choose_stem
from autogrow.runs.cost import PASSES
from autogrow.runs.folder import read_result, read_spec
from autogrow.runs.summary import SUMMARY

SAME = ("data", "data_fraction", "trim", "downscale")
"""Settings that make an epoch as many images of one size; they must be the same in both runs."""


def budget_epochs(folder: Path, spec: ScratchSpec) -> int:
    """Return the epochs in which a spec's network computes as much as a run did in training.

    The number is rounded, and at least 1. Imports torch, to count multiply-adds.

    Raises
    ------
    UserError
        If the folder's run is not finished, or was trained on other data.
    """
    import torch

    from autogrow.networks.by_name import network_by_name
    from autogrow.networks.flops import costs_of

    summary, there = read_result(folder), read_spec(folder)
    for key in SAME:
        ours, theirs = getattr(spec, key), getattr(there, key)
        if ours != theirs:
            raise UserError(
                f"{folder / SUMMARY}: its budget is of a run with {key} {shown(theirs)}; "
                f"allowed: {shown(ours)}, as the run that is to compute as much"
            )
    name, data = spec.first_network, summary.data
    network = network_by_name(
        name,
        image_channels=data.image_channels,
        classes=data.classes,
        stem=choose_stem(name.architecture, spec.stem, data.image_size),
        width=spec.width,
        shortcut=spec.shortcut,
        image_size=data.image_size,
    )
    image = torch.zeros(1, data.image_channels, data.image_size, data.image_size)
    cost = costs_of(network.eval(), image)[-1]
    images = spec.repeats * data.training_images
    return max(1, round(summary.flops_training / (PASSES * images * cost.flops)))
