import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from analysis.landscapes.plane import contour_range, gram_matrix, principal_plane
from autogrow.errors import UserError


def differences(points):
    return points - points[-1]


def plane_of(points):
    d = differences(points)
    return principal_plane(d @ d.T), d


@given(st.integers(0, 2**32 - 1), st.integers(3, 30))
def test_points_on_a_plane_give_back_the_plane(seed, n):
    """In 10,000 dimensions: all of the variance, the plane's span, the points' distances."""
    generator = np.random.default_rng(seed)
    basis = np.linalg.qr(generator.standard_normal((10_000, 2)))[0].T
    inside = generator.standard_normal((n, 2)) * [3, 1]
    plane, d = plane_of(generator.standard_normal(10_000) + inside @ basis)
    assert sum(plane.explained) == pytest.approx(100, abs=1e-6)
    found = plane.weights @ d
    np.testing.assert_allclose(found @ found.T, np.eye(2), atol=1e-6)
    np.testing.assert_allclose((found @ basis.T) @ basis, found, atol=1e-6)
    # The points are where they were, seen from the last one.
    np.testing.assert_allclose(plane.coordinates[-1], 0, atol=1e-9)
    np.testing.assert_allclose(
        np.linalg.norm(plane.coordinates, axis=1),
        np.linalg.norm(inside - inside[-1], axis=1),
        atol=1e-6,
    )
    np.testing.assert_allclose(plane.coordinates @ found, d, atol=1e-6)


def test_it_is_scikit_learns_pca_of_the_whole_matrix():
    points = np.random.default_rng(1).standard_normal((9, 40)) * np.linspace(3, 0.1, 40)
    plane, d = plane_of(points)
    pca = PCA(2).fit(d)
    np.testing.assert_allclose(plane.explained, 100 * pca.explained_variance_ratio_, rtol=1e-9)
    found = plane.weights @ d
    signs = np.sign((found * pca.components_).sum(1))
    np.testing.assert_allclose(found, pca.components_ * signs[:, None], atol=1e-9)
    np.testing.assert_allclose(plane.coordinates, d @ pca.components_.T * signs, atol=1e-9)


def test_the_gram_matrix_is_a_sum_over_blocks_of_parameters():
    d = np.random.default_rng(2).standard_normal((4, 11))
    np.testing.assert_allclose(gram_matrix([d[:, :3], d[:, 3:4], d[:, 4:]]), d @ d.T)


def test_finding_the_plane_leaves_the_gram_matrix_as_it_was():
    d = differences(np.random.default_rng(3).standard_normal((5, 20)))
    gram = d @ d.T
    before = gram.copy()
    principal_plane(gram)
    np.testing.assert_array_equal(gram, before)


@pytest.mark.parametrize(
    "points",
    [np.ones((4, 10)), np.outer([3, 2, 5, 0], np.arange(10.0)), np.eye(2)],
    ids=["one point", "one line", "two points"],
)
def test_points_on_a_line_have_no_plane(points):
    with pytest.raises(UserError, match="plane"):
        plane_of(points)


def test_the_contour_holds_the_whole_trajectory_and_a_margin():
    assert contour_range(np.array([3.0, -1, 0]), 0.25) == (-2, 4)
