"""Changes a run's network: growth, AdamInit, and growth on trial against a twin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import nn

from autogrow.batches.sets import Sets
from autogrow.config.resolved import ResolvedSpec
from autogrow.growth.algorithm import Depth, Trial
from autogrow.networks.adam_init import ADAM_RATE, adam_init, adam_of
from autogrow.networks.initializer_names import INITIALIZERS
from autogrow.networks.names import format_depth
from autogrow.seeds import derive
from autogrow.training import checkpoint
from autogrow.training.building import GrowingSpec, grow_to, new_optimizer
from autogrow.training.epoch import compare
from autogrow.training.metrics import Epoch
from autogrow.training.state import State, Surroundings
from autogrow.training.trainer import Trainer
from autogrow.training.twin import Twin, take_over, twin_of


class GrowingTrainer(Trainer):
    """Trains a network that may grow; its arguments are a :class:`Trainer`'s."""

    def __init__(
        self, spec: ResolvedSpec, sets: Sets, state: State, surroundings: Surroundings
    ) -> None:
        super().__init__(spec, sets, state, surroundings)
        self._twin_parallel = self._parallel_twin()

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

    def train_twin(self, lr: float, expected: int) -> Epoch:
        """Train the twin in the latest epoch, as the network that grew was, and compare the two."""
        twin, parallel = self.state.twin, self._twin_parallel
        assert twin is not None
        assert parallel is not None
        epoch = self._trained(twin, parallel, "twin", self.trained, lr, expected)
        epoch = replace(epoch, trial=self._trial(twin))
        self._record(epoch, expected)
        self._pauses.epoch_is_done()
        return epoch

    def _trial(self, twin: Twin) -> Trial:
        """Return how the network that grew and its twin do on the validation images."""
        return compare(
            *(self.state.network, twin.network, self.sets.val, self.spec.precision),
            world=self.world,
            pauses=self._pauses,
        )
