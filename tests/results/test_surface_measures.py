"""Width and roughness of small surfaces, counted by hand."""

import numpy as np
import pytest

from analysis.results.surface_measures import low_loss_share, roughness

AXIS = np.array([-1.0, 0.0, 1.0])
BOWL = np.array([[5.0, 3.0, 5.0], [1.2, 0.5, 1.5], [4.0, 2.0, 1.6]])


def test_width_is_the_share_of_points_at_most_one_above_the_centre():
    """The limit is 1.5: the centre and its two neighbours in the row are low."""
    assert low_loss_share(AXIS, AXIS, BOWL) == pytest.approx(3 / 9)


def test_losses_that_are_not_finite_are_not_low_and_leave_no_roughness():
    torn = BOWL.copy()
    torn[0, 0], torn[1, 2] = np.inf, np.nan
    assert low_loss_share(AXIS, AXIS, torn) == pytest.approx(2 / 9)
    assert np.isnan(roughness(torn))
    torn[1, 1] = np.nan
    assert np.isnan(low_loss_share(AXIS, AXIS, torn))


def test_roughness_is_the_mean_second_difference_along_rows_and_columns():
    """Rows: 4, 1.7 and 1.6; columns: 6.6, 4 and 3.6."""
    assert roughness(BOWL) == pytest.approx((4 + 1.7 + 1.6 + 6.6 + 4 + 3.6) / 6)


def test_a_plane_is_smooth_and_two_by_two_points_have_no_roughness():
    assert roughness(np.add.outer(AXIS, 2 * AXIS)) == pytest.approx(0)
    assert np.isnan(roughness(BOWL[:2, :2]))
