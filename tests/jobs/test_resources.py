"""What jobs ask for follows from the run and from config.yaml and slurm/cluster.yaml."""

from pathlib import Path

import pytest
import yaml

from analysis.experiments.catalogue import load_catalogue
from analysis.experiments.settings import parse_settings, prepare_environment
from analysis.jobs.resources import cpu_resources, kind_of, landscape_resources, run_resources
from autogrow.config.resolving import resolve
from autogrow.config.spec import AutogrowSpec, MorphSpec, ScratchSpec
from autogrow.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
SMALL = resolve(AutogrowSpec(network="Basic3ResNet", data="CIFAR10"))
DEPTHS = {"from_network": "Basic4ResNet-1-1-1-1", "to_network": "Basic4ResNet-2-2-2-2"}
MORPH = resolve(MorphSpec(**DEPTHS, data="CIFAR10"))
IMAGENET = resolve(ScratchSpec(network="Plain4Net-6-6-6-6", data="ImageNet"))


def settings(cluster=None, **changed):
    """The settings of a call with --profile slurm, and with these ones of --config."""
    values = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    values |= yaml.safe_load((ROOT / "slurm/cluster.yaml").read_text()) | changed
    values["cluster"] = {**values["cluster"], **(cluster or {})}
    return parse_settings(values, "config")


def local(**changed):
    values = yaml.safe_load((ROOT / "config/config.yaml").read_text()) | changed
    return parse_settings(values, "config")


def test_without_a_cluster_jobs_ask_for_what_this_machine_has():
    assert run_resources(local(), SMALL, 1) == {
        "device": "cpu",
        "gpu": 0,
        "gpu_share": 0,
        "cpu_threads": 1,
        "launcher": "autogrow",
        "checkpoints": "--checkpoint-epochs 1 --checkpoint-minutes 10.0",
    }
    on_gpu = run_resources(local(device="cuda:0"), IMAGENET, 3)
    assert (on_gpu["gpu"], on_gpu["gpu_share"], on_gpu["cpu_threads"]) == (1, 100, 3)
    assert on_gpu["launcher"] == "autogrow"


def test_how_often_runs_write_checkpoints():
    often = local(checkpoints={"epochs": "5", "minutes": 0.5})  # text, as --config gives it
    told = run_resources(often, SMALL, 1)["checkpoints"]
    assert told == "--checkpoint-epochs 5 --checkpoint-minutes 0.5"
    with pytest.raises(UserError, match=r"checkpoints\.minutes: found 0"):
        local(checkpoints={"epochs": 1, "minutes": 0})


def test_a_gpu_is_shared_by_small_networks_and_not_on_imagenet():
    shares = [run_resources(local(device="cuda"), r, 1)["gpu_share"] for r in (SMALL, MORPH)]
    assert shares == [25, 50]
    assert run_resources(local(device="cuda"), IMAGENET, 1)["gpu_share"] == 100


def test_the_profile_is_the_papers_scale_on_gpus():
    assert settings().scale == "paper"
    assert settings().device == "cuda"


def test_a_small_network_gets_one_gpu_and_imagenet_four_for_days():
    small, large = (run_resources(settings(), run, 1) for run in (SMALL, IMAGENET))
    assert (small["gpu"], small["launcher"]) == (1, "autogrow")
    assert small["cpu_threads"] == "$SLURM_CPUS_PER_TASK"
    assert (large["gpu"], large["cpus_per_task"], large["nodes"]) == (4, 64, 1)
    assert large["launcher"] == "torchrun --standalone --nproc-per-node=4 -m autogrow"
    assert large["cpu_threads"] == "$((SLURM_CPUS_PER_TASK / 4))"
    assert large["runtime"] >= 2 * 24 * 60
    assert large["mem_mb"] > small["mem_mb"] >= 1000
    assert small["runtime"] < run_resources(settings(), MORPH, 1)["runtime"] < large["runtime"]


def test_without_gpus_none_is_asked_for():
    for run in (SMALL, IMAGENET):
        asked = run_resources(settings({"gpu_type": "a100", "shards": 4}, device="cpu"), run, 1)
        assert (asked["gpu"], asked["gpu_share"], asked["gres"]) == (0, 0, "")
        assert asked["gpu_model"] == ""
        assert asked["launcher"] == "autogrow"
    asked = cpu_resources(settings(), SMALL, 1)
    assert (asked["gpu"], asked["device"]) == (0, "cpu")


@pytest.mark.parametrize(
    ("shards", "run", "gres", "gpu"),
    [
        (4, SMALL, "shard:1", 0),  # 25 %
        (4, MORPH, "shard:2", 0),  # 50 %
        (3, SMALL, "shard:1", 0),  # rounded up
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


@pytest.mark.parametrize(
    ("cluster", "told"),
    [
        ({"partitions": "gpu"}, "unknown key 'cluster.partitions'"),
        ({"partition": "gpu; rm"}, "cluster.partition: found 'gpu; rm'"),
        ({"shards": 0}, "cluster.shards: found 0"),
        ({"jobs": {}}, "cluster.jobs: found {}; allowed: a size for each of"),
    ],
)
def test_a_malformed_cluster_is_told_with_its_key(cluster, told):
    with pytest.raises(UserError) as caught:
        settings(cluster)
    assert told in str(caught.value)


def test_a_malformed_job_is_told_with_its_key():
    jobs = settings().model_dump()["cluster"]["jobs"]
    for size, told in (
        ({"hours": 0}, "cluster.jobs.ImageNet.hours: found 0"),
        ({"cpus": 3}, "cluster.jobs.ImageNet.cpus: found 3; allowed: 4 or more"),
    ):
        with pytest.raises(UserError) as caught:
            settings({"jobs": {**jobs, "ImageNet": {**jobs["ImageNet"], **size}}})
        assert told in str(caught.value)
    landscape = {**jobs["landscape"], "gpus": 2}
    with pytest.raises(UserError, match="allowed: one GPU for landscape"):
        settings({"jobs": {**jobs, "landscape": landscape}})


def test_a_numbered_gpu_is_refused_on_a_cluster():
    with pytest.raises(UserError, match="allowed on a cluster: auto, cpu or cuda"):
        settings(device="cuda:1")


def test_numbers_of_the_command_line_may_be_text():
    assert run_resources(settings({"shards": "4"}), SMALL, 1)["gres"] == "shard:1"


def test_scratch_is_a_folder_of_the_machine_that_reads_it(monkeypatch):
    monkeypatch.setenv("AUTOGROW_SCRATCH", "/another/machines")
    monkeypatch.setenv("TMPDIR", "/local/disk")
    monkeypatch.setenv("PATH", "/bin")
    import os

    prepare_environment(settings({"scratch": "$TMPDIR/autogrow"}))
    assert os.environ["AUTOGROW_SCRATCH"] == "/local/disk/autogrow"
