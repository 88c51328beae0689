"""A logger: one line of JSON for each epoch and each decision."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import autogrow


class JsonLines:
    """Writes log.jsonl into the run's folder, anew whenever a run begins or continues."""

    def __init__(self, folder: Path) -> None:
        self.file = (folder / "log.jsonl").open("w")
        self.epochs = self.events = 0

    def update(self, epochs: Sequence[autogrow.Epoch], events: Sequence[autogrow.Event]) -> None:
        """Write what is new."""
        for epoch in epochs[self.epochs :]:
            self._write(epoch=epoch.epoch, depth=epoch.depth, accuracy=epoch.val_accuracy)
        for event in events[self.events :]:
            self._write(epoch=event.epoch, event=event.event, depth="-".join(map(str, event.depth)))
        self.epochs, self.events = len(epochs), len(events)

    def _write(self, **values: object) -> None:
        self.file.write(json.dumps(values) + "\n")
        self.file.flush()

    def close(self) -> None:
        """Close the file."""
        self.file.close()
