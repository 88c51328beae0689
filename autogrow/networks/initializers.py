"""Initializers of a new sub-module's last Batch Normalization (paper section 2.2).

All else in a new sub-module keeps its default random initialization; a plain
sub-module has no last BN to treat and keeps the default altogether.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from autogrow.networks.names import Initializer, UniformNoise

ADAM_RATE = 1e-3
ADAM_MAX_EPOCHS = 10


def last_bn(sub_module: nn.Module) -> nn.BatchNorm2d | None:
    """Return a residual sub-module's last BN, None for a plain sub-module."""
    return getattr(sub_module, "last_bn", None)


def initialize(
    sub_module: nn.Module,
    initializer: Initializer,
    *,
    seed: int,
    uniform_noise: UniformNoise = "std1",
) -> None:
    """Initialize a new sub-module's last BN, weight and bias.

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
    bn = last_bn(sub_module)
    if bn is None or initializer == "AdamInit":
        return
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in (bn.weight, bn.bias):
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
    parameters = [p for bn in _last_bns(sub_modules) for p in bn.parameters()]
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
    bns = _last_bns(sub_modules)
    if not bns:
        return
    scores = list(earlier)
    while len(scores) < ADAM_MAX_EPOCHS:
        if scores:
            loss, accuracy = scores[-1]
            if accuracy > old_accuracy - slack or not math.isfinite(loss):
                return
        with _all_frozen_but(network, bns, frozen_statistics):
            scores.append(train_epoch())
        yield scores[-1]


def _last_bns(sub_modules: Sequence[nn.Module]) -> list[nn.BatchNorm2d]:
    return [bn for bn in map(last_bn, sub_modules) if bn is not None]


@contextmanager
def _all_frozen_but(
    network: nn.Module, bns: Sequence[nn.BatchNorm2d], statistics: bool
) -> Iterator[None]:
    """Freeze every parameter, and with ``statistics`` BNs' running ones, except those of ``bns``.

    The frozen BNs still normalise by the batch, as in training: the new
    sub-module's inner BNs have no running statistics worth using yet.
    """
    kept = {id(bn) for bn in bns}
    trained = {id(p) for bn in bns for p in bn.parameters()}
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
