"""Fills in what a spec leaves open, from the paper's defaults and the data set."""

from __future__ import annotations

from typing import Any

from autogrow import data as datasets
from autogrow.config.spec import AutogrowSpec, RunSpec
from autogrow.data import ImageData
from autogrow.errors import UserError
from autogrow.growth.schedules import largest_rate_epochs
from autogrow.networks import names
from autogrow.networks.names import choose_stem


def resolve_for(spec: RunSpec, facts: ImageData | datasets.DatasetInfo) -> RunSpec:
    """Return the spec with every setting filled in, those that depend on the data too.

    Raises
    ------
    UserError
        If a setting is impossible for these images.
    """
    spec = resolve(spec, facts.image_size // spec.downscale)
    padding, flip = spec.crop_padding, spec.flip
    if padding is None:
        padding = -(-facts.crop_padding // spec.downscale)
    if flip is None:
        flip = facts.flip
    return spec.model_copy(update={"crop_padding": padding, "flip": flip})


def resolve(spec: RunSpec, image_size: int) -> RunSpec:
    """Return the spec with every setting left at None filled in.

    The values are the paper's (section 3 and the released code): learning rate
    by family, batch, epochs, milestones and weight decay by data set, J = T.

    Parameters
    ----------
    spec
        The settings as given.
    image_size
        Side of the images in pixels; chooses the stem.

    Raises
    ------
    UserError
        If the architecture has no such stem, or J comes out below K.
    """
    from autogrow.data.registry import DATASETS

    imagenet = spec.data in DATASETS and DATASETS[spec.data].imagenet_schedule
    architecture = spec.architecture
    values = spec.model_dump()
    defaults: dict[str, Any] = {
        "width": architecture.channels[0],
        "batch_size": 256 if imagenet else 128,
        "learning_rate": 0.1 if architecture.residual else 0.01,
        "weight_decay": 1e-4 if imagenet else 5e-4,
        "milestones": (1 / 3, 2 / 3) if imagenet else (0.5, 0.75),
        "epochs": 90 if imagenet else 200,
        "finetune_epochs": 90 if imagenet else 200,
    }
    for key, default in defaults.items():
        if key in values and values[key] is None:
            values[key] = default
    values["stem"] = choose_stem(architecture, spec.stem, image_size)
    if isinstance(spec, AutogrowSpec):
        values["seed_depth"] = names.format_depth(spec.seed_network.depth)
        T = largest_rate_epochs(values["finetune_epochs"], values["milestones"])
        values["K"] = spec.K or (3 if spec.policy == "periodic" else T)
        if spec.policy == "convergent":
            values["J"] = None
        elif spec.J is not None and values["K"] > spec.J:
            K = values["K"]
            raise UserError(f"J: {spec.J} is less than K, by default {K}; allowed: J from {K} up")
        elif spec.J is None:
            values["J"] = T
            if values["K"] > T:
                raise UserError(
                    f"K: {values['K']} is more than J, which is by default T = {T}, the epochs of "
                    f"fine-tuning at the largest learning rate; allowed: K up to {T}, or a larger J"
                )
    return type(spec).model_validate(values)
