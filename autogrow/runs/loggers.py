"""What may log a run beside its own records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from autogrow.growth.algorithm import Event

if TYPE_CHECKING:
    from autogrow.training.metrics import Epoch


class Logger(Protocol):
    """Writes what a run has recorded to wherever somebody looks at it; changes no result.

    Whoever begins or continues a run makes a new one of the run's folder. Its first update may
    have epochs that another one has written before.

    Examples
    --------
    >>> from pathlib import Path
    >>> import autogrow
    >>> class Printed:
    ...     def __init__(self, folder):
    ...         self.known = 0
    ...     def update(self, epochs, events):
    ...         for epoch in epochs[self.known:]:
    ...             print(epoch.epoch, epoch.val_accuracy)
    ...         self.known = len(epochs)
    ...     def close(self):
    ...         pass
    >>> logger: autogrow.Logger = Printed(Path("runs/mine"))
    >>> logger.update([autogrow.Epoch(1, "growing", "2", 0.1, 1, 60, 1, 55, 54, 55, 2.5)], [])
    1 55
    """

    def __init__(self, folder: Path) -> None:
        """Begin to log the run of a folder, which is there."""

    def update(self, epochs: Sequence[Epoch], events: Sequence[Event]) -> None:
        """Take in all epochs and all decisions so far; called after each epoch and at the end."""

    def close(self) -> None:
        """End, also where the run is interrupted."""


class NoLogger:
    """Writes nothing: the run's own records are all."""

    def __init__(self, folder: Path) -> None:
        return

    def update(self, epochs: Sequence[Epoch], events: Sequence[Event]) -> None:
        """Leave it."""

    def close(self) -> None:
        """Leave it."""
