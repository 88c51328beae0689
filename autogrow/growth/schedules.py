"""Learning rates by epoch (paper section 3 and 3.1), as pure functions.

Epochs are counted from 0 here: the rate is asked for before the epoch starts.
"""

from __future__ import annotations

from collections.abc import Sequence

DECAY = 0.1
"""Factor of each step of the staircase."""


def staircase(rate: float, epoch: int, epochs: int, milestones: Sequence[float]) -> float:
    """Return the learning rate of a baseline's or the fine-tuning's epoch.

    Parameters
    ----------
    rate
        Largest learning rate.
    epoch
        Epochs of this schedule already trained.
    epochs
        Epochs of the whole schedule.
    milestones
        Fractions of ``epochs`` at which the rate falls to a tenth.
    """
    # The first epoch always has the largest rate, however few there are.
    steps = sum(epoch >= max(1, round(m * epochs)) for m in milestones)
    return rate * DECAY**steps


def growing_staircase(rate: float, epoch: int, K: int) -> float:
    """Return the learning rate of c-AutoGrow's ``staircase`` rows (Table 3).

    Inside every K epochs it restarts at ``rate`` and falls to a tenth at K/2
    and again at 3K/4.
    """
    return staircase(rate, epoch % K, K, (0.5, 0.75))


def largest_rate_epochs(epochs: int, milestones: Sequence[float]) -> int:
    """Return T: epochs at the largest learning rate of a schedule (section 2.3)."""
    return max(1, round(milestones[0] * epochs))
