"""Runs of timm's networks: all that holds for the paper's networks holds for them."""

import json

import numpy as np
import pytest
import torch
import yaml
from carry_out import carry_out
from interrupting import interrupted_after
from run_results import results, summary
from safetensors.torch import load_file, save_file

import autogrow
from autogrow.data import load
from autogrow.files.yaml import read_yaml
from autogrow.training.optimizer import SGD

pytest.importorskip("timm")

TINY = ["--data", "digits", "--data-fraction", "0.1", "--batch-size", "32"]
TINY += ["--threads", "1", "--device", "cpu", "--quiet"]
GROW = ["grow", "--network", "timm:tiny_swin", *TINY, "--K", "1", "--J", "2", "--tau", "10"]
GROW += ["--finetune-epochs", "2"]


@pytest.fixture(scope="module", autouse=True)
def tiny_swin():
    import tiny_timm

    return tiny_timm


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("library_runs")


@pytest.fixture
def undisturbed(folder, cli):
    """A run that nothing disturbs."""
    assert cli(*GROW, "--out", folder / "undisturbed").status == 0
    return folder / "undisturbed"


def test_a_paused_run_ends_with_the_same_bytes(undisturbed, cli, tmp_path):
    with interrupted_after(3):
        assert cli(*GROW, "--out", tmp_path / "run").status == 130
    torch.manual_seed(99)  # what the process drew before plays no part
    assert cli(*GROW, "--out", tmp_path / "run").status == 0
    assert results(tmp_path / "run") == results(undisturbed)
    assert summary(undisturbed)["depth"] != "1-1"


def test_a_run_with_adaminit_paused_in_it_ends_with_the_same_bytes(cli, tmp_path):
    adam = [*GROW, "--initializer", "AdamInit"]
    assert cli(*adam, "--out", tmp_path / "whole").status == 0
    assert summary(tmp_path / "whole")["adaminit"]
    with interrupted_after(3):  # the second of AdamInit's first growth
        assert cli(*adam, "--out", tmp_path / "run").status == 130
    assert cli(*adam, "--out", tmp_path / "run").status == 0
    assert results(tmp_path / "run") == results(tmp_path / "whole")


def test_a_run_that_ends_inside_an_epoch_continues_to_the_same_bytes(
    undisturbed, cli, tmp_path, monkeypatch
):
    step, steps = SGD.step, []

    def killed(self):
        steps.append(1)
        if len(steps) == 13:
            raise RuntimeError("killed")
        step(self)

    often = ["--checkpoint-minutes", "0.00001"]
    with monkeypatch.context() as patch:
        patch.setattr(SGD, "step", killed)
        with pytest.raises(RuntimeError, match="killed"):
            cli(*GROW, *often, "--out", tmp_path / "run")
    assert cli(*GROW, *often, "--out", tmp_path / "run").status == 0
    assert "and 2 steps" in (tmp_path / "run/log.txt").read_text()
    assert results(tmp_path / "run") == results(undisturbed)


def test_the_found_net_is_read_back_by_us_and_by_the_library(undisturbed):
    found = summary(undisturbed)
    network = autogrow.load_network(undisturbed)
    names = {}
    exec(found["library_code"], names)
    theirs = names["network"]
    theirs.load_state_dict(load_file(undisturbed / "weights.safetensors"))
    x = torch.randn(2, 1, 8, 8)
    with torch.no_grad():
        assert torch.equal(network(x), theirs.eval()(x))
    assert found["parameters"] == sum(p.numel() for p in theirs.parameters())
    assert found["versions"]["timm"]
    assert found["network"] == f"timm:tiny_swin-{found['depth']}"


def test_the_paper_networks_have_no_new_settings_or_fields(cli, tiny, tmp_path):
    assert cli(*tiny.train, "--out", tmp_path / "run").status == 0
    assert "library_code" not in summary(tmp_path / "run")
    assert not any(key.startswith("pretrained") for key in read_yaml(tmp_path / "run/spec.yaml"))


def test_training_a_depth_and_the_one_that_was_found(undisturbed, cli, tmp_path):
    train = ["train", *TINY, "--epochs", "1"]
    one = cli(*train, "--network", "timm:tiny_swin-1-2", "--out", tmp_path / "one")
    assert one.status == 0
    assert summary(tmp_path / "one")["depth"] == "1-2"
    again = [*train, "--network", "timm:tiny_swin", "--depth-of", undisturbed]
    assert cli(*again, "--out", tmp_path / "found").status == 0
    assert summary(tmp_path / "found")["depth"] == summary(undisturbed)["depth"]
    spent = ["train", *TINY, "--network", "timm:tiny_swin-1-1", "--budget-of", undisturbed]
    assert cli(*spent, "--out", tmp_path / "spent").status == 0
    ours, theirs = (summary(o)["flops_training"] for o in (tmp_path / "spent", undisturbed))
    assert ours == pytest.approx(theirs, rel=0.2)


def test_the_code_that_builds_the_network_is_printed(cli, tmp_path):
    loud = [a for a in TINY if a != "--quiet"]
    told = cli("train", *loud, "--epochs", "1", "--network", "timm:tiny_swin-1-1", "--out",
               tmp_path / "run")  # fmt: skip
    assert told.status == 0
    assert "network = timm.create_model('tiny_swin', num_classes=10" in told.out


def test_pretrained_weights_are_the_seed_networks_and_their_checksum_is_recorded(cli, tmp_path):
    import timm

    torch.manual_seed(0)
    theirs = timm.create_model("tiny_swin", num_classes=4, in_chans=1, img_size=8, patch_size=1)
    file = tmp_path / "tiny.safetensors"
    save_file(theirs.state_dict(), file)
    # Nothing is learned: what the network ends with is what it began with.
    still = ["--epochs", "1", "--learning-rate", "1e-30", "--weight-decay", "0"]
    train = ["train", *TINY, *still, "--network", "timm:tiny_swin-1-2", "--pretrained", file]
    assert cli(*train, "--out", tmp_path / "run").status == 0
    there, here = theirs.state_dict(), load_file(tmp_path / "run/weights.safetensors")
    same = {n: t.shape == there[n].shape and torch.allclose(t, there[n]) for n, t in here.items()}
    differing = {name for name, is_same in same.items() if not is_same}
    assert differing == {"head.fc.weight", "head.fc.bias"}  # of ten classes
    spec = read_yaml(tmp_path / "run/spec.yaml")
    assert spec["pretrained"] == str(file)
    file.write_bytes(file.read_bytes() + b" ")
    wrong = cli("run", tmp_path / "run/spec.yaml", "--out", tmp_path / "again", "--quiet")
    assert wrong.status == 2
    assert f"allowed: {spec['pretrained_sha256']}, as pretrained_sha256 says" in wrong.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--network", "timm:tiny_swin", "--width", "4"], "width: found 4 .* allowed: none or 8"),
        (["--network", "timm:tiny_swin", "--shortcut", "A"], "shortcut: found 'A' with the netw"),
        (["--network", "timm:tiny_swim"], "no network 'tiny_swim'; .* as tiny_swin"),
        (["--network", "timm:tiny_swin", "--seed-depth", "1-1-1"], "names 3 sub-networks, timm:t"),
        (["--network", "timm:tiny_swin", "--pretrained", "no.safetensors"], "No such file"),
        (["--network", "Basic3ResNet", "--pretrained", "x"], "pretrained: found 'x' with the netw"),
        (["--network", "torchvision:resnet18"], "take images of 3 channels, timm's of any"),
    ],
)
def test_mistakes_are_told_before_anything_is_trained(mistake, tmp_path, options, told):
    import re

    assert re.search(told, mistake("grow", *options, *TINY, "--out", tmp_path / "run"))
    assert not (tmp_path / "run" / "metrics.csv").exists()


def test_info_tells_a_librarys_costs(cli):
    told = cli("info", "timm:tiny_swin-1-2", "--image-size", "16", "--channels", "1")
    assert told.status == 0
    assert "sub-network 1" in told.out
    assert "other parts" in told.out


def test_the_description_of_the_weights_names_the_images(undisturbed):
    from safetensors import safe_open

    with safe_open(undisturbed / "weights.safetensors", "pt") as content:
        description = json.loads(content.metadata()["network"])
    assert description["image_size"] == 8
    assert description["stem"] == "small"


def test_processes_in_step_grow_the_same_network(tmp_path):
    """DDP keeps a library's network in step, whatever each process drops at random."""
    digits = load("digits")
    few, others = slice(0, 96), slice(96, 128)
    np.savez(
        tmp_path / "images.npz",
        x_train=digits.train.images[few],
        y_train=digits.train.labels[few],
        x_test=digits.train.images[others],
        y_test=digits.train.labels[others],
    )
    spec = {"kind": "autogrow", "network": "timm:test_vit", "data": f"npz:{tmp_path}/images.npz"}
    spec |= {"batch_size": 48, "K": 1, "J": 2, "tau": 30.0, "finetune_epochs": 1}
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(spec))
    out = tmp_path / "run"
    statuses, told = carry_out(tmp_path / "spec.yaml", out, f"{out}-weights", 2)
    assert statuses == [0, 0], told
    assert summary(out)["processes"] == 2
    assert summary(out)["depth"] != "1"
    one, other = (load_file(f"{out}-weights-{rank}") for rank in range(2))
    assert all(torch.equal(t, other[n]) for n, t in one.items())
