"""Whether both sides learn the same: their losses on the same images in the same order."""

from __future__ import annotations

from typing import NamedTuple

import torch

from benchmarks.sides import BATCH, Case, Engine, Reference


class Agreement(NamedTuple):
    """Largest difference of two loss curves.

    ``float64`` and ``float32`` compare engine and reference; ``rounding`` compares the
    reference in fp32 with itself in another memory layout. Training amplifies rounding: only
    ``float64`` says whether both compute the same, and ``rounding`` is the scale for ``float32``.
    """

    float64: float
    float32: float
    rounding: float


def agreement(case: Case, steps: int, device: torch.device) -> Agreement:
    """Train both sides for some steps of a batch each, and return how far apart they are."""
    generator = torch.Generator().manual_seed(0)
    order = torch.randint(case.images, (steps * BATCH,), generator=generator).tolist()

    def apart(a: list[float], b: list[float]) -> float:
        return max(abs(x - y) for x, y in zip(a, b, strict=True))

    def curve(kind: type[Engine] | type[Reference], dtype: torch.dtype) -> list[float]:
        return kind(case, device).losses(order, dtype)

    other = Reference(case, device)
    other.network.to(memory_format=torch.channels_last)
    expected = curve(Reference, torch.float32)
    return Agreement(
        float64=apart(curve(Engine, torch.float64), curve(Reference, torch.float64)),
        float32=apart(curve(Engine, torch.float32), expected),
        rounding=apart(other.losses(order, torch.float32), expected),
    )
