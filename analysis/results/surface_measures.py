"""Width and roughness of a loss surface, as docs/claims.md defines them."""

from __future__ import annotations

import numpy as np

_ABOVE = 1.0  # nats above the loss at the centre that still count as low


def low_loss(x: np.ndarray, y: np.ndarray, losses: np.ndarray) -> float:
    """Return the highest loss that counts as low: that of the centre and 1 nat more.

    Parameters
    ----------
    x, y
        The coordinates of the grid, (m,) and (n,); the centre is where both are closest to 0.
    losses
        The losses on the grid, (n, m).
    """
    return float(losses[np.abs(y).argmin(), np.abs(x).argmin()]) + _ABOVE


def low_loss_share(x: np.ndarray, y: np.ndarray, losses: np.ndarray) -> float:
    """Return the share of a grid's points whose loss is low; NaN if there is none at the centre.

    A loss that is not finite is not low. The parameters are those of :func:`low_loss`.
    """
    limit = low_loss(x, y, losses)
    return float((losses <= limit).mean()) if np.isfinite(limit) else np.nan


def roughness(losses: np.ndarray) -> float:
    """Return the mean absolute second difference between neighbours of a grid, in nats.

    It is over every three neighbours in a row and in a column of ``losses``, (n, m); NaN if a
    loss is not finite or there are no three neighbours.
    """
    if not np.isfinite(losses).all() or max(losses.shape) < 3:
        return np.nan
    differences = [np.diff(losses, 2, axis).ravel() for axis in (0, 1)]
    return float(np.abs(np.concatenate(differences)).mean())
