"""One run: from a spec to a folder with its records and weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import torch

from autogrow.batches.sets import Sets, load_prepared, make_sets, prepared
from autogrow.config.execution import Execution
from autogrow.config.logger_names import LOGGERS
from autogrow.config.resolved import (
    ResolvedAutogrow,
    ResolvedMorph,
    ResolvedScratch,
    ResolvedSpec,
)
from autogrow.config.resolving import resolve
from autogrow.config.shared_settings import Milestones, RunSpec
from autogrow.data import ImageData
from autogrow.errors import UserError
from autogrow.files.seals import seal
from autogrow.files.writing import write_json
from autogrow.growth.algorithm import Event
from autogrow.growth.schedules import staircase
from autogrow.networks.initializer_names import INITIALIZERS
from autogrow.networks.names import parse_network
from autogrow.process.device import find_device
from autogrow.process.distributed import World, joined
from autogrow.process.lock import locked
from autogrow.process.memory import reported_when_short
from autogrow.process.signals import Stops
from autogrow.runs.continuing import first_weights
from autogrow.runs.description import describe
from autogrow.runs.event_files import require_tensorboard
from autogrow.runs.folder import write_growth, write_weights
from autogrow.runs.growing import Growing
from autogrow.runs.loggers import Logger
from autogrow.runs.preparing import open_folder, prepare_folder, refuse_objects, remove_remains
from autogrow.runs.run_bounds import RunBounds, bounded
from autogrow.runs.summarizing import summarize
from autogrow.runs.summary import SUMMARY, Summary
from autogrow.training.building import NOTHING, Given, shape_of
from autogrow.training.callbacks import NOBODY, Listeners
from autogrow.training.epoch import set_precision
from autogrow.training.growing_trainer import GrowingTrainer
from autogrow.training.metrics import Epoch, Phase, write_metrics
from autogrow.training.reporter import Reporter
from autogrow.training.state import Surroundings, begin


def run(
    spec: RunSpec,
    out: str | Path,
    *,
    execution: Execution | None = None,
    data: ImageData | None = None,
) -> Summary:
    """Carry out a run, or continue an interrupted one, and return its summary.

    Parameters
    ----------
    spec
        What to run.
    out
        The run's folder. A finished run of the same spec is left as it is.
    execution
        Device, threads and the like.
    data
        The caller's own images instead of the data set that ``spec.data`` names.

    Raises
    ------
    UserError
        If the data is missing or damaged, a setting impossible, or ``out`` holds
        the run of another spec, if the disk is full or memory too small.
    InterruptedRunError
        If the run was asked to stop (SIGTERM, SIGUSR1, SIGHUP) or lost one of its
        processes: the same call continues it. Ctrl-C's KeyboardInterrupt likewise comes
        after a checkpoint was written.

    Examples
    --------
    >>> import tempfile
    >>> import autogrow
    >>> spec = autogrow.ScratchSpec(
    ...     network="Plain3Net-1-1-1", data="digits", data_fraction=0.05, width=2, epochs=1
    ... )
    >>> quiet = autogrow.Execution(device="cpu", threads=1, quiet=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     autogrow.run(spec, folder, execution=quiet).status
    'complete'
    """
    return carry_out(spec, Path(out), execution or Execution(), data)


def carry_out(
    spec: RunSpec,
    folder: Path,
    execution: Execution,
    data: ImageData | None,
    given: Given = NOTHING,
    listeners: Listeners = NOBODY,
) -> Summary:
    """Carry out a run as :func:`run` does, with what its caller gave.

    Parameters
    ----------
    spec, folder, execution, data
        As for :func:`run`.
    given
        The caller's own network, optimizer and augmentation, which the spec holds as texts.
    listeners
        What is called at epochs and decisions, and may end the run early.
    """
    if given is NOTHING:
        refuse_objects(folder, spec)
    spec = resolve(spec, data)
    if isinstance(spec, ResolvedMorph | ResolvedAutogrow):
        INITIALIZERS.find(spec.initializer)  # of a package that may be broken
    logger: type[Logger] = LOGGERS.find(execution.logger)
    if execution.logger == "tensorboard":
        require_tensorboard()
    device = find_device(execution.device, execution.threads)

    def say(message: str) -> None:
        with Reporter(folder, quiet=execution.quiet) as reporter:
            reporter.say(message)

    with ExitStack() as stack:
        # Kept to the very end: a signal that arrives while the run ends changes nothing.
        stops = stack.enter_context(Stops())
        world = stack.enter_context(joined(device))
        # A caller's images and augmentation are given seeds; the caller's own numbers go on.
        stack.enter_context(torch.random.fork_rng([device] if device.type == "cuda" else []))
        stack.enter_context(reported_when_short(folder))
        if world.first:
            stack.enter_context(locked(folder, say, wait=execution.wait))
        summary = prepare_folder(folder, spec, execution, world)
        if summary is not None:
            return summary
        set_precision(spec.precision, device)
        if spec.sync_bn and device.type != "cuda":
            raise UserError("sync_bn: needs GPUs; allowed on this device: false")
        if data is None:
            data = load_prepared(spec, execution.data_root, download=execution.download)
        else:
            data = prepared(data, spec)
        workers, augmentation = execution.workers, given.augmentation
        sets = make_sets(*(spec, data, device, workers, world), augmentation=augmentation)
        weights = first_weights(spec, folder, data)
        bounds = None
        if isinstance(spec, ResolvedAutogrow):
            bounds = RunBounds(spec, data, device, folder, world, given)
        # Only now, after every check of what a user gave: a mistake leaves no folder behind.
        if world.first:
            open_folder(folder, spec)
        if bounds is not None:
            bounds.keep()
        world.wait()
        reporter = Reporter(folder, quiet=execution.quiet, silent=not world.first)
        stack.enter_context(reporter)
        if data.report:
            reporter.say(data.report)
        if world.first:  # the other processes report damaged images on stderr
            sets.tell(reporter.say)
        stops.listen()
        around = Surroundings(folder, reporter, execution, world, stops, listeners)
        state = begin(spec, data, device, around, given)
        if weights is not None:
            state.network.load_state_dict(weights)
        trainer = GrowingTrainer(spec, sets, state, around)
        started = _Run(spec, folder, trainer, world, bounds)
        if world.first:
            started.log = stack.enter_context(closing(logger(folder))).update
        started.execute()
        return started.finish(data, sets)


class _Run:
    """Carries out a run of any of the three kinds, epoch by epoch and growth by growth."""

    def __init__(
        self,
        spec: ResolvedSpec,
        folder: Path,
        trainer: GrowingTrainer,
        world: World,
        bounds: RunBounds | None,
    ) -> None:
        self.spec = spec
        self.folder = folder
        self.trainer = trainer
        self.world = world
        self.bounds = bounds
        self.events: list[Event] = []
        self.log: Callable[[Sequence[Epoch], Sequence[Event]], None] = lambda epochs, events: None

    def execute(self) -> None:
        spec = self.spec
        if isinstance(spec, ResolvedScratch):
            self._scratch(spec)
        elif isinstance(spec, ResolvedMorph):
            self._morph(spec)
        elif isinstance(spec, ResolvedAutogrow) and self.bounds is not None:
            self._autogrow(spec, self.bounds)

    def _scratch(self, spec: ResolvedScratch) -> None:
        trainer = self.trainer
        while trainer.trained < spec.epochs and not trainer.diverged:
            self._train("training", spec.rate(trainer.trained), spec.epochs)

    def _morph(self, spec: ResolvedMorph) -> None:
        trainer, schedule = self.trainer, (spec.learning_rate, spec.milestones)
        self._train_for(spec.epochs, "training", 0, *schedule, more=spec.epochs)
        if trainer.diverged:
            return
        if trainer.trained == spec.epochs:
            shallow, deep = (parse_network(n).depth for n in (spec.from_network, spec.to_network))
            trainer.grow(spec, shallow, deep, fresh_optimizer=spec.morph_momentum == "fresh")
        self._train_for(spec.epochs, "training", spec.epochs, *schedule)

    def _autogrow(self, spec: ResolvedAutogrow, bounds: RunBounds) -> None:
        epochs, rate, steps = spec.finetuning_schedule
        growing = Growing(spec, self.folder, self.trainer, bounds, self.events)
        if growing.carry_out(self._train, epochs):
            self._train_for(epochs, "finetuning", growing.growth.epoch, rate, steps)

    def _train_for(
        self, epochs: int, phase: Phase, after: int, rate: float, steps: Milestones, more: int = 0
    ) -> None:
        """Train by the staircase schedule until ``after + epochs`` epochs are trained.

        Or until the loss is not finite. ``more`` epochs follow in another schedule.
        """
        trainer, end = self.trainer, after + epochs
        stop = trainer.around.listeners.stop
        while trainer.trained < end and not trainer.diverged:
            if trainer.trained > after and stop(trainer.epochs[-1]):
                return
            lr = staircase(rate, trainer.trained - after, epochs, steps)
            self._train(phase, lr, end + more)

    def _train(self, phase: Phase, lr: float, expected: int) -> Epoch:
        """Train an epoch, and log what is new."""
        epoch = self.trainer.train(phase, lr, expected)
        self.log(self.trainer.epochs, self.events)
        return epoch

    def finish(self, data: ImageData, sets: Sets) -> Summary:
        """Write the results; return the summary."""
        spec, folder, state = self.spec, self.folder, self.trainer.state
        self.log(state.epochs, self.events)
        summary = summarize(
            *(spec, state.network, state.epochs, data, sets, state.halvings, self.world),
            bounded=bounded(self.events),
        )
        if self.bounds is not None:
            self.bounds.finish(state.epochs)
        if self.world.first:
            write_metrics(folder, state.epochs, sync=True)
            if isinstance(spec, ResolvedAutogrow):
                write_growth(folder, self.events, sync=True)
            description = {
                # Somebody's own network can be built from no name.
                **({} if spec.architecture.own else {"name": summary.network}),
                **shape_of(spec, data),
                **describe(spec, data, summary.depth).to_json(),
            }
            write_weights(folder, state.network, description)
            write_json(folder / SUMMARY, summary.to_json())
            seal(folder / SUMMARY)
            remove_remains(folder)
        self.world.wait()
        return summary
