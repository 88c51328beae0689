"""Trains a run's network epoch by epoch, and can stop and go on between any two steps.

Where a run is follows from the epochs it has recorded and from what the present one
has summed up so far: growth is replayed from the recorded accuracies, data order and
augmentation depend on the epoch's number, every new sub-module has a seed of its own.
So network, optimizers, records and sums are all that a checkpoint needs for an
interrupted run to go on as if nothing had happened.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from autogrow.batches.sets import Sets
from autogrow.config.execution import Execution
from autogrow.config.resolved import ResolvedSpec
from autogrow.data import ImageData
from autogrow.errors import InterruptedRunError
from autogrow.growth.algorithm import Depth
from autogrow.networks.growable import depth_of
from autogrow.networks.initializers import ADAM_RATE, adam_init, adam_of
from autogrow.networks.names import NetworkName, format_depth
from autogrow.process.distributed import World
from autogrow.process.signals import Stops
from autogrow.seeds import derive
from autogrow.training import checkpoint
from autogrow.training.building import build, new_optimizer, stack_one
from autogrow.training.checkpoint import Halving, Progress, with_written_halving, write_halving
from autogrow.training.epoch import Between, Score, Tally, evaluate, set_learning_rate, train_epoch
from autogrow.training.metrics import METRICS, Epoch, Phase, write_metrics
from autogrow.training.micro_batch import MicroBatch
from autogrow.training.optimizer import Optimizer
from autogrow.training.reporter import Reporter
from autogrow.training.snapshots import write_snapshot

NAN = float("nan")


class Trainer(Between):
    """The network of a run, and how far it is trained.

    Parameters
    ----------
    spec
        The resolved spec.
    name
        The network that the run begins with.
    folder
        The run's; a checkpoint there is gone on from.
    data, sets
        What is trained on.
    reporter
        Told of every epoch.
    execution
        How often checkpoints are written, and whether sub-modules are compiled.
    world
        The processes that train it.
    stops
        Asked before each step.

    Attributes
    ----------
    network
        The network as it is now.
    epochs
        All epochs so far.
    halvings
        Where a GPU's memory ran out.
    dead
        Whether a parameter is not finite any more, after a loss that was not: nothing can
        be learned from there.
    """

    def __init__(
        self,
        spec: ResolvedSpec,
        name: NetworkName,
        folder: Path,
        data: ImageData,
        sets: Sets,
        reporter: Reporter,
        execution: Execution,
        world: World,
        stops: Stops,
    ) -> None:
        self.spec = spec
        self.folder = folder
        self.data = data
        self.sets = sets
        self.reporter = reporter
        self.execution = execution
        self.world = world
        self._stops = stops
        self._adam: torch.optim.Adam | None = None
        self._since_checkpoint = 0
        self._begin(name)
        self._checkpointed_at = time.perf_counter()

    @property
    def trained(self) -> int:
        """Epochs trained so far; AdamInit's are not counted."""
        return self.epochs[-1].epoch if self.epochs else 0

    @property
    def diverged(self) -> bool:
        """Whether there is nothing more to train, because the loss was not finite.

        While growing that alone is no reason: the policy decides.
        """
        own = [e for e in self.epochs[-1:] if e.phase != "adaminit"]
        return self.dead or any(
            e.phase != "growing" and not math.isfinite(e.train_loss) for e in own
        )

    @property
    def depth(self) -> Depth:
        """The network's present depth."""
        return depth_of(self.network)

    def train(self, phase: Phase, lr: float, expected: int) -> Epoch:
        """Train one epoch and record it.

        Parameters
        ----------
        phase
            What it is for.
        lr
            Its learning rate.
        expected
            Epochs that will be needed in all, as far as is known.
        """
        number, self._restored = self.trained + 1, {}
        train, val, test, top5 = (Score(NAN, NAN),) * 3 + (NAN,)
        if not self.dead:
            set_learning_rate(self.optimizer, lr)
            train = self._train_epoch(self.parallel, self.optimizer, self.spec.seed, number)
            self.world.share_buffers(self.network)
            val, test, top5 = self._evaluate()
            if not math.isfinite(train.loss + val.loss):
                val, test, top5 = Score(val.loss, NAN), Score(test.loss, NAN), NAN
        best = self._best_val_accuracy()
        epoch = Epoch(
            number,
            phase,
            format_depth(self.depth),
            lr,
            *train,
            *val,
            test.accuracy,
            best if math.isnan(val.accuracy) else max(best, val.accuracy),
            self._lap(),
            top5,
            self._left_out(),
        )
        self._record(epoch, expected)
        if self.spec.snapshots and number % self.spec.snapshots == 0:
            self.snapshot()
        self._epoch_is_done()
        return epoch

    def _left_out(self) -> int:
        """Return how many damaged images the epoch and its evaluations were without."""
        if self.dead:
            return 0
        trained, skipped = self.world.sum([self._tally.images, self.sets.skipped])
        return len(self.sets.train) - int(trained) + int(skipped)

    def _evaluate(self) -> tuple[Score, Score, float]:
        sets, options = self.sets, {"world": self.world, "between": self}
        val, top5 = evaluate(self.network, sets.val, self.spec.precision, **options)
        test = val
        if sets.test is not sets.val:
            test, top5 = evaluate(self.network, sets.test, self.spec.precision, **options)
        return val, test, top5

    def _train_epoch(
        self, network: nn.Module, optimizer: Optimizer, seed: int, epoch: int
    ) -> Score:
        spec = self.spec
        batches = self.sets.train.training_batches(
            spec.batch_size, seed=seed, epoch=epoch, start=self._tally.batches, world=self.world
        )
        return train_epoch(
            *(network, optimizer, batches, spec.precision),
            micro_batch=self._micro_batch,
            world=self.world,
            tally=self._tally,
            between=self,
        )

    def adam_init(self, stacked: Sequence[nn.Module]) -> None:
        """Carry out AdamInit, or what is left of it, if the spec says so."""
        if self.spec.initializer != "AdamInit" or not stacked or self.dead:
            return
        spec, number = self.spec, self.trained
        self._adam = adam_of(stacked, weight_decay=spec.weight_decay)
        if self._adam is None:
            return
        checkpoint.restore_adam(self._restored, self._adam)
        self._restored = {}
        seed = derive(spec.seed, "AdamInit", number)

        def earlier() -> list[Epoch]:
            return [e for e in self.epochs if e.phase == "adaminit" and e.epoch == number]

        def train() -> tuple[float, float]:
            # Anew each time: only what is not frozen now is kept in step.
            parallel = self.world.parallel(self.network)
            return self._train_epoch(parallel, self._adam, seed, len(earlier()))

        old = next(e for e in reversed(self.epochs) if e.phase != "adaminit")
        for score in adam_init(
            self.network,
            stacked,
            train,
            old_accuracy=old.train_accuracy,
            slack=spec.adaminit_slack,
            earlier=[(e.train_loss, e.train_accuracy) for e in earlier()],
        ):
            row = (*score, None, None, None, self._best_val_accuracy(), self._lap())
            depth = format_depth(self.depth)
            self._record(Epoch(number, "adaminit", depth, ADAM_RATE, *row), number)
            self._epoch_is_done()
        self._adam = None

    def stack(self, before: Depth, after: Depth) -> list[nn.Module]:
        """Stack sub-modules until the network, of depth ``before``, has depth ``after``.

        Returns the new sub-modules, also if they were stacked before an interruption.
        """
        if self.depth != after:
            self.snapshot()
            compiled = self.execution.compiled
            for i, (now, then) in enumerate(zip(before, after, strict=True)):
                for _ in range(then - now):
                    stack_one(self.spec, self.network, i, self.optimizer, compiled=compiled)
            self.parallel = self.world.parallel(self.network)
            self.snapshot(grown=True)
        return [
            sub_module
            for sub_network, now in zip(self.network.sub_networks, before, strict=True)
            for sub_module in list(sub_network)[now:]
        ]

    def new_optimizer(self) -> None:
        """Let the optimizer start afresh."""
        self.optimizer = new_optimizer(self.spec, self.network)

    def snapshot(self, *, grown: bool = False) -> None:
        """Keep the parameters for a trajectory, if the spec says so."""
        if self.spec.snapshots and self.world.first:
            last = self.epochs[-1] if self.epochs else None
            write_snapshot(
                self.folder,
                self.network,
                epoch=self.trained,
                phase=last.phase if last else "seed",
                depth=format_depth(self.depth),
                grown=grown,
            )

    def _record(self, epoch: Epoch, expected: int) -> None:
        self._steps += self._tally.batches
        self._tally = Tally()
        self.epochs.append(epoch)
        if self.world.first:
            write_metrics(self.folder, self.epochs)
        self.reporter.epoch(
            epoch.epoch, expected, epoch.phase, epoch.depth, epoch.train_loss, epoch.val_accuracy
        )
        if not epoch.finite and not self.dead:
            self._look_whether_dead()

    def _look_whether_dead(self) -> None:
        self.dead = not all(bool(p.isfinite().all()) for p in self.network.parameters())
        told = "; neither are the weights: nothing more can be learned" if self.dead else ""
        self.reporter.say(f"epoch {self.trained}: the loss is not finite (diverged){told}")

    def _best_val_accuracy(self) -> float:
        return self.epochs[-1].best_val_accuracy if self.epochs else 0.0

    def _lap(self) -> float:
        now = time.perf_counter()
        seconds, self._mark = now - self._mark, now
        return seconds

    def _epoch_is_done(self) -> None:
        self._since_checkpoint += 1
        if self._since_checkpoint >= self.execution.checkpoint_epochs or self._minutes_are_over():
            self._checkpoint(self._tally)

    def _minutes_are_over(self) -> bool:
        seconds = time.perf_counter() - self._checkpointed_at
        return seconds >= 60 * self.execution.checkpoint_minutes

    def asked(self) -> tuple[bool, bool]:
        """Return whether a checkpoint is due, and whether the run is to stop."""
        return self.world.first and self._minutes_are_over(), self._stops.asked is not None

    def pause(self, tally: Tally, stop: bool) -> None:
        """Write a checkpoint between two steps, and end the run if that was asked for."""
        self._checkpoint(tally.total(self.world))
        if stop:
            self._stops.end(
                f"{self.folder}: stopped after epoch {self.trained} and {tally.batches} steps of "
                "the next; a checkpoint is written, the same command continues"
            )

    def look(self) -> None:
        """End the run between two batches of an evaluation if that was asked for.

        One of several processes must not leave the others alone: they stop at the next step.
        """
        if self._stops.asked is not None and self.world.size == 1:
            self.pause(self._tally, True)

    def _checkpoint(self, tally: Tally) -> None:
        """Write a checkpoint; ``tally`` is of the epoch that has begun, over all processes."""
        self._since_checkpoint, self._checkpointed_at = 0, time.perf_counter()
        if not self.world.first:
            return
        state = Progress(
            self.epochs,
            self.depth,
            self._steps,
            tally,
            time.perf_counter() - self._mark,
            self.halvings,
            self.data.checksum,
        )
        checkpoint.save(
            self.folder,
            self.trained,
            self._steps + tally.batches,
            self.network,
            self.optimizer,
            state.to_json(),
            adam=self._adam,
        )

    def _halved(self, images: int) -> None:
        halving = Halving(self.trained + 1, format_depth(self.depth), images)
        if self.world.size > 1:  # the others wait for this process's share of the gradient
            write_halving(self.folder, halving)
            raise InterruptedRunError(f"{halving}; the same command continues")
        self.halvings.append(halving)
        self.reporter.say(str(halving))

    def _begin(self, name: NetworkName) -> None:
        """Build the network, or the one of the last checkpoint."""
        found = checkpoint.load_latest(self.folder, self.reporter.say)
        self._restored, state = found or ({}, None)
        then = Progress.start(self.data.checksum)
        if state is not None:
            then = Progress.from_json(state, self.folder, self.spec.data, self.data.checksum)
            name = NetworkName(name.architecture, then.depth)
        self.epochs = list(then.epochs)
        self.halvings = with_written_halving(self.folder, then.halvings)
        self._steps = then.steps
        # The first process alone brings in what all had summed up.
        self._tally = then.tally if self.world.first else Tally(batches=then.tally.batches)
        device = self.sets.train.device
        images = self.halvings[-1].micro_batch if self.halvings else self.spec.micro_batch
        self._micro_batch = MicroBatch(images, guarded=device.type == "cuda", halved=self._halved)
        self.network = build(self.spec, name, self.data, device, compiled=self.execution.compiled)
        self.new_optimizer()
        self.dead = False
        self._mark = time.perf_counter() - then.seconds
        if state is None:
            if (self.folder / METRICS).exists():
                self.reporter.say(f"{self.folder}: no checkpoint is there; starting over")
            self.snapshot()
        else:
            self._go_on()
        self.parallel = self.world.parallel(self.network)

    def _go_on(self) -> None:
        checkpoint.restore(self._restored, self.network, self.optimizer)
        begun = self._tally.batches
        more = f" and {begun} steps" if begun else ""
        self.reporter.say(f"{self.folder}: continuing after epoch {self.trained}{more}")
        if self.epochs and not self.epochs[-1].finite:
            self._look_whether_dead()
