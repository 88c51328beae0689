"""Makes any torch module growable whose stages are ``nn.Sequential``."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

from torch import Tensor, nn

from autogrow.errors import UserError, shown
from autogrow.networks.growable import GrowableModule, seeded
from autogrow.networks.stages import (
    TRACED,
    Staged,
    checked_pattern,
    sequential,
    stage_outputs,
    with_members,
)


class _Patterned(Staged):
    """Stages whose new blocks come from a function."""

    make_block: Callable[[int], nn.Module]

    def new_block(self, i: int) -> nn.Module:
        """Return a new block, default-initialized, that fits on top of stage i."""
        return self.make_block(i)


def growable(
    module: nn.Module,
    stages: Sequence[str],
    *,
    depth: Sequence[int] | None = None,
    last_norm: str | Sequence[str] | None = TRACED,
    new_sub_module: Callable[[int], nn.Module] | None = None,
    example: Tensor | None = None,
) -> GrowableModule:
    """Make a module growable whose stages are ``nn.Sequential``, and return it.

    The last block of a stage is the pattern of its new sub-modules: each is a deep copy of it,
    initialized again by each part's own ``reset_parameters``. The module keeps its weights, the
    names of its parameters and what it computes; its class gains ``sub_networks`` and
    ``new_sub_module``.

    Parameters
    ----------
    module
        Any module that maps images (N, C, H, W) to logits. It is changed in place.
    stages
        Dotted names of the stages, in the order of the forward pass, as ``["layer1", "layer2"]``.
    depth
        Depth of the seed network: each stage keeps this number of its first blocks. By
        default nothing is cut.
    last_norm
        What the initializers treat in a new sub-module (paper section 2.2): by default the last
        normalisation or LayerScale before each residual addition, found by tracing
        (:func:`autogrow.networks.residuals.find_last_norms`). Else a name in the block, as
        ``"bn2"``, or several; None for plain sub-modules, which keep the default initialization.
    new_sub_module
        Returns a new sub-module for a stage, by its number, where copies of the last blocks
        will not do.
    example
        Images that the module is tried on, on its device; by default blank ones of 32, 64 or 224
        pixels, whichever size the module takes.

    Raises
    ------
    UserError
        If a stage is no ``nn.Sequential``, its new sub-modules do not keep the shape or cannot
        be initialized, or no last normalisation is found.

    Examples
    --------
    >>> import autogrow
    >>> from torchvision.models import resnet18
    >>> stages = ["layer1", "layer2", "layer3", "layer4"]
    >>> network = autogrow.growable(resnet18(num_classes=10), stages, depth=[1, 1, 1, 1])
    >>> autogrow.depth_of(network)
    (1, 1, 1, 1)
    """
    blocks = [sequential(module, name)[-1] for name in stages]
    if not stages or len({*stages}) < len(stages):
        raise UserError(f"stages: found {shown(list(stages))}; allowed: different names")
    patterns = [copy.deepcopy(block).cpu() for block in blocks]

    def copied(i: int) -> nn.Module:
        sub_module = copy.deepcopy(patterns[i])
        _reinitialize(sub_module, stages[i])
        return sub_module

    new = new_sub_module or copied
    below = stage_outputs(module, stages, example)
    with seeded(0):  # the caller's random numbers stay as they are
        found = [
            checked_pattern(name, new(i), y.cpu(), last_norm)
            for i, (name, y) in enumerate(zip(stages, below, strict=True))
        ]
        _try_deeper(module, stages, new, example)
    if depth is not None:
        _cut(module, stages, depth)
    network = with_members(module, _Patterned)
    network.stage_names, network.last_norms_of = tuple(stages), found
    network.make_block = new
    return network


def _reinitialize(block: nn.Module, stage: str) -> None:
    """Initialize each part of a block by its own reset; the parts of a part come first."""
    for name, part in reversed(list(block.named_modules())):
        reset = getattr(part, "reset_parameters", getattr(part, "_reset_parameters", None))
        if reset is not None:
            reset()
        elif any(True for _ in part.parameters(recurse=False)):
            own = next(n for n, _ in part.named_parameters(name, recurse=False))
            raise UserError(
                f"stages: {shown(stage)}: {type(part).__name__} has the parameter {shown(own)} "
                "and no reset_parameters(), so a copy of it cannot be initialized; allowed: "
                "a class with that method, or new_sub_module= with a function that returns a "
                "new block"
            )


def _try_deeper(
    module: nn.Module,
    stages: Sequence[str],
    new: Callable[[int], nn.Module],
    example: Tensor | None,
) -> None:
    """Check that the module calls a further block of each stage, and still takes the images."""
    parameter = next(module.parameters())
    for i, name in enumerate(stages):
        sequential(module, name).append(new(i).to(parameter.device, parameter.dtype))
    try:
        stage_outputs(module, stages, example)
    finally:
        for name in stages:
            del sequential(module, name)[-1]


def _cut(module: nn.Module, stages: Sequence[str], depth: Sequence[int]) -> None:
    largest = [len(sequential(module, name)) for name in stages]
    if len(depth) != len(stages) or any(
        not 1 <= d <= most for d, most in zip(depth, largest, strict=False)
    ):
        raise UserError(
            f"depth: found {shown(tuple(depth))}; allowed: {len(stages)} numbers, from 1 to "
            f"{shown(tuple(largest))}"
        )
    for name, d in zip(stages, depth, strict=True):
        stage = sequential(module, name)
        del stage[d:]
