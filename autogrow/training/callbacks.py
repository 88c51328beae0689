"""How a caller's own code follows a run while it trains, and ends it early."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from autogrow.growth.algorithm import Event
from autogrow.training.metrics import Epoch


class Callback:
    """Is called at the epochs, growths and stops of a run; each method does nothing by default.

    Whatever a method raises ends the run, which the same call continues. A run that continues
    does not repeat the calls that it made before its last checkpoint.

    Examples
    --------
    >>> import autogrow
    >>> class Print(autogrow.Callback):
    ...     def growth(self, event):
    ...         print(f"epoch {event.epoch}: grown to {event.depth}")
    >>> Print().growth(autogrow.Event(3, "grow", 0, (2, 1)))
    epoch 3: grown to (2, 1)
    """

    def epoch(self, epoch: Epoch) -> None:
        """Take in a row of metrics.csv: an epoch that was trained and evaluated."""

    def growth(self, event: Event) -> None:
        """Take in that the network has grown: a sub-module was stacked on a sub-network."""

    def stop(self, event: Event) -> None:
        """Take in that a sub-network stopped growing, or that growing is done."""


def never(epoch: Epoch) -> bool:
    """Return False: what ends a run early if nothing does."""
    return False


@dataclass(frozen=True)
class Listeners:
    """A caller's callbacks, and what ends growing or fine-tuning early.

    Parameters
    ----------
    callbacks
        Are called at every epoch and decision, in their order.
    stop
        Asked after each epoch of growing or fine-tuning. Its answer must follow from the epoch
        alone, because a run that continues asks it again about the epochs that it has recorded.
    """

    callbacks: Sequence[Callback] = field(default=())
    stop: Callable[[Epoch], bool] = never

    def epoch(self, epoch: Epoch) -> None:
        """Tell of an epoch."""
        for callback in self.callbacks:
            callback.epoch(epoch)

    def event(self, event: Event) -> None:
        """Tell of a decision."""
        for callback in self.callbacks:
            if event.event == "grow":
                callback.growth(event)
            else:
                callback.stop(event)


NOBODY = Listeners()
"""No callbacks, and nothing ends early."""
