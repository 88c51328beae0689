"""What a job of the workflow asks for: GPUs here; CPUs, memory and time too on a cluster.

All of it follows from what the run is and from config/config.yaml and slurm/cluster.yaml.
"""

from __future__ import annotations

from typing import Any

from analysis.experiments.settings import LANDSCAPE, Settings
from autogrow.config.resolved import ResolvedSpec


def kind_of(run: ResolvedSpec) -> str:
    """Return what a run is to a machine: ``ImageNet``, else its architecture."""
    return run.data if run.data == "ImageNet" else run.architecture.name


def run_resources(settings: Settings, run: ResolvedSpec, threads: int) -> dict[str, int | str]:
    """Return the resources of a run's job, by Snakemake's names.

    ``threads`` is how many Snakemake gives the job.
    """
    kind = kind_of(run)
    found = _resources(settings, kind, kind, threads)
    # Several GPUs: one process for each, on one node.
    several = f"torchrun --standalone --nproc-per-node={found['gpu']} -m autogrow"
    often = settings.checkpoints
    return {
        **found,
        "launcher": several if found["gpu"] > 1 else "autogrow",
        "checkpoints": f"--checkpoint-epochs {often.epochs} --checkpoint-minutes {often.minutes}",
    }


def landscape_resources(
    settings: Settings, run: ResolvedSpec, threads: int
) -> dict[str, int | str]:
    """Return the resources of a job that computes a block of the loss around a run's network."""
    return _resources(settings, LANDSCAPE, kind_of(run), threads)


def cpu_resources(settings: Settings, run: ResolvedSpec, threads: int) -> dict[str, int | str]:
    """Return the resources of a short job around a run's network that needs no GPU."""
    without = settings.model_copy(update={"device": "cpu"})
    return landscape_resources(without, run, threads)


def _resources(settings: Settings, job: str, share: str, threads: int) -> dict[str, Any]:
    """Return the resources of a job, with the share of a GPU that a kind of run takes.

    Which keys there are depends on the settings alone: a rule must name them.
    """
    on_gpu, cluster = settings.device != "cpu", settings.cluster
    percent = settings.gpu_share[share] if on_gpu else 0
    found: dict[str, Any] = {
        "device": settings.device,
        "gpu": int(on_gpu),
        "gpu_share": percent,
        "cpu_threads": threads,
    }
    if cluster is None:
        return found
    size = cluster.jobs[job]
    gpus = size.gpus if on_gpu else 0
    shards = -(-percent * (cluster.shards or 0) // 100)
    shared = gpus == 1 and 0 < shards < (cluster.shards or 0)
    found |= {
        "gpu": 0 if shared else gpus,
        "cpus_per_task": size.cpus,
        # The cores of the machine that submits limit Snakemake's threads.
        "cpu_threads": f"$((SLURM_CPUS_PER_TASK / {gpus}))" if gpus > 1 else "$SLURM_CPUS_PER_TASK",
        "mem_mb": 1000 * size.mem_gb,
        "runtime": 60 * size.hours,
        "nodes": 1,
    }
    # A key that is not there leaves Snakemake's --default-resources their say.
    if cluster.partition is not None:
        found["slurm_partition"] = cluster.partition
    if cluster.account is not None:
        found["slurm_account"] = cluster.account
    if cluster.shards is not None:
        found["gres"] = f"shard:{shards}" if shared else ""
    if cluster.gpu_type is not None:
        found["gpu_model"] = cluster.gpu_type if found["gpu"] else ""
    return found
