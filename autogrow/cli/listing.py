"""``autogrow list``: the names that commands take, and what each stands for."""

from __future__ import annotations

import argparse

from autogrow.config.logger_names import LOGGERS
from autogrow.data.plugin import DATA
from autogrow.data.registry import DATASETS
from autogrow.errors import allowed
from autogrow.growth.registry import POLICIES
from autogrow.networks.families import FAMILIES
from autogrow.networks.initializer_names import INITIALIZERS
from autogrow.networks.names import ARCHITECTURES, LAYERS, NAMES, NETWORKS
from autogrow.plugins import Registry

OWN_POLICIES = {
    "periodic": "stack a sub-module every K epochs; stop once J epochs gain less than tau",
    "convergent": "train K epochs, and stack again only if they gained tau or more",
    "fixed": "stack a sub-module every K epochs, up to the depth `target`",
    "one_shot": "stack all sub-modules up to the depth `target` after K epochs",
    "random_stop": "stack every K epochs; sub-networks stop by lot, at `target` on average",
    "fragrow": "up to `target`, the faster the less the network overfits (Wu et al. 2024)",
    "controlled": "keep a growth only if it beats a twin that does not grow (ours)",
}
OWN_INITIALIZERS = {
    "GauInit": "Gaussian noise of standard deviation 1 (the paper's best)",
    "UniInit": "uniform noise of standard deviation 1",
    "ZeroInit": "zeros: the new sub-module begins as the identity",
    "AdamInit": "default values, then Adam trains the new sub-module alone for some epochs",
    "Net2DeeperNet": "the identity, also of plain sub-modules (Chen et al. 2016)",
    "Duplication": "a copy of the sub-module below (progressive stacking)",
}
OWN_DATA = {
    "folder:PATH": "train/<class>/* and test/<class>/* (or val); --resize N takes any size",
    "npz:PATH": "arrays x_train, y_train, x_test and y_test",
    "imagenet:PATH": "photographs that stay in their files, in ImageNet's layout",
}
OWN_LOGGERS = {
    "none": "metrics.csv and growth.csv alone, which every run writes",
    "tensorboard": "TensorBoard's event files as well (pip install 'autogrow[tensorboard]')",
}
T = (
    "T is how many epochs of fine-tuning have the largest learning rate: half of "
    "--finetune-epochs with the usual milestones, a third on ImageNet."
)
KINDS = ("networks", "data", "policies", "initializers", "loggers")


def names_in_short() -> str:
    """Return what T is, and all names, for the end of a command's help."""
    return (
        f"{T} Networks: {allowed(NAMES)}. Data sets: {allowed([*DATASETS, *OWN_DATA])}. "
        f"Policies: {allowed(POLICIES.own)}. Initializers: {allowed(INITIALIZERS.own)}. "
        "`autogrow list` says what each is, and has those that installed packages add."
    )


def add_list(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``autogrow list``."""
    parser.add_argument(
        "kind", nargs="?", choices=KINDS, metavar="KIND", help=f"{allowed(KINDS)} (default: all)"
    )
    parser.set_defaults(command=_list)


def _list(options: argparse.Namespace) -> None:
    kinds = [options.kind] if options.kind else KINDS
    print("\n\n".join(f"{kind}:\n{_lines(_entries(kind))}" for kind in kinds))
    if options.kind is None:
        print(f"\n{T}")


def _lines(entries: dict[str, str]) -> str:
    width = max(map(len, entries))
    return "\n".join(f"  {name:{width}}  {text}" for name, text in entries.items())


def _entries(kind: str) -> dict[str, str]:
    if kind == "networks":
        own = {
            a.name: f"{a.sub_networks} sub-networks of {a.block} sub-modules "
            f"({LAYERS[a.block]} layers each), {'-'.join(map(str, a.channels))} channels"
            for a in ARCHITECTURES.values()
        }
        libraries = {
            f"{library}:NAME": f"{library}'s networks of the classes {', '.join(families)}"
            for library, families in FAMILIES.items()
        }
        return own | libraries | _added(NETWORKS)
    if kind == "data":
        named = {
            d.name: f"{d.image_size}x{d.image_size}x{d.channels} pixels, {d.n_classes} classes, "
            f"{d.images[0]:,} + {d.images[1]:,} images"
            for d in DATASETS.values()
        }
        return named | OWN_DATA | _added(DATA)
    registry, own = {
        "policies": (POLICIES, OWN_POLICIES),
        "initializers": (INITIALIZERS, OWN_INITIALIZERS),
        "loggers": (LOGGERS, OWN_LOGGERS),
    }[kind]
    return own | _added(registry)


def _added(registry: Registry) -> dict[str, str]:
    """Return the names that packages add, and which packages."""
    return {name: f"added by {registry.origin(name)}" for name in registry.added}
