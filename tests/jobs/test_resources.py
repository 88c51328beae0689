"""What jobs ask for follows from the run and from config.yaml and slurm/cluster.yaml."""

import os
from pathlib import Path

import pytest
import yaml

from analysis.experiments.catalogue import load_catalogue
from analysis.experiments.settings import Settings, prepare_environment
from analysis.jobs.resources import cpu_resources, kind_of, landscape_resources, run_resources
from autogrow.config.pydantic_errors import validated
from autogrow.config.resolving import resolve
from autogrow.config.spec import AutogrowSpec, MorphSpec, ScratchSpec
from autogrow.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
SMALL = resolve(AutogrowSpec(network="Basic3ResNet", data="CIFAR10"))
DEPTHS = {"from_network": "Basic4ResNet-1-1-1-1", "to_network": "Basic4ResNet-2-2-2-2"}
MORPH = resolve(MorphSpec(**DEPTHS, data="CIFAR10"))
IMAGENET = resolve(ScratchSpec(network="Plain4Net-6-6-6-6", data="ImageNet"))


def local(**changed):
    values = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    return validated(Settings, values | changed, "config")


def settings(cluster=None, **changed):
    """The settings of a call with --profile slurm, and with these ones of --config."""
    values = yaml.safe_load((ROOT / "slurm/cluster.yaml").read_text()) | changed
    return local(**{**values, "cluster": {**values["cluster"], **(cluster or {})}})


def test_without_a_cluster_jobs_ask_for_what_this_machine_has():
    assert run_resources(local(), SMALL, 1) == {
        **{"device": "cpu", "gpu": 0, "gpu_share": 0, "cpu_threads": 1, "launcher": "autogrow"},
        "checkpoints": "--checkpoint-epochs 1 --checkpoint-minutes 10.0",
    }
    on_gpu = run_resources(local(device="cuda:0"), IMAGENET, 3)
    assert (on_gpu["gpu"], on_gpu["gpu_share"], on_gpu["cpu_threads"]) == (1, 100, 3)
    assert on_gpu["launcher"] == "autogrow"


def test_how_often_runs_write_checkpoints():
    often = local(checkpoints={"epochs": "5", "minutes": 0.5})  # text, as --config gives it
    options = run_resources(often, SMALL, 1)["checkpoints"]
    assert options == "--checkpoint-epochs 5 --checkpoint-minutes 0.5"


def test_a_gpu_is_shared_by_small_networks_and_not_on_imagenet():
    asked = [run_resources(local(device="cuda"), run, 1) for run in (SMALL, MORPH, IMAGENET)]
    assert [job["gpu_share"] for job in asked] == [25, 50, 100]


def test_a_small_network_gets_one_gpu_and_imagenet_four_for_days():
    assert (settings().scale, settings().device) == ("paper", "cuda")
    small, morph, large = (run_resources(settings(), run, 1) for run in (SMALL, MORPH, IMAGENET))
    assert (small["gpu"], small["launcher"]) == (1, "autogrow")
    assert small["cpu_threads"] == "$SLURM_CPUS_PER_TASK"
    assert (large["gpu"], large["cpus_per_task"], large["nodes"]) == (4, 64, 1)
    assert large["launcher"] == "torchrun --standalone --nproc-per-node=4 -m autogrow"
    assert large["cpu_threads"] == "$((SLURM_CPUS_PER_TASK / 4))"
    assert large["runtime"] >= 2 * 24 * 60
    assert large["mem_mb"] > small["mem_mb"] >= 1000
    assert small["runtime"] < morph["runtime"] < large["runtime"]


@pytest.mark.parametrize("run", [SMALL, IMAGENET])
def test_without_gpus_none_is_asked_for(run):
    asked = run_resources(settings({"gpu_type": "a100", "shards": 4}, device="cpu"), run, 1)
    assert (asked["gpu"], asked["gpu_share"], asked["gres"], asked["gpu_model"]) == (0, 0, "", "")
    assert asked["launcher"] == "autogrow"
    asked = cpu_resources(settings(), run, 1)
    assert (asked["gpu"], asked["device"]) == (0, "cpu")


@pytest.mark.parametrize(
    ("shards", "run", "gres", "gpu"),
    [
        (4, SMALL, "shard:1", 0),  # 25 %
        (4, MORPH, "shard:2", 0),  # 50 %
        (3, SMALL, "shard:1", 0),  # rounded up
        ("4", SMALL, "shard:1", 0),  # text, as --config gives it
        (1, SMALL, "", 1),  # a shard is a GPU
        (4, IMAGENET, "", 4),
    ],
)
def test_shards_are_the_share_of_a_gpu(shards, run, gres, gpu):
    asked = run_resources(settings({"shards": shards, "gpu_type": "a100"}), run, 1)
    assert (asked["gres"], asked["gpu"]) == (gres, gpu)
    # The plugin makes --gpus of a model even where no GPU is asked for.
    assert asked["gpu_model"] == ("a100" if gpu else "")


def test_a_landscape_takes_its_runs_share_of_one_gpu():
    asked = landscape_resources(settings({"shards": 4}), MORPH, 1)
    assert (asked["gres"], asked["gpu"]) == ("shard:2", 0)
    assert landscape_resources(settings(), SMALL, 1)["gpu"] == 1


def test_partition_and_account_are_asked_for_only_where_they_are_given():
    assert not {"slurm_partition", "slurm_account"} & {*run_resources(settings(), SMALL, 1)}
    asked = run_resources(settings({"partition": "gpu", "account": "mine"}), SMALL, 1)
    assert (asked["slurm_partition"], asked["slurm_account"]) == ("gpu", "mine")


@pytest.mark.parametrize("cluster", [{}, {"shards": 4, "gpu_type": "a100", "partition": "gpu"}])
@pytest.mark.parametrize("asked", [run_resources, landscape_resources, cpu_resources])
def test_every_run_has_the_same_keys(cluster, asked):
    given = settings(cluster)
    runs = load_catalogue("paper").runs.values()
    assert len({tuple(asked(given, run.spec, 1)) for run in runs}) == 1


def test_every_run_of_the_paper_has_a_kind():
    kinds = {kind_of(run.spec) for run in load_catalogue("paper").runs.values()}
    assert kinds == {"Basic3ResNet", "Plain3Net", "Basic4ResNet", "Plain4Net", "ImageNet"}


def jobs(kind, **size):
    """The jobs of the profile, one of them with another size."""
    given = settings().model_dump()["cluster"]["jobs"]
    return {"jobs": {**given, kind: {**given[kind], **size}}}


@pytest.mark.parametrize(
    ("cluster", "message"),
    [
        ({"partitions": "gpu"}, "unknown key 'cluster.partitions'"),
        ({"partition": "gpu; rm"}, "cluster.partition: found 'gpu; rm'"),
        ({"shards": 0}, "cluster.shards: found 0"),
        ({"jobs": {}}, "cluster.jobs: found {}; allowed: a size for each of"),
        (jobs("ImageNet", hours=0), "cluster.jobs.ImageNet.hours: found 0"),
        (jobs("ImageNet", cpus=3), "cluster.jobs.ImageNet.cpus: found 3; allowed: 4 or more"),
        (jobs("landscape", gpus=2), "allowed: one GPU for landscape"),
    ],
)
def test_a_malformed_cluster_is_reported_with_its_key(cluster, message):
    with pytest.raises(UserError) as caught:
        settings(cluster)
    assert message in str(caught.value)


def test_a_numbered_gpu_is_refused_on_a_cluster():
    with pytest.raises(UserError, match="allowed on a cluster: auto, cpu or cuda"):
        settings(device="cuda:1")


def test_scratch_is_a_folder_of_the_machine_that_reads_it(monkeypatch):
    for variable, value in (
        ("AUTOGROW_SCRATCH", "/another/machines"),
        ("TMPDIR", "/local/disk"),
        ("PATH", "/bin"),
        ("PYTHONPATH", "/packages"),
    ):
        monkeypatch.setenv(variable, value)
    prepare_environment(settings({"scratch": "$TMPDIR/autogrow"}))
    assert os.environ["AUTOGROW_SCRATCH"] == "/local/disk/autogrow"
