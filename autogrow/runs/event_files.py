"""A run's records as TensorBoard's event files, in the run's folder.

metrics.csv and growth.csv stay the source. Whoever begins or continues a run writes all that it
has recorded anew, so no point is there twice.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autogrow.errors import UserError
from autogrow.growth.algorithm import Event

if TYPE_CHECKING:
    from autogrow.training.metrics import Epoch

PATTERN = "events.out.tfevents.*"
SCALARS = {
    "loss/train": "train_loss",
    "loss/validation": "val_loss",
    "accuracy/train": "train_accuracy",
    "accuracy/validation": "val_accuracy",
    "accuracy/best_validation": "best_val_accuracy",
    "accuracy/test": "test_accuracy",
    "learning_rate": "lr",
    "seconds": "seconds",
}
"""Tag and column of metrics.csv. Epochs of AdamInit and of twins have tags of their own, below
adaminit/ and twin/."""


def remove_event_files(folder: Path) -> None:
    """Remove the event files of a run's folder."""
    for file in folder.glob(PATTERN):
        file.unlink()


class EventFiles:
    """Keeps the event files of a run's folder in step with its records.

    Parameters
    ----------
    folder
        The run's folder; event files that it has are replaced.

    Raises
    ------
    UserError
        If TensorBoard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        require_tensorboard()
        from torch.utils.tensorboard import SummaryWriter

        remove_event_files(folder)
        # To a TensorBoard that shows the old files, what follows replaces all steps from 0.
        self._writer: Any = SummaryWriter(str(folder), purge_step=0)
        self._epochs = self._events = self._adaminit = 0

    def update(self, epochs: Sequence[Epoch], events: Sequence[Event]) -> None:
        """Write what is new among all epochs and all decisions of the run."""
        new = epochs[self._epochs :]
        ended = time.time() - sum(epoch.seconds for epoch in new)
        for epoch in new:
            ended += epoch.seconds
            self._write_epoch(epoch, ended)
        for event in events[self._events :]:
            place = "" if event.sub_network is None else f" sub-network {event.sub_network},"
            depth = "-".join(map(str, event.depth))
            self._writer.add_text("growth", f"{event.event}{place} depth {depth}", event.epoch)
        self._epochs, self._events = len(epochs), len(events)
        self._writer.flush()

    def close(self) -> None:
        """Close the event file."""
        self._writer.close()

    def _write_epoch(self, epoch: Epoch, ended: float) -> None:
        adaminit = epoch.phase == "adaminit"
        self._adaminit += adaminit
        step, prefix = (self._adaminit if adaminit else epoch.epoch), ""
        if epoch.beside:
            prefix = f"{epoch.phase}/"
        values = {tag: getattr(epoch, column) for tag, column in SCALARS.items()}
        depth = list(map(int, epoch.depth.split("-")))
        values["depth/sub-modules"] = sum(depth)
        values |= {f"depth/sub-network {i}": d for i, d in enumerate(depth)}
        for tag, value in values.items():
            if value is not None:
                self._writer.add_scalar(f"{prefix}{tag}", value, step, walltime=ended)


def require_tensorboard() -> None:
    """Check that TensorBoard is installed; a UserError says how to get it."""
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        raise UserError(
            "logger: tensorboard is not installed; allowed: pip install 'autogrow[tensorboard]' "
            "first, or none"
        ) from None
