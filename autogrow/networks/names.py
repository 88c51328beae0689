"""Names of networks and what they stand for (paper section 2.1).

``Basic3ResNet-2-3-2`` is a network of the architecture ``Basic3ResNet`` with
2, 3 and 2 sub-modules in its sub-networks; ``timm:resnet18-1-2-1-1`` is one of timm's. Nothing
here needs torch, but for asking a library: timm, torchvision, or an installed package that adds a
network.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from autogrow.errors import UserError, allowed, shown
from autogrow.networks.plugin import network_fault
from autogrow.plugins import Registry

Block = Literal["basic", "bottleneck", "plain", "library", "own"]
Stem = Literal["small", "imagenet"]
UniformNoise = Literal["std1", "unit"]
BNWeights = Literal["ones", "uniform"]
Shortcut = Literal["B", "A"]

LAYERS: dict[Block, int] = {"basic": 2, "bottleneck": 3, "plain": 1}
"""Layers of a sub-module as the paper counts them: convolutions outside the shortcut.

Those of a library's and of somebody's own network are counted where they are built."""

MAX_DEPTH = 1000
"""Most sub-modules that a name may give a sub-network (a guard against slips)."""

IMAGENET_STEM_FROM = 96
"""Image size in pixels from which ``stem: auto`` takes the ImageNet stem."""


@dataclass(frozen=True)
class Architecture:
    """A family of networks that differ in depth only.

    Its sub-modules are basic or bottleneck residual blocks, or convolution + BN + ReLU
    (``plain``); ``channels`` are those of each sub-network, before a bottleneck's expansion. The
    stems are those that the paper gives it, the default first: ``small`` (3x3 convolution) or
    ``imagenet`` (7x7/2 convolution and 3x3/2 max-pooling). A network of somebody's ``own`` has a
    name and a number of sub-networks; its channels and its stem mean nothing.
    """

    name: str
    block: Block
    channels: tuple[int, ...]
    stems: tuple[Stem, ...]

    @property
    def residual(self) -> bool:
        """Whether its sub-modules have shortcuts."""
        return self.block != "plain"

    @property
    def own(self) -> bool:
        """Whether it is somebody's own network, which its name alone cannot build."""
        return self.block == "own"

    @property
    def sub_networks(self) -> int:
        """Number of sub-networks, M in the paper."""
        return len(self.channels)

    @property
    def seed_depth(self) -> tuple[int, ...]:
        """Depth of the shallowest seed network: one sub-module each."""
        return (1,) * self.sub_networks


@dataclass(frozen=True)
class LibraryArchitecture(Architecture):
    """An architecture of timm or torchvision, as ``timm:resnet18``, or of an installed package.

    The library knows everything else of it; :mod:`autogrow.networks.libraries` asks the library.
    """


LIBRARIES = ("timm", "torchvision")


def is_library(name: str) -> bool:
    """Return whether a library builds the architecture of a name, as ``timm:resnet18``."""
    return (name.partition(":")[0] in LIBRARIES and ":" in name) or is_plugin(name)


def is_plugin(name: str) -> bool:
    """Return whether an installed package adds an architecture of this name."""
    return ":" not in name and name not in ARCHITECTURES and name in NETWORKS.added


def library_architecture(name: str, sub_networks: int) -> LibraryArchitecture:
    """Return the architecture of a library with this number of sub-networks."""
    return LibraryArchitecture(name, "library", (0,) * sub_networks, ("small", "imagenet"))


_THREE = (16, 32, 64)
_FOUR = (64, 128, 256, 512)

ARCHITECTURES: dict[str, Architecture] = {
    a.name: a
    for a in (
        Architecture("Basic3ResNet", "basic", _THREE, ("small",)),
        Architecture("Basic4ResNet", "basic", _FOUR, ("small", "imagenet")),
        Architecture("Bottleneck4ResNet", "bottleneck", _FOUR, ("imagenet",)),
        Architecture("Plain3Net", "plain", _THREE, ("small",)),
        Architecture("Plain4Net", "plain", _FOUR, ("small", "imagenet")),
    )
}

NAMES = (*ARCHITECTURES, "timm:NAME", "torchvision:NAME")
"""What an architecture may be called where no package adds one."""

NETWORKS = Registry("network", "autogrow.networks", dict.fromkeys(ARCHITECTURES, ""), network_fault)


def _all_names() -> str:
    """Return what an architecture may be called, for people."""
    return (
        f"{allowed([*NAMES, *NETWORKS.added])}, or one that an installed package adds as an entry "
        f"point of {NETWORKS.group}"
    )


@dataclass(frozen=True)
class NetworkName:
    """An architecture with a depth; prints as the paper writes it."""

    architecture: Architecture
    depth: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.architecture.name}-{format_depth(self.depth)}"


_OWN = re.compile(r"own([1-9][0-9]{0,2}):[A-Za-z_][A-Za-z0-9_]*")


def own_architecture(name: str, sub_networks: int) -> Architecture:
    """Return the architecture of somebody's own network, as ``own2:Inception`` names it."""
    return Architecture(f"own{sub_networks}:{name}", "own", (1,) * sub_networks, ("small",))


def _find_architecture(name: str) -> Architecture | None:
    own = _OWN.fullmatch(name)
    if own:
        return own_architecture(name.partition(":")[2], int(own[1]))
    return ARCHITECTURES.get(name)


def format_depth(depth: tuple[int, ...]) -> str:
    """Return ``(2, 3, 2)`` as ``2-3-2``."""
    return "-".join(str(d) for d in depth)


def parse_architecture(text: str) -> Architecture:
    """Return the architecture called ``text``, or raise a UserError if there is none.

    A library is asked, and imported, for one of its own.
    """
    found = _find_architecture(text)
    if found is not None:
        return found
    name, _, depth = text.partition("-")
    if is_library(name) and not depth:
        from autogrow.networks.libraries import model_of

        return library_architecture(name, model_of(name).sub_networks)
    if (_find_architecture(name) or is_library(name)) and depth:
        raise UserError(
            f"network: {shown(text)} has a depth ({shown(depth)}) where only the "
            f"architecture is wanted; allowed: write {name} (the seed network's depth goes into "
            "seed_depth)"
        )
    raise UserError(f"network: unknown architecture {shown(text)}; allowed: {_all_names()}")


def parse_depth(text: str, architecture: Architecture, key: str = "depth") -> tuple[int, ...]:
    """Return ``2-3-2`` as ``(2, 3, 2)``.

    Raises
    ------
    UserError
        If a part is not a whole number from 1 to ``MAX_DEPTH`` or their number
        is not the architecture's number of sub-networks.
    """
    parts = text.split("-")
    for part in parts:
        if not re.fullmatch(r"[1-9][0-9]{0,3}", part) or int(part) > MAX_DEPTH:
            raise UserError(
                f"{key}: {shown(part)} in {shown(text)} is not a number of sub-modules; "
                f"allowed: whole numbers from 1 to {MAX_DEPTH} joined by '-'"
            )
    if len(parts) != architecture.sub_networks:
        example = format_depth(architecture.seed_depth)
        raise UserError(
            f"{key}: {shown(text)} names {len(parts)} sub-networks, {architecture.name} has "
            f"{architecture.sub_networks}; allowed: a depth like {example}"
        )
    return tuple(int(part) for part in parts)


def parse_network(text: str) -> NetworkName:
    """Return the network that ``text`` names, as ``Basic3ResNet-2-3-2``.

    A library's network is not looked up: records of it can be read without the library.

    Raises
    ------
    UserError
        If the architecture is unknown, or the depth missing or impossible.
    """
    name, _, depth = text.partition("-")
    if is_library(name) and depth:
        architecture: Architecture | None = library_architecture(name, depth.count("-") + 1)
    elif is_library(name):
        architecture = parse_architecture(name)
    else:
        architecture = _find_architecture(name)
    if architecture is None:
        raise UserError(
            f"network: unknown architecture {shown(name)} in {shown(text)}; "
            f"allowed: {_all_names()}, each with a depth (Basic3ResNet-2-3-2)"
        )
    if not depth:
        example = NetworkName(architecture, (2,) * architecture.sub_networks)
        raise UserError(f"network: {shown(text)} has no depth; allowed: a name like {example}")
    return NetworkName(
        architecture, parse_depth(depth, architecture, f"network {shown(text)}, depth")
    )


def known(name: NetworkName) -> NetworkName:
    """Return a network's name; a UserError if it is of a library that has no such network."""
    if is_library(name.architecture.name):
        from autogrow.networks.libraries import check_depth

        check_depth(name)
    return name


def smallest_map(architecture: Architecture, stem: Stem, image_size: int) -> int:
    """Return the side of the last sub-network's outputs in pixels; 1 where nobody knows it."""
    if is_library(architecture.name) or architecture.own:
        return 1
    halvings = architecture.sub_networks - 1 + (2 if stem == "imagenet" else 0)
    return -(-image_size // 2**halvings)


def choose_stem(architecture: Architecture, stem: str, image_size: int) -> Stem:
    """Return the stem that ``auto``, ``small`` or ``imagenet`` means for images of a size.

    Raises
    ------
    UserError
        If the paper gives the architecture no such stem.
    """
    stems = architecture.stems
    if stem == "auto":
        wanted: Stem = "imagenet" if image_size >= IMAGENET_STEM_FROM else "small"
        return wanted if wanted in stems else stems[0]
    if stem not in stems:
        raise UserError(
            f"stem: {architecture.name} has no {shown(stem)} stem; "
            f"allowed: auto or {allowed(stems)}"
        )
    return stem
