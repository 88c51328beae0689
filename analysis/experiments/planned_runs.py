"""A run of the catalogue: its id, its resolved spec, and the spec that its job gets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autogrow.config.resolved import ResolvedAutogrow, ResolvedMorph, ResolvedSpec
from autogrow.config.spec import to_json
from autogrow.data.splits import fits
from autogrow.files.yaml import yaml_text
from autogrow.networks.names import format_depth, parse_network

_CONCERNS: dict[str, Callable[[Any], bool]] = {
    # No validation image is trained on, and nothing but growth is steered: where images are left
    # for validation, other runs are the same under both protocols.
    "protocol": lambda spec: (
        spec.kind == "autogrow" or not fits(spec.holdout_fraction, spec.data_fraction)
    ),
    "uniform_noise": lambda spec: spec.initializer == "UniInit",
    "adaminit_slack": lambda spec: spec.initializer == "AdamInit",
    "adaminit_statistics": lambda spec: spec.initializer == "AdamInit",
    "bn_weights": lambda spec: spec.stem == "small",
    "shortcut": lambda spec: spec.architecture.residual,
    "subset": lambda spec: spec.data_fraction != 1,
    "finetuning": lambda spec: spec.policy == "convergent",
    "growing_steps": lambda spec: spec.growing_rate == "staircase",
}
"""Choices that concern some runs alone, and which."""


@dataclass(frozen=True)
class Run:
    """A run at a scale, for any seed.

    Attributes
    ----------
    spec
        All its settings, with the seed 0 and the default protocol, precision and choices.
    depth_of
        Id of the run whose found net gives the depth, or None. Until that is known, ``spec``
        has the seed network's depth.
    """

    id: str
    spec: ResolvedSpec
    depth_of: str | None = None

    def job_spec(self, shared: Mapping[str, Any]) -> str:
        """Return the complete spec of a job as the text of a YAML file.

        ``shared`` are settings that all runs share: seed, protocol, precision, choices. What
        does not concern this run keeps its default, so that a change does not train it again.
        """
        fields = type(self.spec).model_fields
        concerned = {
            key: value
            for key, value in shared.items()
            if key in fields and (key not in _CONCERNS or _CONCERNS[key](self.spec))
        }
        settings = to_json(self.spec.model_copy(update=concerned))
        if self.depth_of is not None:
            settings["network"] = self.spec.architecture.name
        return yaml_text(settings)


def dataset_text(spec: ResolvedSpec, paper_dataset: str) -> str:
    """Return what a run was trained on, in words: ``digits, 50 % of its training set``.

    A data set from elsewhere is ``CIFAR10 from FILE``: a file whose content is known is one.
    """
    form, colon, path = spec.data.partition(":")
    text = f"{form}:{Path(path).name}" if colon else form
    if spec.data_sha256 is not None:
        text = f"{paper_dataset} from {Path(path).name}"
    if spec.downscale != 1:
        text += f" at 1/{spec.downscale} size"
    if spec.data_fraction != 1:
        text += f", {100 * spec.data_fraction:g} % of its training set"
    if spec.test_images is not None:
        text += f", {spec.test_images:,} test images"
    return text


def run_id(spec: ResolvedSpec, depth_of: Run | None = None) -> str:
    """Return the id of a run: network / data / what is done.

    It leaves out what changes nothing in the result (``snapshots``) and what the paper never
    varies. ``depth_of`` is the run whose found net gives the depth.
    """
    network = spec.architecture.name
    return f"{network}/{_data_label(spec)}/{_what_is_done(spec, network, depth_of)}"


def _data_label(spec: ResolvedSpec) -> str:
    """Return the data set's name; of a path only its last part, and no wildcard of Snakemake."""
    form, colon, path = spec.data.partition(":")
    label = f"{form}-{Path(path).stem}" if colon else form
    label = re.sub(r"[^\w.-]+", "_", label, flags=re.ASCII)
    if spec.data_fraction != 1:
        label += f"-fraction{spec.data_fraction:g}"
    if spec.test_images is not None:
        label += f"-test{spec.test_images}"
    if spec.downscale != 1:
        label += f"-downscale{spec.downscale}"
    return label


def _what_is_done(spec: ResolvedSpec, network: str, depth_of: Run | None) -> str:
    if depth_of is not None:
        other, _, source = depth_of.id.split("/")
        return f"scratch-as-deep-as-{source if other == network else f'{other}-{source}'}"
    first = format_depth(spec.first_network.depth)
    if isinstance(spec, ResolvedMorph):
        deeper = format_depth(parse_network(spec.to_network).depth)
        return f"morph-{first}-to-{deeper}-{spec.initializer}"
    if not isinstance(spec, ResolvedAutogrow):
        return f"scratch-{first}"
    parts: list[str] = [spec.policy]
    if spec.policy == "periodic":
        parts.append(f"K{spec.K}")
    parts.append(spec.initializer)
    if spec.growing_rate != "constant":
        parts.append(spec.growing_rate)
    if spec.first_network.depth != spec.architecture.seed_depth:
        parts.append(f"from-{first}")
    return "-".join(parts)
