"""A run of the catalogue: its id, its resolved spec, and the spec that its job gets."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autogrow.config.policy_settings import options_of
from autogrow.config.resolved import (
    ResolvedAutogrow,
    ResolvedMorph,
    ResolvedScratch,
    ResolvedSpec,
)
from autogrow.config.spec import to_json
from autogrow.data.splits import fits
from autogrow.files.yaml import yaml_text
from autogrow.networks.names import format_depth, is_plugin, parse_network

CONCERNS: dict[str, Callable[[Any], bool]] = {
    # No validation image is trained on, and nothing but growth is steered, that which a schedule
    # null would have steered too: where images are left for validation, other runs are the same
    # under both protocols.
    "protocol": lambda spec: (
        spec.kind == "autogrow"
        or (spec.kind == "scratch" and spec.schedule != "staircase")
        or not fits(spec.holdout_fraction, spec.data_fraction)
    ),
    "uniform_noise": lambda spec: spec.initializer == "UniInit",
    "adaminit_slack": lambda spec: spec.initializer == "AdamInit",
    "adaminit_statistics": lambda spec: spec.initializer == "AdamInit",
    "bn_weights": lambda spec: spec.stem == "small" and not is_plugin(spec.architecture.name),
    "shortcut": lambda spec: spec.architecture.residual and not is_plugin(spec.architecture.name),
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
        Id of the run whose found net gives the depth, or None: of a run that grows, the depth to
        which it grows. Until that is known, ``spec`` has the seed network's depth.
    budget_of
        Id of the run whose multiply-adds give the number of epochs, or None. Until they are
        known, ``spec`` has those of another baseline.
    own
        The settings in which it does not follow config.yaml, as its table or row tells them.
    """

    id: str
    spec: ResolvedSpec
    depth_of: str | None = None
    budget_of: str | None = None
    own: frozenset[str] = frozenset()

    @property
    def sources(self) -> dict[str, str]:
        """Ids of the runs that must be finished first, by the option that names their folder."""
        found = {"--depth-of": self.depth_of, "--budget-of": self.budget_of}
        return {option: run for option, run in found.items() if run is not None}

    def job_spec(self, shared: Mapping[str, Any]) -> str:
        """Return the complete spec of a job as the text of a YAML file.

        ``shared`` are settings that all runs share: seed, protocol, precision, choices. What
        does not concern this run keeps its default, so that a change does not train it again.
        What a policy draws by lot, it draws by the seed, so that several seeds have several lots.
        """
        fields = type(self.spec).model_fields
        concerned = {
            key: value
            for key, value in shared.items()
            if key in fields
            and key not in self.own
            and (key not in CONCERNS or CONCERNS[key](self.spec))
        }
        settings = to_json(self.spec.model_copy(update=concerned))
        if isinstance(self.spec, ResolvedAutogrow):
            settings["policy_options"] = self._options(self.spec, shared)
            if not settings["policy_options"]:
                del settings["policy_options"]
        elif self.depth_of is not None:
            settings["network"] = self.spec.architecture.name
        if self.budget_of is not None:
            settings["epochs"] = None
        return yaml_text(settings)

    def _options(self, spec: ResolvedAutogrow, shared: Mapping[str, Any]) -> dict[str, Any]:
        """Return the policy's options, but for the target that another run gives."""
        options: dict[str, Any] = dict(spec.policy_options)
        if self.depth_of is not None:
            del options["target"]
        if "seed" in shared and "lot" in options_of(spec.policy):
            options.setdefault("lot", shared["seed"])
        return options


def dataset_text(spec: ResolvedSpec, paper_dataset: str) -> str:
    """Return what a run was trained on, in words: ``digits, 50 % of its training set``.

    A data set from elsewhere is ``CIFAR10 from FILE``: a file whose content is known is one.
    """
    form, colon, path = spec.data.partition(":")
    text = f"{form}:{Path(path).name}" if colon else form
    if spec.data_sha256:
        text = f"{paper_dataset} from {Path(path).name}"
    if spec.trim:
        text += f" without {spec.trim} pixels on each side"
    if spec.downscale != 1:
        text += f" at 1/{spec.downscale} size"
    if spec.data_fraction != 1:
        text += f", {100 * spec.data_fraction:g} % of its training set"
    if spec.test_images:
        text += f", {spec.test_images:,} test images"
    return text


def run_id(
    spec: ResolvedSpec,
    plain: ResolvedSpec,
    depth_of: Run | None,
    budget_of: Run | None,
    own: frozenset[str],
) -> str:
    """Return the id of a run: network / data / what is done.

    It tells every setting that can change the result, so that two specs of a scale never have
    one id: the usual ones by their place, and any other where it is not that of ``plain``, the
    run of the same network, data and growth whose further settings are the scale's, or where it
    is one of ``own``. ``depth_of`` is the run whose found net gives the depth, ``budget_of`` that
    whose multiply-adds give the epochs.
    """
    others = _other_settings(spec, plain, own)
    network, images = spec.architecture.name, [others.pop(name, "") for name in _OF_IMAGES]
    data = _joined([_data_label(spec), *images])
    here = (network, data)
    if depth_of is not None and isinstance(spec, ResolvedAutogrow):
        done = f"{_what_is_done(spec, given='target')}-as-deep-as-{_from_there(depth_of, here)}"
    elif depth_of is not None:
        done = f"scratch-as-deep-as-{_from_there(depth_of, here)}"
        done += "-equal-compute" if budget_of is not None else ""
    else:
        done = _what_is_done(spec)
        if budget_of is not None:
            done += f"-at-the-cost-of-{_from_there(budget_of, here)}"
    return f"{network}/{data}/{_joined([done, *others.values()])}"


def _from_there(run: Run, here: tuple[str, str]) -> str:
    """Return what another run's id says it does, with its network and data if those are others."""
    *there, done = run.id.split("/")
    elsewhere = [part for part, own in zip(there, here, strict=True) if part != own]
    return "-".join([*elsewhere, done])


BY_PLACE = {
    *("kind", "network", "from", "to", "seed_depth", "schedule", "period"),
    *("data", "data_sha256", "data_fraction", "test_images", "downscale"),
    *("policy", "policy_options", "K", "initializer", "growing_rate"),
}
"""Settings that have a place of their own in an id."""

_OF_IMAGES = (
    *("subset", "repeats", "trim", "stem", "crop_padding", "flip", "normalisation"),
    "holdout_fraction",
)
"""Settings that stand beside the data set's name."""

_LONGEST = 150
"""Characters of a part of an id; file systems allow names of 255 bytes."""


def _other_settings(spec: ResolvedSpec, plain: ResolvedSpec, own: frozenset[str]) -> dict[str, str]:
    """Return ``name=value`` of each setting without a place of its own that is not the scale's."""
    usual = dict(plain)
    if isinstance(spec, ResolvedAutogrow) and usual["J"] is not None:
        usual["J"] = max(usual["J"], spec.K)
    left_out = {*BY_PLACE, "from_network", "to_network", "seed", "snapshots"}
    return {
        name: f"{name}={_text(value)}"
        for name, value in spec
        if name not in left_out and (value != usual[name] or name in own)
    }


def _text(value: object) -> str:
    """Return a setting's value as a part of a path."""
    if isinstance(value, tuple):
        return "_".join(map(_text, value))
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return re.sub(r"[^\w.+-]+", "_", str(value), flags=re.ASCII)


def _joined(parts: Iterable[str]) -> str:
    """Return a part of an id; of a long one its beginning and a checksum of the whole."""
    text = "-".join(filter(None, parts))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 9]}-{_checksum(text)}"


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _data_label(spec: ResolvedSpec) -> str:
    """Return the data set's name; of a path its last part and a checksum.

    That is of the file's content where it is known, else of the whole path.
    """
    label = _text(spec.data)
    if label != spec.data:
        form, _, path = spec.data.partition(":")
        checksum = spec.data_sha256[:8] if spec.data_sha256 else _checksum(spec.data)
        label = f"{_text(form)}_{_text(Path(path).name)[:50]}-{checksum}"
    if spec.data_fraction != 1:
        label += f"-fraction{_text(spec.data_fraction)}"
    if spec.test_images:
        label += f"-test{spec.test_images}"
    if spec.downscale != 1:
        label += f"-downscale{spec.downscale}"
    return label


def _what_is_done(spec: ResolvedSpec, given: str = "") -> str:
    """Return what a run does, without the policy's option that another run gives."""
    first = format_depth(spec.first_network.depth)
    if isinstance(spec, ResolvedMorph):
        deeper = format_depth(parse_network(spec.to_network).depth)
        return f"morph-{first}-to-{deeper}-{spec.initializer}"
    if isinstance(spec, ResolvedScratch) and spec.schedule != "staircase":
        restarts = f"-staircase-K{spec.period}" if spec.period else ""
        return f"never-grown-{first}{restarts}"
    if not isinstance(spec, ResolvedAutogrow):
        return f"scratch-{first}"
    options = sorted(
        f"{name}={_text(value)}" for name, value in spec.policy_options.items() if name != given
    )
    parts = [spec.policy, f"K{spec.K}", *options, spec.initializer]
    if spec.growing_rate != "constant":
        parts.append(spec.growing_rate)
    if spec.first_network.depth != spec.architecture.seed_depth:
        parts.append(f"from-{first}")
    return "-".join(parts)
