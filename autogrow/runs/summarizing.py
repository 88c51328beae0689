"""Computes the summary of a run from its epochs, its network and its data."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING

import torch

from autogrow.config.resolved import ResolvedAutogrow, ResolvedMorph, ResolvedSpec
from autogrow.config.spec import spec_checksum, to_json
from autogrow.networks.flops import costs_of, flops_by_depth
from autogrow.networks.growable import GrowableModule, depth_of
from autogrow.networks.names import NetworkName, format_depth
from autogrow.process.distributed import ALONE, World
from autogrow.runs.cost import training_flops
from autogrow.runs.provenance import cpu_model, git_commit, versions
from autogrow.runs.summary import OVERALL, SCORES, AdamInitUse, DataSummary, MemoryShortage, Summary
from autogrow.training.metrics import Epoch, Phase

if TYPE_CHECKING:
    from autogrow.batches.sets import Sets
    from autogrow.data import ImageData
    from autogrow.training.unfinished import Halving

PHASES: tuple[Phase, ...] = ("growing", "adaminit", "twin", "finetuning", "training")
GROWING: tuple[Phase, ...] = ("growing", "adaminit", "twin")
NO_BOUNDS: Mapping[str, list[int]] = MappingProxyType({})


def summarize(
    spec: ResolvedSpec,
    network: GrowableModule,
    epochs: Sequence[Epoch],
    data: ImageData,
    sets: Sets,
    halvings: Sequence[Halving] = (),
    world: World = ALONE,
    *,
    bounded: Mapping[str, list[int]] = NO_BOUNDS,
) -> Summary:
    """Return the summary of a run that trained these epochs and ended with this network.

    ``bounded`` are the sub-networks that each bound of the growth has stopped.
    """
    image, _ = next(sets.test.evaluation_batches(1))
    image = image[:1]  # a caller's DataLoader has batches of its own size
    cost = costs_of(network.eval(), image)[-1]
    name = NetworkName(spec.architecture, depth_of(network))
    own = [e for e in epochs if not e.beside]
    micro_batch = halvings[-1].micro_batch if halvings else spec.micro_batch
    share = -(-spec.batch_size // world.size)
    largest = spec.largest_depth or () if isinstance(spec, ResolvedAutogrow) else ()
    by_depth = flops_by_depth(network, image)
    spent = training_flops(epochs, spec.architecture, len(sets.train), by_depth)

    def flops(*phases: Phase) -> int:
        return sum(spent.get(phase, 0) for phase in phases)

    last_finite = max((e.epoch for e in own if e.finite), default=0)
    return Summary(
        status="complete" if own[-1].finite else "diverged",
        diverged_after=None if own[-1].finite else last_finite + 1,
        kind=spec.kind,
        network=str(name),
        depth=format_depth(name.depth),
        layers=cost.layers,
        parameters=cost.parameters,
        flops=cost.flops,
        flops_growing=flops(*GROWING),
        flops_finetuning=flops("finetuning", "training"),
        flops_training=sum(spent.values()),
        **_accuracies(spec, own),
        epochs=_counts(epochs),
        capped=[i for i, (d, m) in enumerate(zip(name.depth, largest, strict=False)) if d >= m],
        bounded=dict(bounded),
        adaminit=_adaminit(epochs),
        seconds_growing=_seconds(epochs, *GROWING),
        seconds_finetuning=_seconds(epochs, "finetuning", "training"),
        spec_checksum=spec_checksum(to_json(spec)),
        protocol=spec.protocol,
        seed=spec.seed,
        data=DataSummary(
            name=data.name,
            training_images=len(sets.train) // spec.repeats,
            validation_images=len(sets.val),
            # A validation set that also stands for the test set is no test set.
            test_images=0 if sets.test is sets.val and spec.protocol != "paper" else len(sets.test),
            damaged_images=own[-1].skipped,
            image_size=data.image_size,
            image_channels=data.channels,
            classes=data.n_classes,
            mean=list(data.mean),
            std=list(data.std),
            statistics=data.statistics_source,
            crop_padding=sets.train.padding,
            flip=sets.train.flip,
            checksum=data.checksum,
        ),
        versions=versions(spec),
        git_commit=git_commit(),
        device=_device_name(sets.train.device),
        threads=torch.get_num_threads(),
        processes=world.size,
        micro_batch=micro_batch,
        bn_images=min(micro_batch or share, share) * (world.size if spec.sync_bn else 1),
        out_of_memory=[MemoryShortage(**asdict(halving)) for halving in halvings],
        library_code=getattr(network, "library_code", None),
    )


def _counts(epochs: Sequence[Epoch]) -> dict[Phase, int]:
    """Return how many rows each phase has; a twin's phase only if there was one."""
    counts = {phase: sum(e.phase == phase for e in epochs) for phase in PHASES}
    return {phase: n for phase, n in counts.items() if n or phase != "twin"}


def _accuracies(spec: ResolvedSpec, own: Sequence[Epoch]) -> dict[str, float | None]:
    """Return the accuracies of a run whose epochs, AdamInit's left out, are ``own``."""
    schedule = own
    if isinstance(spec, ResolvedAutogrow):
        schedule = [e for e in own if e.phase == "finetuning"]
    elif isinstance(spec, ResolvedMorph):
        schedule = own[spec.epochs :]
    finite = [e for e in own if e.finite]
    measured = [e for e in schedule if e.finite] or finite
    if not measured:
        return dict.fromkeys((*SCORES, *OVERALL))
    last = measured[-1]
    best, overall = (max(p, key=lambda e: e.val_accuracy or 0.0) for p in (measured, finite))
    return {
        "final_accuracy": last.test_accuracy,
        "best_accuracy": best.test_accuracy,
        "best_test_accuracy": max(e.test_accuracy or 0.0 for e in measured),
        "final_top5": last.test_top5,
        "best_top5": best.test_top5,
        "overall_accuracy": overall.test_accuracy,
        "overall_top5": overall.test_top5,
        "final_val_accuracy": last.val_accuracy,
        "best_val_accuracy": last.best_val_accuracy,
        "final_train_accuracy": last.train_accuracy,
    }


def _adaminit(epochs: Sequence[Epoch]) -> list[AdamInitUse]:
    """Return what each AdamInit took."""
    uses = []
    for after_epoch, group in itertools.groupby(epochs, key=lambda e: e.epoch):
        own, *others = group  # AdamInit's epochs repeat the number of the epoch before them
        adam = [e for e in others if e.phase == "adaminit"]
        if adam:
            uses.append(
                AdamInitUse(
                    after_epoch=after_epoch,
                    epochs=len(adam),
                    old_train_accuracy=own.train_accuracy,
                    train_accuracy=adam[-1].train_accuracy,
                )
            )
    return uses


def _seconds(epochs: Sequence[Epoch], *phases: str) -> float:
    return round(sum(e.seconds for e in epochs if e.phase in phases), 3)


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu ({cpu_model()})"
