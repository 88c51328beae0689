"""Controlled growth: a growth is judged against a twin that does not grow. This method is ours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from autogrow.errors import UserError
from autogrow.growth.algorithm import Growth, Trial
from autogrow.growth.policies import GROW, UNDO, WAIT, Decision, Policy


@dataclass(frozen=True)
class ControlledGrowth(Policy):
    """Keep a growth only if the grown network beats its twin, beyond tau and beyond chance.

    After K epochs the first growth is tried. The grown network and its twin, which stays as it
    was, are trained on the same batches at the same learning rate. The first K epochs of a trial
    are not judged, as a new sub-module disturbs the network at first. After each further K epochs
    the mean difference of their validation accuracies since then is tested:

    - above tau, and above 0 by a one-sided t-test at ``alpha`` (shared among all looks at this
      trial): the growth is kept, the twin is dropped, and the next sub-network is tried;
    - not above 0, or nothing shown after ``windows`` such tests: the growth is undone, its
      sub-network stops, the twin is what is trained on, and the next sub-network is tried.

    The variance of the mean has two parts: that between the epochs, divided by their number, and
    that of the validation images, by McNemar's counts of the images on which the two disagree. The
    same images are looked at in every epoch, so the second part does not fall with the number of
    epochs. On a curve without a twin the twin is the network itself: nothing is gained, and the
    seed network is what is found.

    Parameters
    ----------
    K
        Epochs of a window, from 2.
    tau
        Smallest gain over the twin that counts, in percentage points.
    windows
        Most tests of a trial, from 1.
    alpha
        How often a growth that does not help may be kept, from 0 to 1.

    Examples
    --------
    >>> import autogrow
    >>> from autogrow.growth.rivals.controlled import ControlledGrowth
    >>> growth = autogrow.Growth(ControlledGrowth(K=2), depth=(1, 1))
    >>> [event.event for event in growth.follow([50.0] * 20)]
    ['grow', 'undo', 'stop', 'grow', 'undo', 'stop', 'done']
    """

    K: int = 3
    tau: float = 0.05
    windows: int = 2
    alpha: float = 0.05
    least_period: ClassVar[int] = 2
    twin: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.least_period > self.K:
            raise UserError(
                f"K: found {self.K}; allowed: whole numbers from {self.least_period}, as one epoch "
                "says nothing of the noise between epochs"
            )
        if self.windows < 1:
            raise UserError(f"windows: found {self.windows}; allowed: whole numbers from 1")
        if not 0 < self.alpha < 1:
            raise UserError(f"alpha: found {self.alpha}; allowed: above 0, below 1")

    def decide(self, growth: Growth) -> Decision:
        """Return whether to keep the growth on trial, to undo it, or to wait for another window."""
        if not growth.on_trial:
            return GROW if growth.epoch >= self.K else WAIT
        judged = growth.epoch - growth.grown_at - self.K
        if judged <= 0 or judged % self.K:
            return WAIT
        trials = [seen.trial or Trial(1, 0, 0) for seen in growth.observed[-judged:]]
        found = gain(trials)
        if found.mean > self.tau and found.is_above_zero(self.alpha / self.windows):
            return GROW
        last = judged == self.windows * self.K
        return UNDO if last or found.mean <= 0 else WAIT


@dataclass(frozen=True)
class Gain:
    """What a growth has gained over its twin.

    Attributes
    ----------
    mean
        In percentage points.
    error
        Its standard error.
    freedom
        Degrees of freedom of that (Welch and Satterthwaite).
    """

    mean: float
    error: float
    freedom: float

    def is_above_zero(self, alpha: float) -> bool:
        """Return the outcome of a one-sided t-test."""
        if self.error == 0:
            return self.mean > 0
        from scipy.stats import t  # takes a while to load

        return bool(t.sf(self.mean / self.error, self.freedom) < alpha)


def gain(trials: Sequence[Trial]) -> Gain:
    """Return the mean gain over the epochs of a trial that are judged; two at least."""
    n, images = len(trials), trials[0].images
    differences = [trial.difference for trial in trials]
    mean = sum(differences) / n
    epochs = sum((d - mean) ** 2 for d in differences) / (n - 1) / n
    # McNemar: each image on which the two disagree counts +1 or -1, all others 0.
    squares = (t.gained + t.lost - (t.gained - t.lost) ** 2 / images for t in trials)
    same = (100 / images) ** 2 * sum(squares) / n
    parts = epochs**2 / (n - 1) + same**2 / max(1, images - 1)
    freedom = (epochs + same) ** 2 / parts if parts else math.inf
    return Gain(mean, math.sqrt(epochs + same), freedom)
