"""FRAGrow: a growing interval that follows the risk of fitting badly (Wu et al., AAAI 2024)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from autogrow.growth.algorithm import Growth
from autogrow.growth.policies import GROW, WAIT, Decision
from autogrow.growth.rivals.targets import Targeted


@dataclass(frozen=True)
class FRAGrow(Targeted):
    """Grow to the target depth: fast while the network underfits, slowly where it overfits.

    The interval between two growths is ``K / (1 + exp(alpha - risk))`` epochs, at least one. The
    risk of overfitting is the latest gap between training and validation accuracy, in percentage
    points. Sub-networks grow one after the other, the first one first.

    Parameters
    ----------
    target
        The depth to grow to, as ``3-2-3``.
    K
        The longest interval, from 1: in the paper the epochs that are not for fine-tuning, divided
        by the number of growths.
    alpha
        The gap at which the interval is half of K. The paper's value is for its own measure of
        risk; this one is ours.

    Examples
    --------
    >>> import autogrow
    >>> from autogrow.growth.rivals.fragrow import FRAGrow
    >>> growth = autogrow.Growth(FRAGrow("3", K=4, alpha=5.0), depth=(1,))
    >>> curve = [autogrow.Observed(50.0, train_accuracy=a) for a in (50.0, 80.0, 80.0, 80.0, 80.0)]
    >>> [event.epoch for event in growth.follow(curve) if event.event == "grow"]
    [1, 5]
    """

    target: str
    K: int = 3
    alpha: float = 5.0
    observes: ClassVar[tuple[str, ...]] = ("val_accuracy", "train_accuracy")

    def decide(self, growth: Growth) -> Decision:
        """Return whether the interval has passed for the sub-network whose turn it is."""
        if growth.epoch - growth.grown_at < self._interval(growth):
            return WAIT
        decision = self.towards_target(growth)
        return Decision("grow", growth.growing[0]) if decision == GROW else decision

    def _interval(self, growth: Growth) -> int:
        """Return the epochs that must lie between two growths, as the latest epoch has it."""
        latest = growth.observed[-1]
        risk = latest.train_accuracy - latest.val_accuracy
        if math.isnan(risk):  # an epoch that diverged says nothing
            return self.K
        # exp of large numbers overflows; an interval of no epoch is one.
        epochs = self.K / (1 + math.exp(min(self.alpha - risk, 700.0)))
        return max(1, round(epochs))
