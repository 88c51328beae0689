"""A run of the catalogue: its id, its resolved spec, and the spec that its job gets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from autogrow.config.resolved import (
    ResolvedAutogrow,
    ResolvedMorph,
    ResolvedScratch,
    ResolvedSpec,
)
from autogrow.config.spec import to_json
from autogrow.files.yaml import yaml_text
from autogrow.networks.names import format_depth, parse_network

_CONCERNS: dict[str, Callable[[Any], bool]] = {
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
    budget_of
        Id of the run whose multiply-adds give the number of epochs, or None. Until they are
        known, ``spec`` has those of another baseline.
    protocol
        The protocol that its rows ask for; None: that of the workflow.
    """

    id: str
    spec: ResolvedSpec
    depth_of: str | None = None
    budget_of: str | None = None
    protocol: str | None = None

    @property
    def sources(self) -> dict[str, str]:
        """Ids of the runs that must be finished first, by the option that names their folder."""
        found = {"--depth-of": self.depth_of, "--budget-of": self.budget_of}
        return {option: run for option, run in found.items() if run is not None}

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
        if self.protocol is not None:
            concerned["protocol"] = self.protocol
        settings = to_json(self.spec.model_copy(update=concerned))
        if self.depth_of is not None:
            settings["network"] = self.spec.architecture.name
        if self.budget_of is not None:
            settings["epochs"] = None
        return yaml_text(settings)


def dataset_text(spec: ResolvedSpec) -> str:
    """Return what a run was trained on, in words: ``digits, 50 % of its training set``."""
    text = spec.data
    if spec.downscale != 1:
        text += f" at 1/{spec.downscale} size"
    if spec.data_fraction != 1:
        text += f", {100 * spec.data_fraction:g} % of its training set"
    return text


def run_id(
    spec: ResolvedSpec,
    depth_of: Run | None = None,
    budget_of: Run | None = None,
    protocol: str | None = None,
) -> str:
    """Return the id of a run: network / data / what is done.

    It leaves out what changes nothing in the result (``snapshots``) and what the paper never
    varies. ``depth_of`` is the run whose found net gives the depth, ``budget_of`` that whose
    multiply-adds give the epochs, and ``protocol`` one that is not the workflow's.
    """
    network = spec.architecture.name
    if depth_of is not None:
        done = f"scratch-as-deep-as-{_source(depth_of, network)}"
        if budget_of is not None:
            done += "-equal-compute"
    else:
        done = _what_is_done(spec)
        if budget_of is not None:
            done += f"-at-the-cost-of-{_source(budget_of, network)}"
        elif protocol is not None:
            done += f"-{protocol}"
    return f"{network}/{_data_label(spec)}/{done}"


def _source(run: Run, network: str) -> str:
    """Return what another run's id says it does, with its network if that is another."""
    other, _, done = run.id.split("/")
    return done if other == network else f"{other}-{done}"


def _data_label(spec: ResolvedSpec) -> str:
    """Return the data set's name; of a path only what names one folder, and no wildcard."""
    label = re.sub(r"[^\w.-]+", "_", spec.data, flags=re.ASCII)
    if spec.data_fraction != 1:
        label += f"-fraction{spec.data_fraction:g}"
    if spec.downscale != 1:
        label += f"-downscale{spec.downscale}"
    return label


def _what_is_done(spec: ResolvedSpec) -> str:
    first = format_depth(spec.first_network.depth)
    if isinstance(spec, ResolvedMorph):
        deeper = format_depth(parse_network(spec.to_network).depth)
        return f"morph-{first}-to-{deeper}-{spec.initializer}"
    if isinstance(spec, ResolvedScratch) and spec.schedule != "staircase":
        restarts = f"-staircase-K{spec.period}" if spec.period else ""
        return f"never-grown-{first}{restarts}"
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
