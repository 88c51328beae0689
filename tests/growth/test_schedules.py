import pytest

from autogrow.growth.schedules import growing_staircase, largest_rate_epochs, staircase

SMALL, IMAGENET = (0.5, 0.75), (1 / 3, 2 / 3)


def rates(rate, epochs, milestones):
    """Learning rate of each epoch, the first epoch first."""
    return [staircase(rate, e, epochs, milestones) for e in range(epochs)]


@pytest.mark.parametrize(
    ("rate", "epochs", "milestones", "steps"),
    [
        (0.1, 200, SMALL, (100, 50, 50)),
        (0.1, 90, IMAGENET, (30, 30, 30)),
        (0.01, 200, SMALL, (100, 50, 50)),  # plain nets begin at a tenth
        (1, 8, SMALL, (4, 2, 2)),
        (1, 3, IMAGENET, (1, 1, 1)),
        (0.1, 1, SMALL, (1,)),  # a single epoch is trained at the largest rate
    ],
)
def test_rate_falls_to_a_tenth_at_each_milestone(rate, epochs, milestones, steps):
    expected = [rate / 10**n for n, length in enumerate(steps) for _ in range(length)]
    assert rates(rate, epochs, milestones) == pytest.approx(expected, rel=1e-12)


def test_rate_never_rises_and_begins_at_the_largest():
    for epochs in range(1, 60):
        found = rates(0.1, epochs, SMALL)
        assert found == sorted(found, reverse=True)
        assert found[0] == 0.1


def test_growing_staircase_restarts_in_every_interval():
    """K = 100: 0.1 until K/2, 0.01 until 3K/4, 0.001 until K, and again; K = 1: constant."""
    interval = [0.1] * 50 + [0.01] * 25 + [0.001] * 25
    found = [growing_staircase(0.1, e, 100) for e in range(350)]
    assert found == pytest.approx((interval * 4)[:350], rel=1e-12)
    assert [growing_staircase(0.1, e, 1) for e in range(5)] == [0.1] * 5
    thirds = [growing_staircase(0.1, e, 30, IMAGENET) for e in range(35)]
    assert thirds == pytest.approx([0.1] * 10 + [0.01] * 10 + [0.001] * 10 + [0.1] * 5, rel=1e-12)


@pytest.mark.parametrize(
    ("epochs", "milestones", "T"),
    [(200, SMALL, 100), (90, IMAGENET, 30), (20, SMALL, 10), (1, SMALL, 1), (2, SMALL, 1)],
)
def test_t_is_the_number_of_epochs_at_the_largest_rate(epochs, milestones, T):
    assert largest_rate_epochs(epochs, milestones) == T
    if epochs > 2:
        assert sum(rate == 0.1 for rate in rates(0.1, epochs, milestones)) == T
