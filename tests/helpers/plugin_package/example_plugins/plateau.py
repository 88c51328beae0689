"""A policy: grow where the training loss no longer falls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import autogrow


@dataclass(frozen=True)
class Plateau(autogrow.Policy):
    """Every K epochs, grow if the training loss fell by less than a share of itself.

    A sub-network stops after it has grown a number of times.

    Parameters
    ----------
    K
        Epochs between two checks, from 1.
    share
        Smallest fall of the training loss that counts, from 0 to 1.
    growths
        How often each sub-network grows, from 1.
    """

    K: int = 3
    share: float = 0.1
    growths: int = 2
    observes: ClassVar[tuple[str, ...]] = ("val_accuracy", "train_loss")

    def __post_init__(self) -> None:
        if self.K < 1:
            raise autogrow.UserError(f"K: found {self.K}; allowed: whole numbers from 1")
        if not 0 <= self.share <= 1:
            raise autogrow.UserError(f"share: found {self.share}; allowed: from 0 to 1")
        if self.growths < 1:
            raise autogrow.UserError(f"growths: found {self.growths}; allowed: from 1")

    def decide(self, growth: autogrow.Growth) -> autogrow.Decision:
        """Return what to do after the epoch that was observed last."""
        if not self.at_check(growth):
            return autogrow.Decision("wait")
        i = growth.next_sub_network
        if growth.depth[i] - growth.seed[i] == self.growths:
            return autogrow.Decision("stop", i)
        losses = [seen.train_loss for seen in growth.observed[-self.K - 1 :]]
        fell = losses[0] - losses[-1]
        return autogrow.Decision("grow" if fell < self.share * losses[0] else "wait", i)
