"""The losses at which contours are drawn, the same in all panels that are compared."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import MaxNLocator

_FEWEST, _MOST = 4, 9
_HIGH = 0.98  # quantile: the highest losses, far from any minimum, need no contours


def log_levels(losses: np.ndarray) -> np.ndarray:
    """Return round levels inside the range of the losses, each about twice to ten times the last.

    Where the range is too narrow for four such levels, they have a constant difference. There is
    none if no two losses that are finite and above 0 differ.

    Parameters
    ----------
    losses
        Those of all panels that are compared, of any shape.
    """
    usable = losses[np.isfinite(losses) & (losses > 0)]
    if not usable.size:
        return np.empty(0)
    low, high = usable.min(), np.quantile(usable, _HIGH)
    powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        levels = np.multiply.outer(10.0**powers, steps).ravel()
        levels = levels[(levels > low) & (levels < high)]
        if len(levels) <= _MOST:
            break
    if len(levels) < _FEWEST:
        return linear_levels(low, high)
    return levels[:: -(-len(levels) // _MOST)]


def linear_levels(low: float, high: float) -> np.ndarray:
    """Return round levels between two losses with a constant difference, nine at most."""
    if not high - low > 1e-9 * abs(high):
        return np.empty(0)
    levels = np.asarray(MaxNLocator(_MOST, steps=[1, 2, 5, 10]).tick_values(low, high))
    return levels[(levels > low) & (levels < high)]


def level_names(levels: np.ndarray) -> list[str]:
    """Return the levels as text, without digits that only rounding has made."""
    names: list[str] = []
    for digits in range(6, 17):
        names = [f"{level:.{digits}g}" for level in levels]
        if np.allclose(list(map(float, names)), levels, rtol=1e-10, atol=0):
            break
    return names
