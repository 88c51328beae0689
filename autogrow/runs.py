"""One run: from a spec to a folder with its records and weights.

A run's position follows from the epochs it has recorded: growth is replayed
from the recorded accuracies, data order and augmentation depend on the epoch's
number. So a checkpoint after an epoch (network, momentum, records) is all that
an interrupted run needs to go on as if nothing had happened.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import nn

from autogrow import checkpoint, records
from autogrow import data as datasets
from autogrow.compiling import compile_sub_module, compile_sub_modules
from autogrow.config import AutogrowSpec, MorphSpec, RunSpec, ScratchSpec, to_json
from autogrow.data import ImageData
from autogrow.distributed import World, joined
from autogrow.engine import (
    Optimizer,
    Score,
    evaluate,
    set_learning_rate,
    set_precision,
    train_epoch,
)
from autogrow.errors import UserError
from autogrow.execution import Execution, find_device
from autogrow.growth import Event, Growth
from autogrow.initializers import adam_init, initialize
from autogrow.lock import locked
from autogrow.names import NetworkName, format_depth, parse_depth, parse_network
from autogrow.networks import build_network, depth_of, seeded, stack_sub_module
from autogrow.optimizer import SGD
from autogrow.preparation import prepare_folder, prepared, resolve_for
from autogrow.reporter import Reporter
from autogrow.schedules import growing_staircase, staircase
from autogrow.seeds import derive
from autogrow.sets import Sets, make_sets
from autogrow.snapshots import write_snapshot
from autogrow.summary import summarize


def run(
    spec: RunSpec,
    out: str | Path,
    *,
    execution: Execution | None = None,
    data: ImageData | None = None,
) -> dict[str, Any]:
    """Carry out a run, or go on with an interrupted one, and return its summary.

    Parameters
    ----------
    spec
        What to run.
    out
        The run's folder. One that holds the finished run of the same spec is
        left as it is.
    execution
        Device, threads and the like.
    data
        The caller's own images instead of the data set that ``spec.data`` names.

    Raises
    ------
    UserError
        If the data is missing or damaged, a setting impossible, or ``out`` holds
        the run of another spec.
    """
    execution = execution or Execution()
    folder = Path(out)
    spec = resolve_for(spec, data or datasets.info(spec.data))
    device = find_device(execution)

    def say(message: str) -> None:
        with Reporter(folder, quiet=execution.quiet) as reporter:
            reporter.say(message)

    with ExitStack() as stack:
        world = stack.enter_context(joined(device))
        if world.first:
            stack.enter_context(locked(folder, say, wait=execution.wait))
        summary = prepare_folder(folder, to_json(spec), execution, world)
        if summary is not None:
            return summary
        set_precision(spec.precision, device)
        if spec.sync_bn and device.type != "cuda":
            raise UserError("sync_bn: needs GPUs; allowed on this device: false")
        if data is None:
            data = datasets.load(spec.data, root=execution.data_root, download=execution.download)
        data = prepared(data, spec)
        sets = make_sets(spec, data, device, workers=execution.workers)
        # Not before everything that a user can get wrong was looked at: a slip leaves no folder.
        if world.first:
            records.open_folder(folder, to_json(spec))
        world.wait()
        reporter = Reporter(folder, quiet=execution.quiet, silent=not world.first)
        stack.enter_context(reporter)
        if data.report:
            reporter.say(data.report)
        if world.first:  # the others tell of damaged images on stderr
            sets.tell(reporter.say)
        return _Run(spec, folder, data, sets, reporter, execution.compiled, world).execute()


class _Run:
    def __init__(
        self,
        spec: RunSpec,
        folder: Path,
        data: ImageData,
        sets: Sets,
        reporter: Reporter,
        compiled: bool,
        world: World,
    ) -> None:
        self.spec = spec
        self.world = world
        self.compiled = compiled
        self.folder = folder
        self.data = data
        self.reporter = reporter
        self.epochs: list[records.Epoch] = []
        self.events: list[Event] = []
        self.sets = sets
        self._resume(sets.train.device)
        self._mark = time.perf_counter()

    def execute(self) -> dict[str, Any]:
        if not self.epochs:
            self._snapshot()
        if isinstance(self.spec, ScratchSpec):
            self._train_for(self.spec.epochs, "training", 0)
        elif isinstance(self.spec, MorphSpec):
            self._morph(self.spec)
        else:
            self._autogrow(self.spec)
        return self._finish()

    # --- the three kinds -------------------------------------------------------------

    def _morph(self, spec: MorphSpec) -> None:
        self._train_for(spec.epochs, "training", 0)
        target = parse_network(spec.to_network).depth
        if depth_of(self.network) != target:
            new = [then - now for now, then in zip(depth_of(self.network), target, strict=True)]
            stacked = self._stack([i for i, count in enumerate(new) for _ in range(count)])
            # The deeper net is trained in the standard way: its optimizer starts afresh.
            self._new_optimizer()
            self._adam_init(stacked)
        self._train_for(spec.epochs, "training", spec.epochs)

    def _autogrow(self, spec: AutogrowSpec) -> None:
        growth = Growth(spec.growth_policy, spec.seed_network.depth)
        events: list[Event] = []
        for epoch in self.epochs:
            if epoch.phase == "growing":
                events = growth.observe(epoch.val_accuracy)
                self.events += events
        while not growth.done:
            grown = [event.sub_network for event in events if event.event == "grow"]
            if grown:
                self._adam_init(self._stack(grown))
            lr = spec.learning_rate
            if spec.growing_rate == "staircase":
                lr = growing_staircase(lr, growth.epoch, spec.K)
            expected = growth.earliest_end() + spec.finetune_epochs
            epoch = self._train("growing", lr, expected)
            events = growth.observe(epoch.val_accuracy)
            if events:
                self.events += events
                if self.world.first:
                    records.write_growth(self.folder, self.events)
        self._train_for(spec.finetune_epochs, "finetuning", growth.epoch)

    def _train_for(self, epochs: int, phase: records.Phase, after: int) -> None:
        """Train by the staircase schedule until ``after + epochs`` epochs are trained."""
        spec = self.spec
        expected = after + epochs
        while self.trained < after + epochs:
            done = self.trained - after
            lr = staircase(spec.learning_rate, done, epochs, spec.milestones)
            self._train(phase, lr, expected)

    # --- pieces ----------------------------------------------------------------------

    @property
    def trained(self) -> int:
        """Epochs trained so far; AdamInit's are not counted."""
        return self.epochs[-1].epoch if self.epochs else 0

    def _train(self, phase: records.Phase, lr: float, expected: int) -> records.Epoch:
        number = self.trained + 1
        spec, sets = self.spec, self.sets
        set_learning_rate(self.optimizer, lr)
        train = self._train_epoch(self.parallel, self.optimizer, spec.seed, number)
        self.world.share_buffers(self.network)
        val, top5 = evaluate(self.network, sets.val, spec.precision, world=self.world)
        test = val
        if sets.test is not sets.val:
            test, top5 = evaluate(self.network, sets.test, spec.precision, world=self.world)
        epoch = records.Epoch(
            number,
            phase,
            format_depth(depth_of(self.network)),
            lr,
            *train,
            *val,
            test.accuracy,
            max(self._best_val_accuracy(), val.accuracy),
            self._lap(),
            top5,
            int(self.world.sum([sets.skipped])[0]),
        )
        self._record(epoch, expected)
        if spec.snapshots and number % spec.snapshots == 0:
            self._snapshot()
        self._checkpoint()
        return epoch

    def _checkpoint(self) -> None:
        state = {
            "epochs": records.epochs_to_json(self.epochs),
            "data_checksum": self.data.checksum,
        }
        if self.world.first:
            checkpoint.save(self.folder, self.trained, self.network, self.optimizer, state)

    def _train_epoch(
        self, network: nn.Module, optimizer: Optimizer, seed: int, epoch: int
    ) -> Score:
        spec, world = self.spec, self.world
        batches = self.sets.train.training_batches(
            spec.batch_size, seed=seed, epoch=epoch, world=world
        )
        return train_epoch(
            network,
            optimizer,
            batches,
            spec.precision,
            micro_batch=spec.micro_batch,
            world=world,
        )

    def _stack(self, sub_networks: Sequence[int]) -> list[nn.Module]:
        """Stack a sub-module on each of the sub-networks (AdamInit comes after)."""
        self._snapshot()
        stacked = [self._stack_one(i) for i in sub_networks]
        self.parallel = self.world.parallel(self.network)
        self._snapshot(grown=True)
        return stacked

    def _stack_one(self, i: int) -> nn.Module:
        seed = self.spec.seed
        place = (i, depth_of(self.network)[i])
        sub_module = stack_sub_module(
            self.network,
            i,
            seed=derive(seed, "new sub-module", *place),
            optimizer=self.optimizer,
        )
        noise = derive(seed, "initializer", *place)
        initialize(
            sub_module, self.spec.initializer, seed=noise, uniform_noise=self.spec.uniform_noise
        )
        if self.spec.sync_bn:
            nn.SyncBatchNorm.convert_sync_batchnorm(sub_module)
        if self.compiled:
            compile_sub_module(sub_module)
        return sub_module

    def _adam_init(self, stacked: Sequence[nn.Module]) -> None:
        if self.spec.initializer != "AdamInit" or not stacked:
            return
        spec, number = self.spec, self.trained
        seed = derive(spec.seed, "AdamInit", number)

        def train(adam: torch.optim.Optimizer) -> tuple[float, float]:
            turn = sum(e.phase == "adaminit" and e.epoch == number for e in self.epochs)
            # Anew each time: only what is not frozen now is kept in step.
            return self._train_epoch(self.world.parallel(self.network), adam, seed, turn)

        old_accuracy = self.epochs[-1].train_accuracy
        for score in adam_init(
            self.network,
            stacked,
            train,
            old_accuracy=old_accuracy,
            slack=spec.adaminit_slack,
            weight_decay=spec.weight_decay,
        ):
            depth = format_depth(depth_of(self.network))
            best = self._best_val_accuracy()
            row = (*score, None, None, None, best, self._lap())
            self._record(records.Epoch(number, "adaminit", depth, 1e-3, *row), number)

    def _snapshot(self, *, grown: bool = False) -> None:
        if self.spec.snapshots and self.world.first:
            last = self.epochs[-1] if self.epochs else None
            write_snapshot(
                self.folder,
                self.network,
                epoch=self.trained,
                phase=last.phase if last else "seed",
                depth=format_depth(depth_of(self.network)),
                grown=grown,
            )

    def _record(self, epoch: records.Epoch, expected: int) -> None:
        self.epochs.append(epoch)
        if self.world.first:
            records.write_metrics(self.folder, self.epochs)
        self.reporter.epoch(
            epoch.epoch, expected, epoch.phase, epoch.depth, epoch.train_loss, epoch.val_accuracy
        )

    def _best_val_accuracy(self) -> float:
        return self.epochs[-1].best_val_accuracy if self.epochs else 0.0

    def _lap(self) -> float:
        now = time.perf_counter()
        seconds, self._mark = now - self._mark, now
        return seconds

    def _new_optimizer(self) -> None:
        spec = self.spec
        self.optimizer = SGD(
            self.network.parameters(),
            lr=spec.learning_rate,
            momentum=spec.momentum,
            weight_decay=spec.weight_decay,
        )

    def _resume(self, device: torch.device) -> None:
        spec = self.spec
        found = checkpoint.load_latest(self.folder, self.reporter.say)
        name = _first_network(spec)
        if found is not None:
            tensors, state = found
            if state["data_checksum"] != self.data.checksum:
                raise UserError(
                    f"{self.folder}: data {spec.data!r} is not what this run began with "
                    "(its checksum differs); restore it, or start over with --restart"
                )
            self.epochs = records.epochs_from_json(state["epochs"])
            depth = parse_depth(self.epochs[-1].depth, name.architecture)
            name = NetworkName(name.architecture, depth)
            self.reporter.say(f"{self.folder}: continuing after epoch {self.trained}")
        with seeded(derive(spec.seed, "initial weights")):
            network = build_network(name, **self._shape())
        self.network = network.to(device, memory_format=torch.channels_last)
        if spec.sync_bn:
            nn.SyncBatchNorm.convert_sync_batchnorm(self.network)
        if self.compiled:
            compile_sub_modules(self.network)
        self._new_optimizer()
        if found is not None:
            checkpoint.restore(tensors, self.network, self.optimizer)
        self.parallel = self.world.parallel(self.network)

    def _shape(self) -> dict[str, Any]:
        return {
            "image_channels": self.data.channels,
            "classes": self.data.n_classes,
            "stem": self.spec.stem,
            "width": self.spec.width,
        }

    def _finish(self) -> dict[str, Any]:
        summary = summarize(self.spec, self.network, self.epochs, self.data, self.sets, self.world)
        if self.world.first:
            self._write_results(summary)
        self.world.wait()
        return summary

    def _write_results(self, summary: dict[str, Any]) -> None:
        name = NetworkName(self.spec.architecture, depth_of(self.network))
        records.write_metrics(self.folder, self.epochs, sync=True)
        if isinstance(self.spec, AutogrowSpec):
            records.write_growth(self.folder, self.events, sync=True)
        records.write_weights(self.folder, self.network, {"name": str(name), **self._shape()})
        records.write_json(self.folder / records.SUMMARY, summary)
        checkpoint.remove(self.folder)


def _first_network(spec: RunSpec) -> NetworkName:
    if isinstance(spec, AutogrowSpec):
        return spec.seed_network
    return parse_network(spec.network if isinstance(spec, ScratchSpec) else spec.from_network)
