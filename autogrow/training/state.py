"""The state of a run between two steps: fresh, or continued from its latest checkpoint."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from autogrow.config.execution import Execution
from autogrow.config.resolved import ResolvedSpec
from autogrow.data import ImageData
from autogrow.growth.algorithm import Depth
from autogrow.networks.growable import GrowableNetwork, depth_of
from autogrow.networks.names import NetworkName
from autogrow.process.distributed import World
from autogrow.process.signals import Stops
from autogrow.training import checkpoint
from autogrow.training.building import build, new_optimizer
from autogrow.training.checkpoint import Progress
from autogrow.training.epoch import Tally
from autogrow.training.metrics import METRICS, Epoch
from autogrow.training.optimizer import SGD
from autogrow.training.reporter import Reporter
from autogrow.training.unfinished import Halving, with_written_halving


@dataclass(frozen=True)
class Surroundings:
    """Where a run trains, and whom it listens to.

    Parameters
    ----------
    folder
        Run folder; training resumes from its latest checkpoint.
    reporter
        Is told of every epoch.
    execution
        How often checkpoints are written, and whether sub-modules are compiled.
    world
        The processes that train the run.
    stops
        Says whether the run was asked to stop.
    """

    folder: Path
    reporter: Reporter
    execution: Execution
    world: World
    stops: Stops


@dataclass
class State:
    """All that training changes.

    Parameters
    ----------
    network, optimizer
        As they are now.
    data_checksum
        Checksum of the data set.
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
        Tensors of the checkpoint that the run continues from, until its next epoch is
        trained; AdamInit's state is among them.
    dead
        Whether a parameter is not finite any more, after a loss that was not: nothing
        can be learned from there.
    adam
        AdamInit's optimizer while AdamInit is at work.
    """

    network: GrowableNetwork
    optimizer: SGD
    data_checksum: str
    epochs: list[Epoch]
    halvings: list[Halving]
    steps: int
    tally: Tally
    began: float
    restored: dict[str, Tensor] = field(default_factory=dict)
    dead: bool = False
    adam: torch.optim.Adam | None = None

    @property
    def trained(self) -> int:
        """Epochs trained so far; AdamInit's are not counted."""
        return self.epochs[-1].epoch if self.epochs else 0

    @property
    def depth(self) -> Depth:
        """The network's present depth."""
        return depth_of(self.network)

    def to_json(self, tally: Tally) -> dict[str, Any]:
        """Return the values of a checkpoint; ``tally`` is summed over all processes."""
        return Progress(
            epochs=self.epochs,
            depth=self.depth,
            steps=self.steps,
            tally=tally,
            seconds=time.perf_counter() - self.began,
            halvings=self.halvings,
            data_checksum=self.data_checksum,
        ).to_json()

    def look_whether_dead(self, say: Callable[[str], None]) -> None:
        """Report a loss that is not finite, and find out whether the weights are finite."""
        self.dead = not all(bool(p.isfinite().all()) for p in self.network.parameters())
        told = "; neither are the weights: nothing more can be learned" if self.dead else ""
        say(f"epoch {self.trained}: the loss is not finite (diverged){told}")


def begin(
    spec: ResolvedSpec,
    name: NetworkName,
    data: ImageData,
    device: torch.device,
    surroundings: Surroundings,
) -> State:
    """Return the state of a fresh run, or that of the folder's latest checkpoint.

    Parameters
    ----------
    spec
        The resolved spec.
    name
        The network that the run begins with.
    data
        The data set.
    device
        Where the network is trained.
    surroundings
        Folder, reporter and processes of the run.

    Raises
    ------
    UserError
        If no checkpoint of the folder can be read, or they are of other data.
    """
    folder, say = surroundings.folder, surroundings.reporter.say
    found = checkpoint.load_latest(folder, say)
    then = Progress.start(data.checksum)
    if found is not None:
        then = Progress.from_json(found[1], folder, spec.data, data.checksum)
        name = NetworkName(name.architecture, then.depth)
    network = build(spec, name, data, device, compiled=surroundings.execution.compiled)
    state = State(
        network=network,
        optimizer=new_optimizer(spec, network),
        data_checksum=data.checksum,
        epochs=list(then.epochs),
        halvings=with_written_halving(folder, then.halvings),
        steps=then.steps,
        # The first process alone brings in what all had summed up.
        tally=then.tally if surroundings.world.first else Tally(batches=then.tally.batches),
        began=time.perf_counter() - then.seconds,
    )
    if found is None:
        if (folder / METRICS).exists():
            say(f"{folder}: no checkpoint is there; starting over")
        return state
    state.restored = found[0]
    checkpoint.restore(state.restored, network, state.optimizer)
    steps = f" and {then.tally.batches} steps" if then.tally.batches else ""
    say(f"{folder}: continuing after epoch {state.trained}{steps}")
    if state.epochs and not state.epochs[-1].finite:
        state.look_whether_dead(say)
    return state
