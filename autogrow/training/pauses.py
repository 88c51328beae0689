"""Between two steps of a run: checkpoints when they are due, and the end when it is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable

from autogrow.training import checkpoint
from autogrow.training.epoch import Tally
from autogrow.training.standing import Standing
from autogrow.training.state import State, Surroundings


class Pauses:
    """Writes checkpoints, ends the run when it is asked to stop, renews the live line.

    ``standing`` returns where the run stands after a number of steps of the present epoch.
    """

    def __init__(
        self, state: State, surroundings: Surroundings, standing: Callable[[int], Standing]
    ) -> None:
        self._state = state
        self._around = surroundings
        self._standing = standing
        self._epochs = 0  # since the last checkpoint
        self._written = time.perf_counter()

    def epoch_is_done(self) -> None:
        """Write a checkpoint after an epoch if one is due."""
        self._epochs += 1
        if self._epochs >= self._around.execution.checkpoint_epochs or self._minutes_are_over():
            self._write(self._state.tally)

    def _minutes_are_over(self) -> bool:
        seconds = time.perf_counter() - self._written
        return seconds >= 60 * self._around.execution.checkpoint_minutes

    def asked(self, batches: int) -> tuple[bool, bool]:
        """Return whether a checkpoint is due, and whether the run is to stop."""
        self._around.reporter.standing(lambda: self._standing(batches))
        due = self._around.world.first and self._minutes_are_over()
        return due, self._around.stops.asked is not None

    def pause(self, tally: Tally, stop: bool) -> None:
        """Write a checkpoint in all processes before the next step, and end the run if asked."""
        self._write(tally.total(self._around.world))
        if stop:
            self._around.stops.end(
                f"{self._around.folder}: stopped after epoch {self._state.trained} and "
                f"{tally.batches} steps of the next; a checkpoint is written, the same command "
                "continues"
            )

    def look(self) -> None:
        """End the run between two batches of an evaluation if that was asked for.

        One of several processes must not leave the others alone: they stop at the next step.
        """
        _, stop = self.asked(self._state.tally.batches)
        if stop and self._around.world.size == 1:
            self.pause(self._state.tally, True)

    def _write(self, tally: Tally) -> None:
        """Write a checkpoint; ``tally`` is of the epoch that has begun, over all processes."""
        self._epochs, self._written = 0, time.perf_counter()
        state = self._state
        if self._around.world.first:
            checkpoint.save(
                self._around.folder,
                state.trained,
                state.steps + tally.batches,
                state.network,
                state.optimizer,
                state.to_json(tally),
                adam=state.adam,
                twin=state.twin,
            )
