"""The state of a run between two steps: fresh, or continued from its latest checkpoint."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from autogrow.config.execution import Execution
from autogrow.config.resolved import ResolvedAutogrow, ResolvedMorph, ResolvedSpec
from autogrow.config.spec import spec_checksum, to_json
from autogrow.data import ImageData
from autogrow.growth.algorithm import Depth, Trial
from autogrow.networks.growable import GrowableModule, depth_of
from autogrow.process.distributed import World
from autogrow.process.signals import Stops
from autogrow.training import checkpoint
from autogrow.training.building import NOTHING, Given, build, grow_to, new_optimizer
from autogrow.training.callbacks import Listeners
from autogrow.training.epoch import Tally
from autogrow.training.metrics import METRICS, Epoch
from autogrow.training.optimizer import Optimizer
from autogrow.training.reporter import Reporter
from autogrow.training.twin import Twin, twin_of
from autogrow.training.unfinished import Halving, with_written_halving

FORMAT = 3
"""Version of the values in a checkpoint; a run cannot resume from another version's."""


@dataclass(frozen=True)
class Surroundings:
    """The folder of a run, its reporter, and who is told of it or may ask it to stop."""

    folder: Path
    reporter: Reporter
    execution: Execution
    world: World
    stops: Stops
    listeners: Listeners


@dataclass
class State:
    """All that training changes.

    Parameters
    ----------
    network, optimizer
        As they are now.
    owner
        What tells the run's own checkpoints from others: version, settings and data.
    epochs
        All epochs recorded so far.
    halvings
        Where a GPU's memory ran out.
    steps
        Optimizer steps in the recorded epochs.
    tally
        Sums over the batches of the epoch that has begun.
    began
        When that epoch began, by ``time.perf_counter``.
    restored
        Tensors of the checkpoint from which the run resumes, until its next epoch is
        trained; AdamInit's state is among them.
    dead
        Whether a parameter is not finite any more, after a loss that was not: nothing
        can be learned from there.
    adam
        AdamInit's optimizer while AdamInit is at work.
    twin
        The network as it was before it grew, trained on beside it, while the growth is on trial.
    """

    network: GrowableModule
    optimizer: Optimizer
    owner: dict[str, Any]
    epochs: list[Epoch] = field(default_factory=list)
    halvings: list[Halving] = field(default_factory=list)
    steps: int = 0
    tally: Tally = field(default_factory=Tally)
    began: float = field(default_factory=time.perf_counter)
    restored: dict[str, Tensor] = field(default_factory=dict)
    dead: bool = False
    adam: torch.optim.Adam | None = None
    twin: Twin | None = None

    @property
    def trained(self) -> int:
        """Epochs trained so far; AdamInit's are not counted."""
        return self.epochs[-1].epoch if self.epochs else 0

    @property
    def depth(self) -> Depth:
        """The network's present depth, which may be ahead of the last epoch's."""
        return depth_of(self.network)

    def to_json(self, tally: Tally) -> dict[str, Any]:
        """Return the values of a checkpoint; ``tally`` is summed over all processes."""
        return {
            **self.owner,
            "epochs": [asdict(e) for e in self.epochs],
            "depth": self.depth,
            "steps": self.steps,
            "tally": {k: float(v) for k, v in vars(tally).items()},
            "seconds": time.perf_counter() - self.began,
            "halvings": [asdict(h) for h in self.halvings],
            **checkpoint.plain_values(self.network, self.optimizer),
            **({} if self.twin is None else {"twin": self._twin_values(self.twin)}),
        }

    @staticmethod
    def _twin_values(twin: Twin) -> dict[str, Any]:
        plain = checkpoint.plain_values(twin.network, twin.optimizer)
        return {"depth": depth_of(twin.network), **plain}

    def resume(self, tensors: dict[str, Tensor], values: dict[str, Any], *, first: bool) -> None:
        """Take over a checkpoint's tensors and values."""
        checkpoint.restore(tensors, values, self.network, self.optimizer)
        if self.twin is not None:
            network, optimizer = self.twin.network, self.twin.optimizer
            checkpoint.restore(checkpoint.of_twin(tensors), values["twin"], network, optimizer)
        self.restored = tensors
        self.epochs = [_epoch(**e) for e in values["epochs"]]
        self.halvings = [Halving(**h) for h in values["halvings"]]
        self.steps = values["steps"]
        self.began -= values["seconds"]
        sums = {k: v if k == "loss" else int(v) for k, v in values["tally"].items()}
        # The first process alone brings in what all had summed up.
        self.tally = Tally(**sums) if first else Tally(sums["batches"])

    def look_whether_dead(self, say: Callable[[str], None]) -> None:
        """Report a loss that is not finite, and find out whether the weights are finite."""
        self.dead = not all(bool(p.isfinite().all()) for p in self.network.parameters())
        consequence = "; neither are the weights: nothing more can be learned" if self.dead else ""
        say(f"epoch {self.trained}: the loss is not finite (diverged){consequence}")


def _epoch(trial: list[int] | None = None, **values: Any) -> Epoch:
    """Return an epoch as a checkpoint holds it."""
    return Epoch(**values, trial=None if trial is None else Trial(*trial))


def begin(
    spec: ResolvedSpec,
    data: ImageData,
    device: torch.device,
    surroundings: Surroundings,
    given: Given = NOTHING,
) -> State:
    """Return the state of a fresh run, or that of the folder's latest checkpoint.

    Parameters
    ----------
    spec
        The resolved spec.
    data
        The data set.
    device
        Where the network is trained.
    surroundings
        Folder, reporter and processes of the run.
    given
        What the caller gave as objects. A network of the caller's is in a first checkpoint
        before it is trained, because nothing else has its initial weights.

    Raises
    ------
    UserError
        If there are checkpoints, but all are damaged, or of other settings, of other data or of
        another version of this package.
    """
    folder, say = surroundings.folder, surroundings.reporter.say
    owner = {
        "format": FORMAT,
        "spec_checksum": spec_checksum(to_json(spec)),
        "data": spec.data,
        "data_checksum": data.checksum,
    }
    tensors, values = checkpoint.load_latest(folder, say, owner) or ({}, {})
    compiled = surroundings.execution.compiled
    network = build(spec, data, device, given=given, compiled=compiled)
    state = State(network, new_optimizer(spec, network, given), owner)
    if values:
        if isinstance(spec, ResolvedMorph | ResolvedAutogrow):
            if "twin" in values:
                there = tuple(values["twin"]["depth"])
                grow_to(there, spec, network, state.optimizer, compiled=compiled)
                state.twin = twin_of(network, state.optimizer)
            grow_to(tuple(values["depth"]), spec, network, state.optimizer, compiled=compiled)
        state.resume(tensors, values, first=surroundings.world.first)
        steps = f" and {state.tally.batches} steps" if state.tally.batches else ""
        say(f"{folder}: continuing after epoch {state.trained}{steps}")
        if state.epochs and not state.epochs[-1].finite:
            state.look_whether_dead(say)
    elif (folder / METRICS).exists():
        say(f"{folder}: no checkpoint is there; starting over")
    state.halvings = with_written_halving(folder, state.halvings)
    if given.network is not None and not values and surroundings.world.first:
        checkpoint.save(folder, 0, 0, network, state.optimizer, state.to_json(state.tally))
    return state
