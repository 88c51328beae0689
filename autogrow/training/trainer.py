"""Trains a network epoch by epoch; training can stop and resume between any two steps.

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
from autogrow.growth.algorithm import Depth
from autogrow.networks.growable import GrowableNetwork, depth_of
from autogrow.networks.names import format_depth
from autogrow.seeds import derive
from autogrow.training.epoch import Score, Tally, evaluate, train_epoch
from autogrow.training.metrics import Epoch, Phase, write_metrics
from autogrow.training.micro_batch import MicroBatch
from autogrow.training.optimizer import Optimizer, set_rate
from autogrow.training.pauses import Pauses
from autogrow.training.snapshots import write_snapshot
from autogrow.training.standing import Standing, recent_seconds
from autogrow.training.state import State, Surroundings
from autogrow.training.twin import Twin
from autogrow.training.unfinished import Halving, write_halving

NAN = float("nan")
GROWING = ("growing", "twin")


class Trainer:
    """Trains the network of a run.

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
        epoch = self._trained(self.state, self.parallel, phase, number, lr, expected)
        self._record(epoch, expected)
        if self.spec.snapshots and number % self.spec.snapshots == 0:
            self._snapshot()
        self._pauses.epoch_is_done()
        return epoch

    def _trained(
        self,
        trained: State | Twin,
        parallel: nn.Module,
        phase: Phase,
        number: int,
        lr: float,
        expected: int,
    ) -> Epoch:
        """Train a network for one epoch and return what is to be recorded."""
        self.state.restored, self._phase, self._expected = {}, phase, expected
        network = trained.network
        set_rate(trained.optimizer, lr, self.spec.learning_rate)
        train = self._train_epoch(parallel, trained.optimizer, self.spec.seed, number)
        self.world.share_buffers(network)
        val, test, top5 = self._evaluate(network)
        if not math.isfinite(train.loss + val.loss):
            val, test, top5 = Score(val.loss, NAN), Score(test.loss, NAN), NAN
        best = self._best_val_accuracy()
        return Epoch(
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
