"""Fills in what a spec leaves open, from the paper's defaults and the data set."""

from __future__ import annotations

from typing import Any

from autogrow import data as datasets
from autogrow.config.library_settings import library_settings
from autogrow.config.policy_settings import periods
from autogrow.config.resolved import ResolvedAutogrow, ResolvedSpec, resolved_type
from autogrow.config.shared_settings import RunSpec
from autogrow.config.spec import AutogrowSpec, to_json
from autogrow.data import ImageData
from autogrow.data.registry import DATASETS
from autogrow.errors import UserError, shown
from autogrow.growth.schedules import largest_rate_epochs
from autogrow.networks import names
from autogrow.networks.names import choose_stem


def resolve(spec: RunSpec, facts: ImageData | datasets.DatasetInfo | None = None) -> ResolvedSpec:
    """Return the spec with every setting left at None filled in.

    The values are the paper's (section 3 and the released code): learning rate
    by family, batch, epochs, milestones and weight decay by data set, J = T.
    ``facts`` are by default those of the data set that the spec names.

    Raises
    ------
    UserError
        If a setting is impossible for these images, or J comes out below K.
    """
    _check_data_settings(spec)
    facts = facts or datasets.info(spec.data, resize=spec.resize)
    _check_test_images(spec, facts)
    known = datasets.named_info(spec.data)
    imagenet = known is not None and known.imagenet_schedule
    architecture = spec.architecture
    values = {**to_json(spec), **library_settings(spec)}
    defaults: dict[str, Any] = {
        "width": architecture.channels[0],
        "batch_size": 256 if imagenet else 128,
        "learning_rate": 0.1 if architecture.residual else 0.01,
        "weight_decay": 1e-4 if imagenet else 5e-4,
        "milestones": (1 / 3, 2 / 3) if imagenet else (0.5, 0.75),
        "epochs": 90 if imagenet else 200,
        "finetune_epochs": 90 if imagenet else 200,
        "protocol": "paper" if spec.data in DATASETS else "holdout",
        "crop_padding": -(-facts.crop_padding // spec.downscale),
        "flip": facts.flip,
    }
    for key, default in defaults.items():
        if key in values and values[key] is None:
            values[key] = default
    if architecture.own:
        _check_own(spec)
    values["stem"] = choose_stem(architecture, spec.stem, spec.image_size(facts.image_size))
    if isinstance(spec, AutogrowSpec):
        values["seed_depth"] = names.format_depth(spec.first_network.depth)
        T = largest_rate_epochs(values["finetune_epochs"], values["milestones"])
        values["K"], values["J"] = periods(spec.policy, spec.K, spec.J, T)
        values["max_depth"] = _max_depth(spec, imagenet)
        _check_max_epochs(spec, values["K"])
    resolved = resolved_type(spec).model_validate(values)
    if isinstance(resolved, ResolvedAutogrow):
        resolved.growth_policy.check(resolved.first_network.depth)
    return resolved


def _check_own(spec: RunSpec) -> None:
    """Refuse settings that somebody's own network decides on."""
    for key, usual in {"width": None, "shortcut": "B", "bn_weights": "ones"}.items():
        if getattr(spec, key) != usual:
            raise UserError(
                f"{key}: found {shown(getattr(spec, key))}; allowed for a network of your own: "
                "what it has itself"
            )


def _check_data_settings(spec: RunSpec) -> None:
    """Refuse settings of data that this data set does not have."""
    if spec.data_sha256 and not spec.data.startswith("npz:"):
        raise UserError(f"data_sha256: found with data {shown(spec.data)}; allowed: npz:PATH")
    if spec.resize and not spec.data.startswith("folder:"):
        raise UserError(
            f"resize: found {spec.resize} with data {shown(spec.data)}; allowed: folder:PATH"
        )


def _check_test_images(spec: RunSpec, facts: ImageData | datasets.DatasetInfo) -> None:
    if not spec.test_images:
        return
    if isinstance(facts, ImageData):
        raise UserError(
            f"test_images: found {spec.test_images}; allowed for images of your own: 0, all of them"
        )
    train, most = facts.images
    if facts.one_set:
        most += train - 2 * facts.n_classes
    if spec.test_images > most:
        raise UserError(
            f"test_images: found {spec.test_images}; allowed for {spec.data}: 1 to {most}"
        )


def _check_max_epochs(spec: AutogrowSpec, K: int) -> None:
    """Refuse a bound that the seed network's own epochs pass."""
    if 0 < spec.max_epochs < K:
        raise UserError(
            f"max_epochs: found {spec.max_epochs}, but the seed network {spec.first_network} is "
            f"trained for K = {K} epochs; allowed: {K} or more (0: no bound), or a smaller K"
        )


def _max_depth(spec: AutogrowSpec, imagenet: bool) -> str:
    """Return the largest depth, for ``released`` that of the released code's trainers."""
    architecture, seed = spec.architecture, spec.first_network.depth
    largest = spec.max_depth
    if largest == "released":
        largest = "6-16-72-32" if imagenet else "-".join(["200"] * len(seed))
    if largest != "none":
        pairs = list(zip(seed, names.parse_depth(largest, architecture, "max_depth"), strict=True))
        if any(s > m for s, m in pairs) or all(s == m for s, m in pairs):
            raise UserError(
                f"max_depth: {largest} leaves nothing to grow from the seed network "
                f"{names.format_depth(seed)}; allowed: none, or a deeper depth"
            )
    return largest
