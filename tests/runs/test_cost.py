"""Multiply-adds of training, from epochs made up by hand."""

import pytest
import torch

from autogrow.networks.flops import flops_by_depth, network_costs
from autogrow.networks.growable import build_network
from autogrow.networks.names import ARCHITECTURES, NetworkName
from autogrow.runs.cost import training_flops
from autogrow.training.metrics import Epoch


def epoch(phase, depth):
    return Epoch(1, phase, depth, 0.1, 1.0, 50.0, 1.0, 50.0, 50.0, 50.0, 1.0)


def test_an_epoch_costs_three_forward_passes_of_its_own_depth():
    grown = [("growing", "1-1-1"), ("adaminit", "2-1-1"), ("growing", "2-1-1")]
    epochs = [epoch(*e) for e in (*grown, ("finetuning", "2-2-1"), ("finetuning", "2-2-1"))]
    spent = training_flops(epochs, ARCHITECTURES["Basic3ResNet"], 10, lambda depth: sum(depth))
    assert spent == {"growing": 30 * (3 + 4), "adaminit": 30 * 4, "finetuning": 30 * (5 + 5)}
    assert training_flops([], ARCHITECTURES["Plain3Net"], 10, sum) == {}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_cost_of_each_depth_on_the_way_is_that_of_its_network(name):
    architecture = ARCHITECTURES[name]
    shape = {"image_channels": 3, "classes": 7, "width": 2, "shortcut": "A"}
    deepest, way = ((3, 1, 4, 2), (2, 1, 3, 1))
    network = build_network(
        NetworkName(architecture, deepest[: architecture.sub_networks]), **shape
    )
    by_depth = flops_by_depth(network.eval(), torch.zeros(1, 3, 32, 32))
    for depth in (deepest, way, (1, 1, 1, 1)):
        depth = depth[: architecture.sub_networks]
        whole = network_costs(NetworkName(architecture, depth), image_size=32, **shape)[-1]
        assert by_depth(depth) == whole.flops
