"""A network of timm or torchvision that grows, and ends as the library itself would build it."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import torch
from torch import nn

from autogrow.errors import UserError
from autogrow.networks.growable import depth_of
from autogrow.networks.libraries import LibraryModel, check_depth, library_model
from autogrow.networks.library_calls import Images
from autogrow.networks.names import LibraryArchitecture, NetworkName, library_architecture
from autogrow.networks.stages import (
    TRACED,
    Staged,
    checked_pattern,
    sequential,
    stage_outputs,
    with_members,
)


class LibraryNetwork(Staged):
    """What the class of a library's network gains."""

    library_model: LibraryModel
    images: Images

    def new_block(self, i: int) -> nn.Module:
        """Return a new block of stage i: the last one of the network with one block more there.

        The other stages have one block each, so that it depends on its own place alone.
        """
        depth = [1] * len(self.sub_networks)
        depth[i] = len(self.sub_networks[i]) + 1
        built = self.library_model.build(depth, self.images)
        return sequential(built, self.stage_names[i])[-1]

    def grown(self) -> None:
        """Set the rates of stochastic depth, which depend on the whole depth, to the library's."""
        if not any(rate for _, _, rate in _drop_rates(self)):
            return
        with torch.device("meta"):
            twin = self.library_model.build(depth_of(self), self.images)
        for (module, key, _), (_, _, rate) in zip(
            _drop_rates(self), _drop_rates(twin), strict=True
        ):
            setattr(module, key, rate)

    @property
    def architecture(self) -> LibraryArchitecture:
        """What this network has in common with those of other depths."""
        return library_architecture(self.library_model.name, len(self.stage_names))

    @property
    def library_code(self) -> str:
        """Python code by which the library itself builds this network."""
        return self.library_model.code(depth_of(self), self.images)


def _drop_rates(network: nn.Module) -> Iterator[tuple[nn.Module, str, float]]:
    """Yield each module that drops residual branches, with the key of its rate, and that."""
    for module in network.modules():
        kind = type(module).__name__
        if kind in ("DropPath", "StochasticDepth"):
            key = "drop_prob" if kind == "DropPath" else "p"
            yield module, key, getattr(module, key)


def library_network(name: NetworkName, images: Images) -> LibraryNetwork:
    """Return a library's network at the depth of its name, as the library initializes it.

    Raises
    ------
    UserError
        If the library is not installed or has no such network, or the network cannot be grown,
        has another number of sub-networks, or does not take such images.
    """
    model = library_model(check_depth(name).architecture.name)
    norms = _last_norms(model, images)
    network = with_members(model.build(name.depth, images), LibraryNetwork)
    network.stage_names, network.last_norms_of = model.stages, norms
    network.library_model, network.images = model, images
    for names, (_, *above) in zip(norms, network.sub_networks, strict=True):
        for block in above:  # as if the network had been grown to its depth
            block.last_norms = names  # type: ignore[assignment]
    return network


@functools.lru_cache(maxsize=64)
def _last_norms(model: LibraryModel, images: Images) -> Sequence[tuple[str, ...]]:
    """Return what the initializers treat in the blocks of each stage; nothing is computed.

    All blocks of a stage but the first are equal in this, so two will do.
    """
    with torch.device("meta"):
        built = model.build([2] * model.sub_networks, images)
        example = torch.empty(2, images.channels, images.size, images.size)
        try:
            below = stage_outputs(built, model.stages, example)
            return [
                checked_pattern(stage, sequential(built, stage)[-1], y, TRACED)
                for stage, y in zip(model.stages, below, strict=True)
            ]
        except UserError as error:
            reason = str(error).partition("; allowed")[0]
            raise UserError(
                f"network: {model.name} cannot be grown on images of {images.size}x{images.size} "
                f"pixels: {reason}; allowed: images and networks that fit, or from Python "
                "autogrow.growable(module, stages=...)"
            ) from None
