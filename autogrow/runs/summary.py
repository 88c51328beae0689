"""summary.json: what a finished run found, and what produced it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from autogrow.config.spec import AutogrowSpec, MorphSpec, RunSpec, to_json
from autogrow.networks.flops import costs_of
from autogrow.networks.growable import GrowableNetwork, depth_of
from autogrow.networks.names import NetworkName, format_depth
from autogrow.process.distributed import ALONE, World
from autogrow.runs.folder import spec_checksum
from autogrow.runs.provenance import cpu_model, git_commit, versions
from autogrow.training.metrics import Epoch

if TYPE_CHECKING:
    from autogrow.batches.sets import Sets
    from autogrow.data import ImageData
    from autogrow.training.unfinished import Halving

SCORES = (
    *("final_accuracy", "best_accuracy", "final_top5", "best_top5"),
    *("final_val_accuracy", "best_val_accuracy", "final_train_accuracy"),
)


def summarize(
    spec: RunSpec,
    network: GrowableNetwork,
    epochs: Sequence[Epoch],
    data: ImageData,
    sets: Sets,
    halvings: Sequence[Halving] = (),
    world: World = ALONE,
) -> dict[str, Any]:
    """Return the content of summary.json.

    Accuracies are in percent. ``best_accuracy`` is the test accuracy at the
    best validation epoch of the final network's schedule (fine-tuning; training
    of the deeper net; all of a baseline's), ``final_accuracy`` that of the last
    epoch; ``best_val_accuracy`` is the running maximum over the whole run.

    A run whose last loss was not finite has the status ``diverged`` and the
    accuracies of the epochs before; None if there is none. If the final network's
    schedule had none, those of the whole run count. ``diverged_after`` is the epoch
    from which on no loss was finite.

    ``micro_batch`` is the most images at once in the end (0: whole batches), and
    ``bn_images`` over how many of them Batch Normalization took its statistics then;
    ``out_of_memory`` says where a GPU's memory ran out.

    Parameters
    ----------
    spec
        The resolved spec.
    network
        The final network.
    epochs
        Every epoch of the run.
    data, sets
        What it was trained on.
    halvings
        Where a GPU's memory ran out.
    world
        The processes that trained it.
    """
    image, _ = next(sets.test.evaluation_batches(1))
    cost = costs_of(network.eval(), image)[-1]
    name = NetworkName(spec.architecture, depth_of(network))
    own = [e for e in epochs if e.phase != "adaminit"]
    if isinstance(spec, AutogrowSpec):
        schedule = [e for e in own if e.phase == "finetuning"]
    elif isinstance(spec, MorphSpec):
        schedule = own[spec.epochs :]
    else:
        schedule = own
    diverged = not own[-1].finite
    measured = [e for e in schedule if e.finite] or [e for e in own if e.finite]
    scores = dict.fromkeys(SCORES)
    if measured:
        best, last = max(measured, key=lambda e: e.val_accuracy), measured[-1]
        values = (last.test_accuracy, best.test_accuracy, last.test_top5, best.test_top5)
        values += (last.val_accuracy, last.best_val_accuracy, last.train_accuracy)
        scores = dict(zip(SCORES, values, strict=True))
    micro_batch = halvings[-1].micro_batch if halvings else spec.micro_batch
    share = -(-spec.batch_size // world.size)
    return {
        "status": "diverged" if diverged else "complete",
        "diverged_after": _divergence(own) if diverged else None,
        "kind": spec.kind,
        "network": str(name),
        "depth": format_depth(name.depth),
        "layers": cost.layers,
        "parameters": cost.parameters,
        "flops": cost.flops,
        **scores,
        "epochs": {
            phase: sum(e.phase == phase for e in epochs)
            for phase in ("growing", "adaminit", "finetuning", "training")
        },
        "adaminit": _adaminit(epochs),
        "seconds_growing": _seconds(epochs, "growing", "adaminit"),
        "seconds_finetuning": _seconds(epochs, "finetuning", "training"),
        "spec_checksum": spec_checksum(to_json(spec)),
        "protocol": spec.protocol,
        "seed": spec.seed,
        "data": {
            "name": data.name,
            "training_images": len(sets.train),
            "validation_images": len(sets.val),
            "test_images": len(sets.test),
            "damaged_images": own[-1].skipped,
            "image_size": data.image_size,
            "image_channels": data.channels,
            "classes": data.n_classes,
            "mean": list(data.mean),
            "std": list(data.std),
            "statistics": data.statistics_source,
            "crop_padding": sets.train.padding,
            "flip": sets.train.flip,
            "checksum": data.checksum,
        },
        "versions": versions(),
        "git_commit": git_commit(),
        "device": _device_name(sets.train.device),
        "threads": torch.get_num_threads(),
        "processes": world.size,
        "micro_batch": micro_batch,
        "bn_images": min(micro_batch or share, share) * (world.size if spec.sync_bn else 1),
        "out_of_memory": [asdict(halving) for halving in halvings],
    }


def in_one_line(summary: Mapping[str, Any]) -> str:
    """Return what a run found, as a sentence for the terminal."""
    final, best = summary["final_accuracy"], summary["best_accuracy"]
    found = "none"
    if final is not None:
        found = f"test accuracy {final:.2f} % at the end, {best:.2f} % at best"
    if summary["status"] == "diverged":
        found = (
            f"diverged: no finite loss from epoch {summary['diverged_after']} on; before: {found}"
        )
    seconds = summary["seconds_growing"] + summary["seconds_finetuning"]
    return (
        f"{summary['network']} on {summary['data']['name']}: {found}; "
        f"{summary['parameters']:,} parameters, {seconds:.0f} s"
    )


def _divergence(epochs: Sequence[Epoch]) -> int:
    """Return the first epoch of the last ones without a finite loss."""
    return 1 + max((e.epoch for e in epochs if e.finite), default=0)


def _adaminit(epochs: Sequence[Epoch]) -> list[dict[str, Any]]:
    """Return what each AdamInit took: epochs used, accuracy reached and aimed at."""
    uses: dict[int, dict[str, Any]] = {}
    before = 0.0
    for e in epochs:
        if e.phase != "adaminit":
            before = e.train_accuracy
            continue
        use = uses.setdefault(
            e.epoch, {"after_epoch": e.epoch, "epochs": 0, "old_train_accuracy": before}
        )
        use["epochs"] += 1
        use["train_accuracy"] = e.train_accuracy
    return list(uses.values())


def _seconds(epochs: Sequence[Epoch], *phases: str) -> float:
    return round(sum(e.seconds for e in epochs if e.phase in phases), 3)


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu ({cpu_model()})"
