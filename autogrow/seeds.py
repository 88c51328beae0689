"""Seeds for everything random in a run, derived separately.

Each purpose (data order, augmentation, initial weights, each new sub-module,
subset) has a stream of its own that depends on the run's seed and the purpose
alone: changing one setting does not shift the others, and an epoch's random
numbers can be had without those of the epochs before.
"""

from __future__ import annotations

import hashlib


def derive(seed: int, purpose: str, *numbers: int) -> int:
    """Return a seed for one purpose, from 0 to 2**63 - 1.

    Parameters
    ----------
    seed
        The run's seed.
    purpose
        What the random numbers are for, as ``data order``.
    numbers
        Which one of its kind, as the epoch.
    """
    text = "/".join([str(seed), purpose, *map(str, numbers)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
