"""Initializers of a new sub-module's last Batch Normalization (paper section 2.2).

All else in a new sub-module keeps its default random initialization; a plain
sub-module has no last BN to treat and keeps the default altogether. Where a sub-module has
another last normalisation or LayerScale, or several residual additions, those are treated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from autogrow.errors import UserError
from autogrow.networks.names import Initializer, UniformNoise

ADAM_RATE = 1e-3
ADAM_MAX_EPOCHS = 10


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


def _parameters(norms: Sequence[nn.Module | nn.Parameter]) -> list[nn.Parameter]:
    """Return weight and bias of each normalisation, and each LayerScale."""
    return [
        p
        for n in norms
        for p in ([n] if isinstance(n, nn.Parameter) else n.parameters(recurse=False))
    ]


def initialize(
    sub_module: nn.Module,
    initializer: Initializer,
    *,
    seed: int,
    uniform_noise: UniformNoise = "std1",
) -> None:
    """Initialize weight and bias of a new sub-module's last BN, or what :func:`last_norms` says.

    A plain sub-module is left as it is. AdamInit begins at the default initialization;
    :func:`adam_init` carries it out afterwards.

    Parameters
    ----------
    sub_module
        The newly stacked sub-module.
    initializer
        ``ZeroInit`` (zeros), ``UniInit`` or ``GauInit`` (noise of mean 0 and
        standard deviation 1.0), or ``AdamInit``.
    seed
        Seed of the noise.
    uniform_noise
        UniInit's: ``std1`` as the paper says, or ``unit``, U(0, 1), as in the released code.
    """
    parameters = _parameters(last_norms(sub_module))
    if initializer == "AdamInit":
        return
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in parameters:
            noise = torch.empty(parameter.shape)
            if initializer == "ZeroInit":
                noise.zero_()
            elif initializer == "UniInit":
                low, high = (0, 1) if uniform_noise == "unit" else (-math.sqrt(3), math.sqrt(3))
                noise.uniform_(low, high, generator=generator)
            else:
                noise.normal_(generator=generator)
            parameter.copy_(noise)


def draw_bn_weights(module: nn.Module, *, seed: int) -> None:
    """Draw the weights of all BNs in ``module`` from U(0, 1), torch's default until 2019."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for bn in module.modules():
            if isinstance(bn, nn.BatchNorm2d):
                bn.weight.copy_(torch.empty(bn.weight.shape).uniform_(generator=generator))


def adam_of(sub_modules: Sequence[nn.Module], *, weight_decay: float) -> torch.optim.Adam | None:
    """Return AdamInit's optimizer of new sub-modules' last BNs, None for plain sub-modules."""
    parameters = _parameters(_all_last_norms(sub_modules))
    if not parameters:
        return None
    return torch.optim.Adam(parameters, lr=ADAM_RATE, weight_decay=weight_decay)


def adam_init(
    network: nn.Module,
    sub_modules: Sequence[nn.Module],
    train_epoch: Callable[[], tuple[float, float]],
    *,
    old_accuracy: float,
    slack: float,
    earlier: Sequence[tuple[float, float]] = (),
    frozen_statistics: bool = True,
) -> Iterator[tuple[float, float]]:
    """Carry out AdamInit, yielding training loss and accuracy (percent) of each epoch.

    Trains the new sub-modules' last BNs with Adam while all else is frozen, until the training
    accuracy is above ``old_accuracy - slack`` (percent), for at most ``ADAM_MAX_EPOCHS`` epochs,
    or until the loss is not finite. Yields nothing for plain sub-modules.

    Parameters
    ----------
    network
        The grown network.
    sub_modules
        The newly stacked sub-modules.
    train_epoch
        Trains one epoch with the optimizer of :func:`adam_of`; returns loss and accuracy.
    old_accuracy
        Training accuracy before the growth.
    slack
        How far below ``old_accuracy`` is good enough.
    earlier
        Loss and accuracy of the epochs before an interruption.
    frozen_statistics
        Whether the other BNs keep their running statistics.
    """
    norms = _all_last_norms(sub_modules)
    if not norms:
        return
    scores = list(earlier)
    while len(scores) < ADAM_MAX_EPOCHS:
        if scores:
            loss, accuracy = scores[-1]
            if accuracy > old_accuracy - slack or not math.isfinite(loss):
                return
        with _all_frozen_but(network, norms, frozen_statistics):
            scores.append(train_epoch())
        yield scores[-1]


def _all_last_norms(sub_modules: Sequence[nn.Module]) -> list[nn.Module | nn.Parameter]:
    return [norm for sub_module in sub_modules for norm in last_norms(sub_module)]


@contextmanager
def _all_frozen_but(
    network: nn.Module, norms: Sequence[nn.Module | nn.Parameter], statistics: bool
) -> Iterator[None]:
    """Freeze every parameter, and with ``statistics`` BNs' running ones, but those of ``norms``.

    The frozen BNs still normalise by the batch, as in training: the new
    sub-module's inner BNs have no running statistics worth using yet.
    """
    kept = {id(norm) for norm in norms}
    trained = {id(p) for p in _parameters(norms)}
    parameters = [p for p in network.parameters() if p.requires_grad]
    frozen_bns = [
        m
        for m in network.modules()
        if statistics
        and isinstance(m, nn.modules.batchnorm._BatchNorm)
        and m.track_running_stats
        and id(m) not in kept
    ]
    for parameter in parameters:
        parameter.requires_grad_(id(parameter) in trained)
    for bn in frozen_bns:
        bn.track_running_stats = False
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)
        for bn in frozen_bns:
            bn.track_running_stats = True
