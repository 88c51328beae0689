"""Whether both sides learn the same: their losses on the same images in the same order."""

from __future__ import annotations

from typing import NamedTuple

import torch

from benchmarks.sides import BATCH, Case, Engine, Reference


class Agreement(NamedTuple):
    """Largest difference of two loss curves.

    ``float64``: of engine and reference. ``float32``: the same in fp32.
    ``rounding``: in fp32 of the reference and itself in another memory layout.
    Training amplifies rounding, so only the first says whether both compute the
    same; the last says what the second is to be compared with.
    """

    float64: float
    float32: float
    rounding: float


def agreement(case: Case, steps: int, device: torch.device) -> Agreement:
    """Train both sides in this process and return how far their losses are apart.

    Parameters
    ----------
    case
        Network and images.
    steps
        How many, of a batch each, not augmented.
    device
        Where.
    """
    generator = torch.Generator().manual_seed(0)
    order = torch.randint(case.images, (steps * BATCH,), generator=generator).tolist()

    def apart(a: list[float], b: list[float]) -> float:
        return max(abs(x - y) for x, y in zip(a, b, strict=True))

    def reference(dtype: torch.dtype) -> list[float]:
        return Reference(case, device).losses(order, dtype)

    other = Reference(case, device)
    other.network.to(memory_format=torch.channels_last)
    expected = reference(torch.float32)
    return Agreement(
        float64=apart(Engine(case, device).losses(order, torch.float64), reference(torch.float64)),
        float32=apart(Engine(case, device).losses(order, torch.float32), expected),
        rounding=apart(other.losses(order, torch.float32), expected),
    )
