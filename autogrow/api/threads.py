"""How many threads a caller's run needs, where the caller does not say."""

from __future__ import annotations

import torch

from autogrow.config.resolved import ResolvedSpec
from autogrow.data import DatasetInfo, ImageData
from autogrow.networks.by_name import network_by_name
from autogrow.networks.flops import costs_of
from autogrow.networks.growable import GrowableModule
from autogrow.runs.cost import PASSES
from autogrow.training.building import shape_of

SMALL_STEP = 10**9
"""Multiply-adds of a step that one thread computes in a few hundredths of a second."""


def usual_threads(
    network: GrowableModule | None, spec: ResolvedSpec, facts: ImageData | DatasetInfo
) -> int:
    """Return one thread for a network whose steps are small at its seed depth, else torch's number.

    It follows from the network, the images and the batch alone, not from a measurement: the number
    of threads fixes the bits of a run. ``network`` is None where the spec names one.
    """
    size = spec.image_size(facts.image_size)
    image = torch.zeros(1, facts.channels, size, size)
    if network is not None:
        training = network.training
        costs = costs_of(network.eval(), image.to(next(network.parameters()).device))
        network.train(training)
    else:
        with torch.device("meta"):
            built = network_by_name(spec.first_network, **shape_of(spec, facts))
            costs = costs_of(built.eval(), image.to("meta"))
    small = PASSES * costs[-1].flops * spec.batch_size < SMALL_STEP
    return 1 if small else torch.get_num_threads()
