"""Trains a run's network epoch by epoch; training can stop and resume between any two steps.

The state of a run follows from the epochs it has recorded and from the sums over the
present epoch: growth is replayed from the recorded accuracies, data order and augmentation
depend on the epoch's number, and every new sub-module has a seed of its own. A checkpoint
therefore needs only network, optimizers, records and sums for an interrupted run to
continue as if nothing had happened.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import torch
from torch import nn

from autogrow.batches.sets import Sets
from autogrow.config.resolved import ResolvedSpec
from autogrow.errors import InterruptedRunError
from autogrow.growth.algorithm import Depth, Trial
from autogrow.networks.adam_init import ADAM_RATE, adam_init, adam_of
from autogrow.networks.growable import GrowableNetwork, depth_of
from autogrow.networks.initializer_names import INITIALIZERS
from autogrow.networks.names import format_depth
from autogrow.seeds import derive
from autogrow.training import checkpoint
from autogrow.training.building import GrowingSpec, grow_to, new_optimizer
from autogrow.training.epoch import Score, Tally, compare, evaluate, train_epoch
from autogrow.training.metrics import Epoch, Phase, write_metrics
from autogrow.training.micro_batch import MicroBatch
from autogrow.training.optimizer import Optimizer, set_rate
from autogrow.training.pauses import Pauses
from autogrow.training.snapshots import write_snapshot
from autogrow.training.standing import Standing, recent_seconds
from autogrow.training.state import State, Surroundings
from autogrow.training.twin import Twin, take_over, twin_of
from autogrow.training.unfinished import Halving, write_halving

NAN = float("nan")
GROWING = ("growing", "twin")


class Trainer:
    """Trains and grows the network of a run.

    Parameters
    ----------
    spec
        The resolved spec.
    sets
        The images that the network is trained and evaluated on.
    state
        What :func:`autogrow.training.state.begin` returned; training changes it.
    surroundings
        Folder, reporter, processes and signals of the run.
    """

    def __init__(
        self, spec: ResolvedSpec, sets: Sets, state: State, surroundings: Surroundings
    ) -> None:
        self.spec = spec
        self.sets = sets
        self.state = state
        self.around = surroundings
        self.world = surroundings.world
        self.parallel = self.world.parallel(state.network)
        self._twin_parallel = self._parallel_twin()
        self._pauses = Pauses(state, surroundings, self._standing)
        self._phase: Phase = "training"
        self._expected = state.trained
        self._micro_batch = MicroBatch(
            state.halvings[-1].micro_batch if state.halvings else spec.micro_batch,
            guarded=sets.train.device.type == "cuda",
            halved=self._halved,
        )
        if not state.restored:
            self._snapshot()

    @property
    def epochs(self) -> Sequence[Epoch]:
        """All epochs so far."""
        return self.state.epochs

    @property
    def trained(self) -> int:
        """Epochs trained so far; AdamInit's are not counted."""
        return self.state.trained

    @property
    def depth(self) -> Depth:
        """The network's present depth."""
        return self.state.depth

    @property
    def diverged(self) -> bool:
        """Whether there is nothing more to train, because the loss was not finite.

        While growing that alone is no reason, as long as the weights are finite.
        """
        return any(
            e.phase != "adaminit"
            and not e.finite
            and (self.state.dead or (e.phase not in GROWING and not math.isfinite(e.train_loss)))
            for e in self.epochs[-1:]
        )

    def train(self, phase: Phase, lr: float, expected: int) -> Epoch:
        """Train one epoch and record it.

        Parameters
        ----------
        phase
            What the epoch is for.
        lr
            Its learning rate.
        expected
            Epochs that the run needs in all, as far as is known.
        """
        number = self.trained + 1
        epoch = self._train(self.state, self.parallel, phase, number, lr, expected)
        if self.spec.snapshots and number % self.spec.snapshots == 0:
            self._snapshot()
        self._pauses.epoch_is_done()
        return epoch

    def train_twin(self, lr: float, expected: int) -> Epoch:
        """Train the twin in the latest epoch, as the network that grew was, and compare the two."""
        twin, parallel = self.state.twin, self._twin_parallel
        assert twin is not None
        assert parallel is not None
        epoch = self._train(twin, parallel, "twin", self.trained, lr, expected)
        self._pauses.epoch_is_done()
        return epoch

    def _train(
        self,
        trained: State | Twin,
        parallel: nn.Module,
        phase: Phase,
        number: int,
        lr: float,
        expected: int,
    ) -> Epoch:
        """Train a network for one epoch and record it."""
        self.state.restored, self._phase, self._expected = {}, phase, expected
        network = trained.network
        set_rate(trained.optimizer, lr, self.spec.learning_rate)
        train = self._train_epoch(parallel, trained.optimizer, self.spec.seed, number)
        self.world.share_buffers(network)
        val, test, top5 = self._evaluate(network)
        if not math.isfinite(train.loss + val.loss):
            val, test, top5 = Score(val.loss, NAN), Score(test.loss, NAN), NAN
        best = self._best_val_accuracy()
        epoch = Epoch(
            number,
            phase,
            format_depth(depth_of(network)),
            lr,
            *train,
            *val,
            test.accuracy,
            best if math.isnan(val.accuracy) else max(best, val.accuracy),
            self._lap(),
            top5,
            self._left_out(),
            self._trial() if phase == "twin" else None,
        )
        self._record(epoch, expected)
        return epoch

    def _trial(self) -> Trial:
        """Return how the network that grew and its twin do on the validation images."""
        twin = self.state.twin
        assert twin is not None
        return compare(
            *(self.state.network, twin.network, self.sets.val, self.spec.precision),
            world=self.world,
            pauses=self._pauses,
        )

    def _left_out(self) -> int:
        """Return how many damaged images the epoch and its evaluations were without."""
        trained, skipped = self.world.sum([self.state.tally.images, self.sets.skipped])
        left_out = len(self.sets.train) - int(trained) if self.sets.train.may_skip else 0
        return left_out // self.spec.repeats + int(skipped)

    def _evaluate(self, network: nn.Module) -> tuple[Score, Score, float]:
        sets, precision = self.sets, self.spec.precision
        world, pauses = self.world, self._pauses
        val, top5 = evaluate(network, sets.val, precision, world=world, pauses=pauses)
        if sets.test is sets.val:
            return val, val, top5
        return val, *evaluate(network, sets.test, precision, world=world, pauses=pauses)

    def _train_epoch(
        self, network: nn.Module, optimizer: Optimizer, seed: int, epoch: int
    ) -> Score:
        spec, tally = self.spec, self.state.tally
        batches = self.sets.train.training_batches(
            spec.batch_size, seed=seed, epoch=epoch, start=tally.batches, world=self.world
        )
        # The paper's networks draw no random numbers while they are trained.
        draws = type(self.state.network) is not GrowableNetwork
        device = self.sets.train.device
        with torch.random.fork_rng([device] if device.type == "cuda" else [], enabled=draws):
            return train_epoch(
                *(network, optimizer, batches, spec.precision),
                micro_batch=self._micro_batch,
                world=self.world,
                tally=tally,
                pauses=self._pauses,
                noise=derive(seed, "noise", epoch, self.world.rank) if draws else None,
            )

    def grow(
        self,
        spec: GrowingSpec,
        before: Depth,
        after: Depth,
        *,
        fresh_optimizer: bool = False,
        on_trial: bool = False,
    ) -> None:
        """Grow the network, or finish the growth in which the run was interrupted.

        Parameters
        ----------
        spec
            The run's own spec.
        before, after
            Depths of the network; it may have the second one already.
        fresh_optimizer
            Whether the optimizer forgets its momentum.
        on_trial
            Whether a twin stays as the network is, so that the growth can be undone.
        """
        network = self.state.network
        if self.depth != after:
            self._snapshot()
            self._keep_twin(on_trial)
            compiled = self.around.execution.compiled
            grow_to(after, spec, network, self.state.optimizer, compiled=compiled)
            self.parallel = self.world.parallel(network)
            self._snapshot(grown=True)
            if fresh_optimizer:
                self.state.optimizer = new_optimizer(spec, network)
        if INITIALIZERS.find(spec.initializer).adam and not self.diverged:
            stacked = [
                sub_module
                for sub_network, now in zip(network.sub_networks, before, strict=True)
                for sub_module in list(sub_network)[now:]
            ]
            self._adam_init(spec, before, stacked)

    def _keep_twin(self, wanted: bool) -> None:
        """Keep a twin of the network as it is, and drop an earlier one."""
        state = self.state
        state.twin = twin_of(state.network, state.optimizer) if wanted else None
        self._twin_parallel = self._parallel_twin()

    def _parallel_twin(self) -> nn.Module | None:
        twin = self.state.twin
        return None if twin is None else self.world.parallel(twin.network)

    def undo(self) -> None:
        """Undo the last growth: training goes on with the twin's weights."""
        state = self.state
        if state.twin is not None:
            take_over(state.network, state.optimizer, state.twin)
            self.parallel = self.world.parallel(state.network)
            self._keep_twin(False)

    def _adam_init(self, spec: GrowingSpec, before: Depth, stacked: Sequence[nn.Module]) -> None:
        """Carry out AdamInit, or what is left of it."""
        state, number = self.state, self.trained
        adam = state.adam = adam_of(stacked, weight_decay=spec.weight_decay)
        if adam is None:
            return
        checkpoint.restore_adam(state.restored, adam)
        state.restored, self._phase = {}, "adaminit"
        seed = derive(spec.seed, "AdamInit", number)

        def earlier() -> list[Epoch]:
            return [e for e in self.epochs if e.phase == "adaminit" and e.epoch == number]

        def train() -> tuple[float, float]:
            # A new one for each epoch: only what is not frozen now is kept in step.
            parallel = self.world.parallel(state.network)
            return self._train_epoch(parallel, adam, seed, len(earlier()))

        depth = format_depth(before)
        old = next(e for e in reversed(self.epochs) if e.phase != "adaminit" and e.depth == depth)
        for score in adam_init(
            state.network,
            stacked,
            train,
            old_accuracy=old.train_accuracy,
            slack=spec.adaminit_slack,
            earlier=[(e.train_loss, e.train_accuracy) for e in earlier()],
            frozen_statistics=spec.adaminit_statistics == "frozen",
        ):
            row = (*score, None, None, None, self._best_val_accuracy(), self._lap())
            self._record(
                Epoch(number, "adaminit", format_depth(self.depth), ADAM_RATE, *row), number
            )
            self._pauses.epoch_is_done()
        state.adam = None

    def _snapshot(self, *, grown: bool = False) -> None:
        """Keep the parameters for a trajectory, if the spec says so."""
        if self.spec.snapshots and self.world.first:
            write_snapshot(
                self.around.folder,
                self.state.network,
                epoch=self.trained,
                phase=self.epochs[-1].phase if self.epochs else "seed",
                depth=format_depth(self.depth),
                grown=grown,
            )

    def _record(self, epoch: Epoch, expected: int) -> None:
        state, reporter = self.state, self.around.reporter
        state.steps += state.tally.batches
        state.tally = Tally()
        state.epochs.append(epoch)
        if self.world.first:
            write_metrics(self.around.folder, state.epochs)
        reporter.epoch(
            epoch.epoch, expected, epoch.phase, epoch.depth, epoch.train_loss, epoch.val_accuracy
        )
        if not epoch.finite:
            state.look_whether_dead(reporter.say)
        if self.world.first:
            self.around.listeners.epoch(epoch)

    def _best_val_accuracy(self) -> float:
        return self.epochs[-1].best_val_accuracy if self.epochs else 0.0

    def _lap(self) -> float:
        now = time.perf_counter()
        seconds, self.state.began = now - self.state.began, now
        return seconds

    def _standing(self, batches: int) -> Standing:
        own = [e for e in self.epochs if not e.beside]
        return Standing(
            epoch=self.trained,
            expected=self._expected,
            phase=self._phase,
            depth=format_depth(self.depth),
            accuracy=own[-1].val_accuracy if own else None,
            seconds=recent_seconds([e.seconds for e in own]),
            batch=batches,
            batches=-(-len(self.sets.train) // self.spec.batch_size),
            elapsed=time.perf_counter() - self.state.began,
        )

    def _halved(self, images: int) -> None:
        halving = Halving(self.trained + 1, format_depth(self.depth), images)
        if self.world.size > 1:  # the others wait for this process's share of the gradient
            write_halving(self.around.folder, halving)
            raise InterruptedRunError(f"{halving}; the same command continues")
        self.state.halvings.append(halving)
        self.around.reporter.say(str(halving))
