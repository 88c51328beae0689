"""How long a network's forward pass takes on a device."""

from __future__ import annotations

import statistics
import time

import torch
from torch import Tensor, nn

WARMING = 3
LEAST_PASSES = 11
LEAST_SECONDS = 0.2


@torch.inference_mode()
def median_latency(network: nn.Module, images: Tensor, precision: str = "fp32") -> float:
    """Return the median time of a forward pass in milliseconds.

    It is taken over at least 11 passes and 0.2 seconds, after three that do not count.

    Parameters
    ----------
    network
        Put into evaluation mode.
    images
        The batch (B, C, H, W), of any content, on the network's device.
    precision
        ``bf16`` for autocast, as in training.
    """
    network.eval()
    device = images.device

    def seconds() -> float:
        began = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            network(images)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter() - began

    for _ in range(WARMING):
        seconds()
    passes: list[float] = []
    while len(passes) < LEAST_PASSES or sum(passes) < LEAST_SECONDS:
        passes.append(seconds())
    return 1000 * statistics.median(passes)
