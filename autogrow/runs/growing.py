"""The growing of a run: Algorithm 1 decides, and the trainer carries it out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from autogrow.config.resolved import ResolvedAutogrow
from autogrow.growth.algorithm import Depth, Event, Growth, Observed
from autogrow.growth.schedules import growing_staircase
from autogrow.runs.folder import write_growth
from autogrow.runs.run_bounds import RunBounds
from autogrow.training.growing_trainer import GrowingTrainer
from autogrow.training.metrics import Epoch, Phase

Train = Callable[[Phase, float, int], Epoch]
"""Trains an epoch: its phase, its learning rate, and how many epochs the run needs in all."""


class Growing:
    """Grows the network of a run until Algorithm 1 is done.

    Parameters
    ----------
    spec
        The resolved spec.
    folder
        The run's folder, which gets growth.csv.
    trainer
        Trains and grows the network. Its epochs of growing, if the run was interrupted, are what
        the growth is rebuilt from.
    bounds
        Bounds of the growth.
    events
        All decisions of the run; those of the growing are added.
    """

    def __init__(
        self,
        spec: ResolvedAutogrow,
        folder: Path,
        trainer: GrowingTrainer,
        bounds: RunBounds,
        events: list[Event],
    ) -> None:
        seed = spec.first_network.depth
        self.growth = Growth(spec.growth_policy, seed, spec.largest_depth, bounds.all)
        self._spec = spec
        self._folder = folder
        self._trainer = trainer
        self._bounds = bounds
        self._events = events
        self._before, self._new = self.growth.depth, list[Event]()
        self._without_twin: Epoch | None = None
        """The last recorded epoch, if its twin has not been trained yet."""
        self._take_up()

    def _take_up(self) -> None:
        """Rebuild the growth from the epochs that are recorded already."""
        twins = {e.epoch: e for e in self._trainer.epochs if e.phase == "twin"}
        for epoch in [e for e in self._trainer.epochs if e.phase == "growing"]:
            twin = twins.get(epoch.epoch)
            if self.growth.on_trial and twin is None:
                self._without_twin = epoch
                return
            self._observe(epoch, twin)

    def carry_out(self, train: Train, finetuning: int) -> bool:
        """Grow until growing is done; return whether there is a network to fine-tune.

        There is none if nothing can be learned any more, because the loss is not finite.
        ``finetuning`` is how many epochs follow.
        """
        trainer, growth, around = self._trainer, self.growth, self._trainer.around
        while not growth.done:
            epoch, self._without_twin = self._without_twin, None
            if epoch is None:
                self._change_network()
            if trainer.diverged:
                return False
            lr, expected = self._rate(), growth.earliest_end() + finetuning
            epoch = epoch or train("growing", lr, expected)
            self._observe(epoch, trainer.train_twin(lr, expected) if growth.on_trial else None)
            if self._new and trainer.world.first:
                write_growth(self._folder, self._events)
                for event in self._new:
                    around.listeners.event(event)
            for told in filter(None, map(self._bounds.told, self._new)):
                around.reporter.say(told)
        self._change_network()
        return True

    def _rate(self) -> float:
        spec = self._spec
        if spec.growing_rate != "staircase":
            return spec.learning_rate
        milestones = spec.growing_milestones
        return growing_staircase(spec.learning_rate, self.growth.epoch, spec.K, milestones)

    def _observe(self, epoch: Epoch, twin: Epoch | None) -> None:
        self._bounds.take_in(self._trainer.epochs, epoch.epoch)
        self._before, seen = self.growth.depth, observed(epoch, twin)
        ended = self._trainer.around.listeners.stop(epoch)
        self._new = self.growth.end(seen) if ended else self.growth.observe(seen)
        self._events += self._new

    def _change_network(self) -> None:
        """Give the network the depth that was decided last.

        A run that was interrupted may have done so already.
        """
        start: Depth = self._before
        undone = [event.depth for event in self._new if event.event == "undo"]
        if undone:
            start = undone[0]
            if self._trainer.depth != self.growth.depth:
                self._trainer.undo()
        if any(event.event == "grow" for event in self._new):
            on_trial = self.growth.on_trial
            self._trainer.grow(self._spec, start, self.growth.depth, on_trial=on_trial)


def observed(epoch: Epoch, twin: Epoch | None = None) -> Observed:
    """Return what a policy may look at of an epoch of growing, and of its twin's."""
    assert epoch.val_accuracy is not None  # as every epoch but AdamInit's
    assert epoch.val_loss is not None
    return Observed(
        epoch.val_accuracy,
        epoch.val_loss,
        epoch.train_accuracy,
        epoch.train_loss,
        None if twin is None else twin.trial,
    )
