"""Stages of a module: what makes them sub-networks, and whether further blocks fit on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import TypeVar

import torch
from torch import Tensor, nn

from autogrow.errors import UserError, allowed, shown
from autogrow.networks.growable import GrowableModule
from autogrow.networks.residuals import find_last_norms

Network = TypeVar("Network", bound="Staged")

TRACED = "traced"
SIZES = (32, 64, 224)
"""Sides in pixels of the images that a module is tried on where no example is given."""


class Staged(GrowableModule):
    """What a module's class gains: the members of ``Growable``, by the names of its stages."""

    stage_names: tuple[str, ...]
    last_norms_of: Sequence[tuple[str, ...]]
    """What the initializers treat in each stage's new sub-modules."""

    @property
    def sub_networks(self) -> Sequence[nn.Sequential]:
        """The sub-networks in order."""
        return [sequential(self, name) for name in self.stage_names]

    def new_sub_module(self, i: int) -> nn.Module:
        """Return a new sub-module, default-initialized, that fits on top of sub-network i."""
        sub_module = self.new_block(i)
        sub_module.last_norms = self.last_norms_of[i]  # type: ignore[assignment]
        return sub_module

    def new_block(self, i: int) -> nn.Module:
        """Return a new block, default-initialized, that fits on top of stage i."""
        raise NotImplementedError


def with_members(module: nn.Module, members: type[Network]) -> Network:
    """Add the members of a class to a module's class, and return the module."""
    own = type(module)
    # A class of its own keeps the names of all parameters, which a module around it would not.
    module.__class__ = type(own.__name__, (members, own), {"__module__": own.__module__})
    assert isinstance(module, members)
    return module


def sequential(module: nn.Module, name: str) -> nn.Sequential:
    """Return the stage of a name; what is no stage is a UserError."""
    there = {n: m for n, m in module.named_modules() if isinstance(m, nn.Sequential) and len(m)}
    if name in there:
        return there[name]
    part = dict(module.named_modules()).get(name)
    found = "there is no such part" if part is None else f"it is {type(part).__name__}"
    near = get_close_matches(name, there, n=5, cutoff=0) or ["a module with an nn.Sequential"]
    raise UserError(
        f"stages: {shown(name)}: {found}; allowed: an nn.Sequential, as {allowed(near)}"
    )


def stage_outputs(module: nn.Module, stages: Sequence[str], example: Tensor | None) -> list[Tensor]:
    """Return what each stage puts out in a forward pass, in evaluation mode."""
    parameter = next(module.parameters())
    channels = next((m.in_channels for m in module.modules() if isinstance(m, nn.Conv2d)), 3)
    tries = (
        [example]
        if example is not None
        else [
            torch.zeros(2, channels, s, s, device=parameter.device, dtype=parameter.dtype)
            for s in SIZES
        ]
    )
    found: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(block: nn.Module, inputs: object, output: object) -> None:
            if isinstance(output, Tensor):
                found[name] = output.clone()  # what follows may change it in place

        return hook

    handles = [sequential(module, n)[-1].register_forward_hook(keep(n)) for n in stages]
    modes = [(m, m.training) for m in module.modules()]
    reasons = []
    try:
        with torch.no_grad():
            for images in tries:
                try:
                    module.eval()(images)
                    break
                except (RuntimeError, AssertionError, ValueError) as error:
                    reasons.append(f"{tuple(images.shape)}: {error}")
            else:
                raise UserError(
                    f"example: {type(module).__name__} does not take images {reasons[0]}; "
                    "allowed: example=images that it takes"
                )
    finally:
        for handle in handles:
            handle.remove()
        for part, training in modes:
            part.training = training
    missing = [name for name in stages if name not in found]
    if missing:
        raise UserError(
            f"stages: the last block of {shown(missing[0])} takes no part in the forward pass, or "
            "puts out no tensor; allowed: stages that call all their blocks, tensor by tensor"
        )
    return [found[name] for name in stages]


def checked_pattern(
    stage: str, block: nn.Module, below: Tensor, last_norm: str | Sequence[str] | None
) -> tuple[str, ...]:
    """Return what the initializers treat in a stage's block, which must keep the shape."""
    kind = type(block).__name__
    try:
        with torch.no_grad():
            shape = tuple(block.eval()(below).shape)
    except (RuntimeError, TypeError) as error:
        raise UserError(
            f"stages: {shown(stage)}: another {kind} does not fit on top: {error}; allowed: a "
            "stage whose last block keeps the shape (the first one often changes it: give a "
            "network with two blocks, and cut it by depth=)"
        ) from None
    if shape != tuple(below.shape):
        raise UserError(
            f"stages: {shown(stage)}: {kind} maps {tuple(below.shape)} to {shape}; allowed: a "
            "stage whose last block keeps the shape (the first one often changes it: give a "
            "network with two blocks, and cut it by depth=)"
        )
    if last_norm is None:
        return ()
    if last_norm != TRACED:
        return _named(stage, block, [last_norm] if isinstance(last_norm, str) else last_norm)
    found = find_last_norms(block, below)
    if found and all(found):
        return found
    missing = "the branch of a residual addition has none" if found else "no residual addition"
    parts = [
        n for n, p in block.named_modules() if n and any(True for _ in p.parameters(recurse=False))
    ]
    raise UserError(
        f"stages: {shown(stage)}: no last normalisation or LayerScale was found in {kind} by "
        f"tracing ({missing}); allowed: last_norm= with its name in the block, as "
        f"{allowed(parts[-5:]) or 'bn2'}, or last_norm=None for plain sub-modules, which keep "
        "the default initialization"
    )


def _named(stage: str, block: nn.Module, names: Sequence[str]) -> tuple[str, ...]:
    parts = {n: any(True for _ in m.parameters(recurse=False)) for n, m in block.named_modules()}
    parts |= {n: True for n, _ in block.named_parameters()}
    for name in names:
        if not parts.get(name):
            own = [n for n, has in parts.items() if has and n]
            raise UserError(
                f"last_norm: {shown(name)} is no part with parameters of the blocks in "
                f"{shown(stage)}; allowed: {allowed(own)}"
            )
    return tuple(names)
