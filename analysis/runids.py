"""Readable ids of runs, made from their settings alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def data_label(settings: Mapping[str, Any]) -> str:
    """Return what a run is trained on, as part of an id: ``digits-fraction0.5``."""
    label = str(settings["data"])
    if "data_fraction" in settings:
        label += f"-fraction{settings['data_fraction']:g}"
    if "downscale" in settings:
        label += f"-downscale{settings['downscale']}"
    return label


def run_id(settings: Mapping[str, Any]) -> str:
    """Return the id of a run: network / data / what is done.

    Parameters
    ----------
    settings
        Of the spec, without what is its default. What changes nothing in the result
        (``snapshots``) is not part of the id.
    """
    data = data_label(settings)
    kind = settings["kind"]
    if kind == "scratch":
        network, _, depth = settings["network"].partition("-")
        return f"{network}/{data}/scratch-{depth}"
    if kind == "morph":
        network, _, shallower = settings["from"].partition("-")
        deeper = settings["to"].partition("-")[2]
        initializer = settings.get("initializer", "ZeroInit")
        return f"{network}/{data}/morph-{shallower}-to-{deeper}-{initializer}"
    parts = [settings.get("policy", "periodic")]
    if parts == ["periodic"]:
        parts.append(f"K{settings['K']}")
    parts.append(settings.get("initializer", "GauInit"))
    if settings.get("growing_rate", "constant") != "constant":
        parts.append(settings["growing_rate"])
    if "seed_depth" in settings:
        parts.append(f"from-{settings['seed_depth']}")
    return f"{settings['network']}/{data}/{'-'.join(parts)}"
