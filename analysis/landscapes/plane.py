"""The plane in parameter space that shows most of a trajectory: PCA by its Gram matrix.

As Li et al. (2018), section 7: PCA of the differences of all points to the final one.
The Gram matrix (points x points) holds all that PCA needs, and is a sum over blocks of
parameters; so memory depends on the block, not on the network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import KernelPCA

from autogrow.errors import UserError

NEGLIGIBLE = 1e-12
"""Variance along a direction, relative to the whole, that is rounding only."""


class NoPlaneError(UserError):
    """The points of a trajectory are too few for a plane, or lie on one line."""


@dataclass(frozen=True)
class Plane:
    """The first two principal components of a trajectory's points.

    Each row of ``weights`` (2, points) combines the differences to a component, with 0 for
    points that are not in the fit; ``coordinates`` (points, 2) are the differences of all points
    projected on the components, with the final point at 0, 0; ``explained`` is the fitted
    points' variance along each component in percent.
    """

    weights: np.ndarray
    coordinates: np.ndarray
    explained: tuple[float, float]


def principal_plane(gram: np.ndarray, fitted: np.ndarray) -> Plane:
    """Return the plane of the first two principal components of the points that are ``fitted``.

    ``gram`` holds the inner products of all points' differences to the final one, not centred.

    Raises
    ------
    NoPlaneError
        If fewer than 3 points are fitted, or they lie on one line.
    """
    inner = gram[np.ix_(fitted, fitted)]
    if len(inner) < 3:
        raise NoPlaneError(
            "snapshots: fewer than 3 points evenly spaced in epochs; a plane needs 3"
        )
    # PCA of points known by their inner products only: kernel PCA centres the matrix.
    pca = KernelPCA(2, kernel="precomputed", eigen_solver="dense").fit(inner.copy())
    variances = pca.eigenvalues_
    total = np.trace(inner) - inner.mean(0).sum()
    if not variances[1] > NEGLIGIBLE * total:
        raise NoPlaneError("snapshots: all points of the trajectory lie on one line: no plane")
    weights = np.zeros((2, len(gram)))
    weights[:, fitted] = (pca.eigenvectors_ / np.sqrt(variances)).T
    weights[:, fitted] -= weights[:, fitted].mean(1, keepdims=True)
    first, second = 100 * variances / total
    return Plane(weights, gram @ weights.T, (float(first), float(second)))
