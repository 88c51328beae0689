"""Pretrained weights of a library's network, from a local safetensors file."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from autogrow.errors import UserError, shortened, shown
from autogrow.networks.growable import depth_of
from autogrow.networks.library_calls import imported_timm, timm_options
from autogrow.networks.library_network import LibraryNetwork
from autogrow.networks.names import format_depth


def load_pretrained(network: LibraryNetwork, file: Path) -> None:
    """Give a network the weights of its blocks, and of all else, from a file.

    The file holds the library's network at the library's own depth and by its names. The
    classifier of other classes keeps its random weights; timm itself adapts its weights to
    other image sizes, patches and numbers of channels.

    Raises
    ------
    UserError
        If the file has other weights, or the network is deeper than they are.
    """
    model, depth = network.library_model, depth_of(network)
    if any(ours > theirs for ours, theirs in zip(depth, model.own, strict=True)):
        raise UserError(
            f"pretrained: {file} has weights of {model.name}-{format_depth(model.own)}; found the "
            f"deeper {format_depth(depth)}; allowed: a seed network that is not deeper"
        )
    try:
        tensors = load_file(file)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{file}: no safetensors file of weights: {error}") from None
    whole = model.build(model.own, network.images)
    classifiers = _classifiers(whole)
    try:
        _check_names(tensors, whole.state_dict(), classifiers)
        if model.name.startswith("timm:"):
            tensors = _adapted_by_timm(network, tensors, classifiers)
        own = network.state_dict()
        for name in own:
            of_others = name not in tensors or tensors[name].shape != own[name].shape
            if name.startswith(classifiers) and of_others:
                tensors[name] = own[name]
        network.load_state_dict({name: tensors[name] for name in own})
    except (RuntimeError, ValueError, AssertionError) as error:
        raise UserError(
            f"{file}: no weights of {model.name}: {shortened(str(error))}; allowed: those of "
            f"{model.name}-{format_depth(model.own)}, by the library's names"
        ) from None


def _classifiers(network: nn.Module) -> tuple[str, ...]:
    """Return how the names of the layers that put out the logits begin."""
    *_, last = (n for n, m in network.named_modules() if isinstance(m, nn.Linear))
    named = getattr(network, "pretrained_cfg", {}).get("classifier") or last
    return tuple(f"{name}." for name in ([named] if isinstance(named, str) else named))


def _check_names(
    tensors: dict[str, Tensor], wanted: dict[str, Tensor], classifiers: tuple[str, ...]
) -> None:
    differing = [n for n in sorted({*tensors} ^ {*wanted}) if not n.startswith(classifiers)]
    if differing:
        said = "is missing" if differing[0] in wanted else "is not of it"
        raise ValueError(f"{shown(differing[0])} {said}")


def _adapted_by_timm(
    network: LibraryNetwork, tensors: dict[str, Tensor], classifiers: tuple[str, ...]
) -> dict[str, Tensor]:
    """Return what timm makes of the weights for the images that the network takes."""
    model = network.library_model
    whole: nn.Module = imported_timm().create_model(
        model.name.partition(":")[2],
        pretrained=True,
        pretrained_cfg_overlay={
            "state_dict": dict(tensors),
            "num_classes": len(tensors.get(f"{classifiers[0]}weight", ())),
            "classifier": [name.removesuffix(".") for name in classifiers],
        },
        **timm_options(model.family, network.images),
    )
    return whole.state_dict()
