"""AdamInit's training: Adam adapts a new sub-module's last normalisations (paper section 2.2)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from autogrow.networks.initializers import last_norms, parameters_of

ADAM_RATE = 1e-3
ADAM_MAX_EPOCHS = 10


def adam_of(sub_modules: Sequence[nn.Module], *, weight_decay: float) -> torch.optim.Adam | None:
    """Return AdamInit's optimizer of new sub-modules' last BNs, None for plain sub-modules."""
    parameters = parameters_of(_all_last_norms(sub_modules))
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
    trained = {id(p) for p in parameters_of(norms)}
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
