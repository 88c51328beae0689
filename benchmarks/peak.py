"""The most multiply-adds a second that this device's libraries reach: the limit."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

SIZE = 2048
BATCH, CHANNELS, SIDE, KERNEL = 64, 256, 16, 3


def peaks(device: torch.device, seconds: float) -> dict[str, float]:
    """Return the most multiply-adds a second in fp32, by what computes them.

    ``matrix product`` is ``torch.mm`` of two large matrices, ``convolution`` a large
    channels_last one. A CPU computes the latter by oneDNN, which on some processors is twice
    as fast as the BLAS behind ``torch.mm``: there its peak is the limit that counts. Each is
    tried for some seconds, and the best time counts.
    """
    a, b = torch.randn(2, SIZE, SIZE, device=device).unbind()
    shapes = (BATCH, CHANNELS, SIDE, SIDE), (CHANNELS, CHANNELS, KERNEL, KERNEL)
    images, kernels = (
        torch.randn(shape, device=device).contiguous(memory_format=torch.channels_last)
        for shape in shapes
    )
    padding = KERNEL // 2
    convolution = BATCH * SIDE**2 * CHANNELS**2 * KERNEL**2
    return {
        "matrix product": SIZE**3 / _best(lambda: torch.mm(a, b), device, seconds),
        "convolution": convolution
        / _best(lambda: torch.conv2d(images, kernels, padding=padding), device, seconds),
    }


def _best(work: Callable[[], object], device: torch.device, seconds: float) -> float:
    best = float("inf")
    end = time.perf_counter() + seconds
    with torch.inference_mode():
        while time.perf_counter() < end:
            start = time.perf_counter()
            work()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            best = min(best, time.perf_counter() - start)
    return best
