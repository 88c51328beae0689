import numpy as np
import pytest
from sklearn.decomposition import PCA

from analysis.landscapes.plane import principal_plane
from autogrow.errors import UserError


def plane_of(points):
    d = points - points[-1]
    return principal_plane(d @ d.T, np.ones(len(d), bool)), d


@pytest.mark.parametrize("seed", range(3))
def test_it_is_scikit_learns_pca_of_the_whole_matrix(seed):
    points = np.random.default_rng(seed).standard_normal((9, 40)) * np.linspace(3, 0.1, 40)
    plane, d = plane_of(points)
    pca = PCA(2).fit(d)
    np.testing.assert_allclose(plane.explained, 100 * pca.explained_variance_ratio_, rtol=1e-9)
    found = plane.weights @ d
    signs = np.sign((found * pca.components_).sum(1))
    np.testing.assert_allclose(found, pca.components_ * signs[:, None], atol=1e-9)
    np.testing.assert_allclose(plane.coordinates, d @ pca.components_.T * signs, atol=1e-9)


def test_points_on_a_plane_give_back_the_plane():
    """In 10,000 dimensions: all of the variance, and each point where it was."""
    generator = np.random.default_rng(0)
    basis = np.linalg.qr(generator.standard_normal((10_000, 2)))[0].T
    inside = generator.standard_normal((12, 2)) * [3, 1]
    plane, d = plane_of(generator.standard_normal(10_000) + inside @ basis)
    assert sum(plane.explained) == pytest.approx(100, abs=1e-6)
    np.testing.assert_allclose(plane.coordinates @ (plane.weights @ d), d, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_points_that_are_not_fitted_are_projected_on_the_plane_of_the_others(seed):
    drawn = np.random.default_rng(seed)
    d = drawn.standard_normal((9, 40)) * np.linspace(3, 0.1, 40)
    d[-1] = 0
    fitted = np.ones(9, bool)
    fitted[[2, 5]] = False
    plane = principal_plane(d @ d.T, fitted)
    others = principal_plane(d[fitted] @ d[fitted].T, np.ones(7, bool))
    assert plane.explained == pytest.approx(others.explained)
    np.testing.assert_array_equal(plane.weights[:, ~fitted], 0)
    np.testing.assert_allclose(plane.coordinates[fitted], others.coordinates, atol=1e-9)
    np.testing.assert_allclose(plane.coordinates, d @ (plane.weights @ d).T, atol=1e-9)
    d[2] *= 100  # however far a point right after a growth lies
    again = principal_plane(d @ d.T, fitted)
    np.testing.assert_allclose(again.weights, plane.weights, atol=1e-9)


@pytest.mark.parametrize(
    "points",
    [np.ones((4, 10)), np.outer([3, 2, 5, 0], np.arange(10.0)), np.eye(2)],
    ids=["one point", "one line", "two points"],
)
def test_points_on_a_line_have_no_plane(points):
    with pytest.raises(UserError, match="plane"):
        plane_of(points)
