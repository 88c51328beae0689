"""Learning rates by epoch (paper section 3 and 3.1), as pure functions. Epochs count from 0."""

from __future__ import annotations

from collections.abc import Sequence


def staircase(rate: float, epoch: int, epochs: int, milestones: Sequence[float]) -> float:
    """Return the learning rate of an epoch of a baseline or of the fine-tuning.

    It starts at ``rate`` and falls to a tenth at each milestone, a fraction of ``epochs``.
    """
    # The first epoch always has the largest rate, however few there are.
    steps = sum(epoch >= max(1, round(m * epochs)) for m in milestones)
    return rate * 0.1**steps


def growing_staircase(
    rate: float, epoch: int, K: int, milestones: Sequence[float] = (0.5, 0.75)
) -> float:
    """Return the learning rate of c-AutoGrow's ``staircase`` rows (Table 3).

    Inside every K epochs it restarts at ``rate`` and falls to a tenth at each
    milestone, by default at K/2 and again at 3K/4.
    """
    return staircase(rate, epoch % K, K, milestones)


def largest_rate_epochs(epochs: int, milestones: Sequence[float]) -> int:
    """Return T: epochs at the largest learning rate of a schedule (section 2.3)."""
    return max(1, round(milestones[0] * epochs))


def short_epochs(epochs: int) -> int:
    """Return the epochs of the short fine-tuning, which is half as long as the full one."""
    return max(1, epochs // 2)
