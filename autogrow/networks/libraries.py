"""Networks of timm and torchvision by name, which the library itself builds at any depth."""

from __future__ import annotations

import functools
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from autogrow.errors import UserError, allowed, shortened, shown
from autogrow.networks.families import FAMILIES, UNSTACKABLE, Family
from autogrow.networks.library_calls import BUILDERS, DEFAULTS, Built, Images, Wanted
from autogrow.networks.names import NETWORKS, NetworkName, format_depth, is_plugin
from autogrow.networks.plugin import NetworkPlugin


class NamedStack(nn.Sequential):
    """A stage that calls its blocks in order, and numbers them as it has named them."""

    def append(self, module: nn.Module) -> NamedStack:
        """Add a block on top; its name's number is one more than that of the block below."""
        last = list(self._modules)[-1]
        self.add_module(re.sub(r"\d+$", lambda n: str(int(n[0]) + 1), last), module)
        return self


@dataclass(frozen=True)
class LibraryModel:
    """A network of a library that can be built at any depth.

    Parameters
    ----------
    name
        As ``timm:resnet18``.
    kind, family
        Class of the library, and what its family needs.
    stages
        Dotted names of its stages.
    own
        Its own depth.
    width
        Channels that its first sub-network puts out.
    learning_rate
        The largest learning rate by default: 0.1 as in the paper, 0.01 without Batch
        Normalization, as for the paper's networks that 0.1 would make diverge.
    fixed
        Stages that cannot be grown, by number, with their depth: EfficientNets end with a
        convolution that is kept in a stage of its own.
    """

    name: str
    kind: str
    family: Family
    stages: tuple[str, ...]
    own: tuple[int, ...]
    width: int
    learning_rate: float
    fixed: tuple[tuple[int, int], ...] = ()

    @property
    def sub_networks(self) -> int:
        """Number of sub-networks."""
        return len(self.stages)

    def build(self, depth: Sequence[int], images: Images) -> nn.Module:
        """Return the network, as the library initializes it.

        Raises
        ------
        UserError
            If the library refuses.
        """
        try:
            network, _ = self._built(depth, images)
        except (TypeError, ValueError, AssertionError, RuntimeError, NotImplementedError) as error:
            raise UserError(
                f"network: {self.name} cannot be built for {images.channels} x {images.size} x "
                f"{images.size} images: {shortened(str(error))}; allowed: what the library takes"
            ) from None
        for stage in self.stages:
            _as_sequential(network, stage)
        return network

    def code(self, depth: Sequence[int], images: Images) -> str:
        """Return the Python code by which the library itself builds the network."""
        with torch.device("meta"):
            _, code = self._built(depth, images)
        return code

    def _built(self, depth: Sequence[int], images: Images) -> Built:
        library, _, name = self.name.partition(":")
        everywhere = list(depth)
        for i, length in self.fixed:
            everywhere.insert(i, length)
        return BUILDERS[library](Wanted(name, self.kind, self.family, everywhere, images))


@functools.cache
def library_model(name: str) -> LibraryModel:
    """Return the network of a name, as ``timm:resnet18``; the library is imported.

    Raises
    ------
    UserError
        If the library is not installed, has no such network, or it cannot be grown.
    """
    library, _, model = name.partition(":")
    with torch.device("meta"):
        network = DEFAULTS[library](model)
    families = FAMILIES[library]
    bases = [base.__name__ for base in type(network).__mro__]
    kind = next((base for base in bases if base in families), None)
    if kind is None:
        reason = UNSTACKABLE.get(bases[0], f"the stages of {bases[0]} are not known")
        raise UserError(
            f"network: {shown(name)} cannot be grown: {reason}; allowed: networks of the classes "
            f"{allowed(families)}, or autogrow.growable(module, stages=...) from Python"
        )
    stages = [n for n, _ in network.named_modules() if re.fullmatch(families[kind].stages, n)]
    lengths = {n: len(list(network.get_submodule(n).children())) for n in stages}
    last = {n: list(network.get_submodule(n).children())[-1] for n in stages}
    *_, outputs = last[stages[0]].parameters()
    fixed = [n for n in stages if type(last[n]).__name__ == "ConvBnAct"]
    return LibraryModel(
        name,
        kind,
        families[kind],
        tuple(n for n in stages if n not in fixed),
        tuple(lengths[n] for n in stages if n not in fixed),
        len(outputs),
        0.1 if any(isinstance(m, nn.BatchNorm2d) for m in network.modules()) else 0.01,
        tuple((i, lengths[n]) for i, n in enumerate(stages) if n in fixed),
    )


def model_of(name: str) -> LibraryModel | NetworkPlugin:
    """Return what is known of a library's network, or of one that an installed package adds.

    Raises
    ------
    UserError
        As for :func:`library_model`, or if what the package adds does not work.
    """
    if is_plugin(name):
        plugin: NetworkPlugin = NETWORKS.find(name)
        return plugin
    return library_model(name)


def check_depth(name: NetworkName) -> NetworkName:
    """Return a library's network name if that library has this network with these sub-networks.

    Raises
    ------
    UserError
        If it has not.
    """
    model = model_of(name.architecture.name)
    if len(name.depth) != model.sub_networks:
        raise UserError(
            f"network {shown(str(name))}, depth: {shown(format_depth(name.depth))} names "
            f"{len(name.depth)} sub-networks, {name.architecture.name} has {model.sub_networks}; "
            f"allowed: a depth like {format_depth(model.own)}"
        )
    return name


def _as_sequential(network: nn.Module, stage: str) -> None:
    """Replace a stage that calls its blocks in order by a sequence with the same names."""
    above, _, own = stage.rpartition(".")
    there = network.get_submodule(stage)
    if not isinstance(there, nn.Sequential):
        setattr(network.get_submodule(above), own, NamedStack(OrderedDict(there.named_children())))
