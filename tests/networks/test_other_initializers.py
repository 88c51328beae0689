"""Initializers beside AutoGrow's: what a new sub-module does before it is trained."""

import json

import pytest
import torch
from small_networks import digit_images, sgd, small_network

from autogrow.errors import UserError
from autogrow.networks.growable import stack_sub_module
from autogrow.networks.initializers import initialize
from autogrow.training.epoch import train_epoch

RESIDUAL = ["Basic3ResNet-1-1-1", "Bottleneck4ResNet-1-1-1-1"]
PLAIN = ["Plain3Net-1-1-1", "Plain4Net-1-1-1-1"]


def stacked(network, i, initializer):
    below = network.sub_networks[i][-1]
    new = stack_sub_module(network, i, seed=7)
    initialize(new, initializer, seed=8, below=below)
    return new, below


def trained(name):
    network = small_network(name)
    train_epoch(network, sgd(network), digit_images(96).training_batches(32, seed=0, epoch=1))
    return network.eval()


@pytest.mark.parametrize("name", RESIDUAL)
def test_net2deepernet_leaves_a_residual_network_as_it_was(name):
    network, images = trained(name), torch.randn(4, 1, 32, 32)
    with torch.no_grad():
        before = network(images)
        for i in range(len(network.sub_networks)):
            stacked(network, i, "Net2DeeperNet")[0].eval()
        assert torch.equal(network(images), before)


@pytest.mark.parametrize("name", PLAIN)
def test_net2deepernet_leaves_a_plain_network_as_it_was_in_evaluation_mode(name):
    network, images = trained(name), torch.randn(4, 1, 32, 32)
    with torch.no_grad():
        before = network(images)
        for i in range(len(network.sub_networks)):
            stacked(network, i, "Net2DeeperNet")[0].eval()
        # Batch Normalization divides by the root of 1 + 1e-5.
        assert torch.allclose(network(images), before, rtol=1e-3, atol=1e-4)


def test_net2deepernet_refuses_a_convolution_that_cannot_be_the_identity():
    network = small_network("Plain3Net-1-1-1")
    first = network.sub_networks[1][0]  # from 4 to 8 channels
    with pytest.raises(UserError, match="a convolution from 4 to 8 channels in 1 groups; allowed"):
        initialize(first, "Net2DeeperNet", seed=0)


@pytest.mark.parametrize("name", [*RESIDUAL, *PLAIN])
def test_duplication_copies_what_fits(name):
    network = trained(name)
    for i in range(len(network.sub_networks)):
        for _ in range(2):
            new, below = stacked(network, i, "Duplication")
            there = below.state_dict()
            for key, tensor in new.state_dict().items():
                fits = key in there and there[key].shape == tensor.shape
                assert fits or below is network.sub_networks[i][0]
                if fits:
                    assert torch.equal(tensor, there[key])
                    assert tensor.data_ptr() != there[key].data_ptr()


def test_duplication_leaves_the_rest_random():
    network = trained("Basic3ResNet-1-1-1")
    plain = stack_sub_module(trained("Basic3ResNet-1-1-1"), 1, seed=7)
    new, below = stacked(network, 1, "Duplication")
    assert below.conv1.weight.shape != new.conv1.weight.shape
    assert torch.equal(new.conv1.weight, plain.conv1.weight)
    assert torch.equal(new.conv2.weight, below.conv2.weight)


@pytest.mark.parametrize("initializer", ["Net2DeeperNet", "Duplication"])
@pytest.mark.parametrize("network", ["Basic3ResNet", "Plain3Net"])
def test_a_run_grows_with_it(tiny, cli, tmp_path, network, initializer):
    more = ["--network", network, "--initializer", initializer, "--out", tmp_path / "run"]
    assert cli(*tiny.grow, *more).status == 0
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["status"] == "complete"
    assert sum(map(int, summary["depth"].split("-"))) > 3


@pytest.mark.parametrize(
    "options",
    [
        ["fixed", "target=2-1-3"],
        ["one_shot", "target=2-1-3"],
        ["random_stop", "target=2-2-2", "lot=3"],
        ["fragrow", "target=2-1-3", "alpha=1.5"],
    ],
    ids=lambda o: o[0],
)
def test_a_run_grows_by_each_policy(tiny, cli, tmp_path, options, rows):
    policy, *parameters = options
    command = [*tiny.converge, "--policy", policy, "--policy-options", *parameters]
    assert cli(*command, "--out", tmp_path / "run").status == 0
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    if policy != "random_stop":
        assert summary["depth"] == "2-1-3"
    told = cli("replay", "--run", tmp_path / "run")
    assert told.status in (0, None), told.err
    [line] = told.out.splitlines()[1:]
    assert line.startswith(f"{policy},2,,")
    assert line.split(",")[4] == summary["depth"]
    assert line.endswith(",")  # no decision differs
