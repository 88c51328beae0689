"""summary.json: what a finished run found, and what produced it."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from autogrow import records
from autogrow.config import AutogrowSpec, MorphSpec, RunSpec
from autogrow.distributed import ALONE, World
from autogrow.flops import costs_of
from autogrow.names import NetworkName, format_depth
from autogrow.networks import GrowableNetwork, depth_of

if TYPE_CHECKING:
    from autogrow.data import ImageData
    from autogrow.sets import Sets


def summarize(
    spec: RunSpec,
    network: GrowableNetwork,
    epochs: Sequence[records.Epoch],
    data: ImageData,
    sets: Sets,
    world: World = ALONE,
) -> dict[str, Any]:
    """Return the content of summary.json.

    Accuracies are in percent. ``best_accuracy`` is the test accuracy at the
    best validation epoch of the final network's schedule (fine-tuning; training
    of the deeper net; all of a baseline's), ``final_accuracy`` that of the last
    epoch; ``best_val_accuracy`` is the running maximum over the whole run.

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
    best = max(schedule, key=lambda e: e.val_accuracy)
    last = schedule[-1]
    return {
        "status": "complete",
        "kind": spec.kind,
        "network": str(name),
        "depth": format_depth(name.depth),
        "layers": cost.layers,
        "parameters": cost.parameters,
        "flops": cost.flops,
        "final_accuracy": last.test_accuracy,
        "best_accuracy": best.test_accuracy,
        "final_top5": last.test_top5,
        "best_top5": best.test_top5,
        "final_val_accuracy": last.val_accuracy,
        "best_val_accuracy": last.best_val_accuracy,
        "final_train_accuracy": last.train_accuracy,
        "epochs": {
            phase: sum(e.phase == phase for e in epochs)
            for phase in ("growing", "adaminit", "finetuning", "training")
        },
        "adaminit": _adaminit(epochs),
        "seconds_growing": _seconds(epochs, "growing", "adaminit"),
        "seconds_finetuning": _seconds(epochs, "finetuning", "training"),
        "protocol": spec.protocol,
        "seed": spec.seed,
        "data": {
            "name": data.name,
            "training_images": len(sets.train),
            "validation_images": len(sets.val),
            "test_images": len(sets.test),
            "damaged_images": last.skipped,
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
        "versions": records.versions(),
        "git_commit": records.git_commit(),
        "device": _device_name(sets.train.device),
        "threads": torch.get_num_threads(),
        "processes": world.size,
    }


def _adaminit(epochs: Sequence[records.Epoch]) -> list[dict[str, Any]]:
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


def _seconds(epochs: Sequence[records.Epoch], *phases: str) -> float:
    return round(sum(e.seconds for e in epochs if e.phase in phases), 3)


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu ({cpu_model()})"


def cpu_model() -> str:
    """Return the name of this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
