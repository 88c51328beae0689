"""Initializers of a new sub-module's last Batch Normalization (paper section 2.2).

All else in a new sub-module keeps its default random initialization; a plain
sub-module has no last BN to treat and keeps the default altogether. Where a sub-module has
another last normalisation or LayerScale, or several residual additions, those are treated.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from autogrow.errors import UserError
from autogrow.networks.initializer_names import INITIALIZERS
from autogrow.networks.names import UniformNoise


def last_norms(sub_module: nn.Module) -> list[nn.Module | nn.Parameter]:
    """Return what the initializers treat: the last normalisation of each residual branch.

    A parameter stands for LayerScale. A plain sub-module has none.

    Raises
    ------
    UserError
        If the sub-module does not say.
    """
    names = getattr(sub_module, "last_norms", None)
    if names is not None:
        return [_part(sub_module, name) for name in names]
    if not hasattr(sub_module, "last_bn"):
        raise UserError(
            f"initializer: {type(sub_module).__name__} does not say what its last normalisation "
            "is; allowed: an attribute last_bn (None for a plain sub-module, which keeps the "
            "default initialization), or autogrow.growable(network, stages=...), which finds it"
        )
    bn = sub_module.last_bn
    return [bn] if isinstance(bn, nn.Module) else []


def _part(module: nn.Module, name: str) -> nn.Module | nn.Parameter:
    """Return the sub-module or parameter of a dotted name."""
    above, _, own = name.rpartition(".")
    part = getattr(module.get_submodule(above), own)
    assert isinstance(part, nn.Module | nn.Parameter)
    return part


def parameters_of(norms: Sequence[nn.Module | nn.Parameter]) -> list[nn.Parameter]:
    """Return weight and bias of each normalisation, and each LayerScale."""
    return [
        p
        for n in norms
        for p in ([n] if isinstance(n, nn.Parameter) else n.parameters(recurse=False))
    ]


class Initializer(ABC):
    """What gives a new sub-module its first weights, beyond its default initialization.

    Attributes
    ----------
    adam
        Whether Adam then trains the last normalisations alone
        (:mod:`autogrow.networks.adam_init`).

    Examples
    --------
    >>> import autogrow
    >>> from autogrow.networks.initializers import ZeroInit
    >>> issubclass(ZeroInit, autogrow.Initializer)
    True
    """

    adam: ClassVar[bool] = False

    @abstractmethod
    def initialize(
        self, sub_module: nn.Module, below: nn.Module | None, noise: torch.Generator
    ) -> None:
        """Change the weights of a sub-module that was just stacked, in place.

        Gradients are off.

        Parameters
        ----------
        sub_module
            The new sub-module, default-initialized.
        below
            The sub-module on which it was stacked; it must not be changed.
        noise
            Random numbers of its own, on the CPU.
        """


class ZeroInit(Initializer):
    """Zeros in the last normalisations: a residual sub-module begins as the identity."""

    def initialize(
        self, sub_module: nn.Module, below: nn.Module | None, noise: torch.Generator
    ) -> None:
        """Set weight and bias of the last normalisations to zero."""
        for parameter in parameters_of(last_norms(sub_module)):
            parameter.zero_()


class GauInit(Initializer):
    """Gaussian noise of standard deviation 1 in the last normalisations: the paper's best."""

    def initialize(
        self, sub_module: nn.Module, below: nn.Module | None, noise: torch.Generator
    ) -> None:
        """Draw weight and bias of the last normalisations from N(0, 1)."""
        for parameter in parameters_of(last_norms(sub_module)):
            parameter.copy_(torch.empty(parameter.shape).normal_(generator=noise))


@dataclass(frozen=True)
class UniInit(Initializer):
    """Uniform noise in the last normalisations.

    Parameters
    ----------
    uniform_noise
        ``std1``, of standard deviation 1 as the paper says, or ``unit``, U(0, 1), as in the
        released code.
    """

    uniform_noise: UniformNoise = "std1"

    def initialize(
        self, sub_module: nn.Module, below: nn.Module | None, noise: torch.Generator
    ) -> None:
        """Draw weight and bias of the last normalisations from a uniform distribution."""
        low, high = (0, 1) if self.uniform_noise == "unit" else (-math.sqrt(3), math.sqrt(3))
        for parameter in parameters_of(last_norms(sub_module)):
            parameter.copy_(torch.empty(parameter.shape).uniform_(low, high, generator=noise))


class AdamInit(Initializer):
    """The default initialization, then epochs in which Adam trains the last normalisations."""

    adam: ClassVar[bool] = True

    def initialize(
        self, sub_module: nn.Module, below: nn.Module | None, noise: torch.Generator
    ) -> None:
        """Leave the sub-module as it is, once it says what its last normalisations are."""
        last_norms(sub_module)


def initialize(
    sub_module: nn.Module,
    initializer: str,
    *,
    seed: int,
    below: nn.Module | None = None,
    uniform_noise: UniformNoise = "std1",
) -> None:
    """Give a new sub-module its first weights, as an initializer has them.

    Parameters
    ----------
    sub_module
        The newly stacked sub-module.
    initializer
        Its name. AdamInit's training follows later (:mod:`autogrow.networks.adam_init`).
    seed
        Seed of the noise.
    below
        The sub-module on which it was stacked; the paper's initializers do not look at it.
    uniform_noise
        UniInit's.

    Raises
    ------
    UserError
        If there is no such initializer, or it cannot treat such a sub-module.
    """
    cls = INITIALIZERS.find(initializer)
    chosen: Initializer = cls(uniform_noise) if cls is UniInit else cls()
    with torch.no_grad():
        chosen.initialize(sub_module, below, torch.Generator().manual_seed(seed))


def draw_bn_weights(module: nn.Module, *, seed: int) -> None:
    """Draw the weights of all BNs in ``module`` from U(0, 1), torch's default until 2019."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for bn in module.modules():
            if isinstance(bn, nn.BatchNorm2d):
                bn.weight.copy_(torch.empty(bn.weight.shape).uniform_(generator=generator))
