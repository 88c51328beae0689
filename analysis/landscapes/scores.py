"""The score of a point of a landscape: loss and accuracy over the training images."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from autogrow.batches.in_memory import DeviceSet
from autogrow.training.epoch import Score, evaluate, evaluation_batch


def score(network: nn.Module, images: DeviceSet) -> Score:
    """Return mean cross-entropy and accuracy in percent over the images, never clipped."""
    return evaluate(network, images)[0]


def recalibrated_score(network: nn.Module, images: DeviceSet) -> Score:
    """Return the score with the statistics of Batch Normalization measured at this point."""
    with recalibrated(network, images):
        return score(network, images)


@contextmanager
def recalibrated(network: nn.Module, images: DeviceSet) -> Iterator[None]:
    """Give Batch Normalization the statistics of these images; on leaving back as it was."""
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    kept = [{n: b.clone() for n, b in norm.named_buffers()} for norm in norms]
    momenta = [norm.momentum for norm in norms]
    try:
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the mean over all batches
            norm.train()
        # Batches of about one size, which the mean weighs alike.
        n = len(images)
        batches = -(-n // evaluation_batch(images))
        with torch.no_grad():
            for batch, _ in images.evaluation_batches(-(-n // batches)):
                network(batch)
        network.eval()
        yield
    finally:
        network.eval()
        for norm, buffers, momentum in zip(norms, kept, momenta, strict=True):
            norm.momentum = momentum
            for name, buffer in norm.named_buffers():
                buffer.copy_(buffers[name])
