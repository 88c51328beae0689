"""Multiply-adds of training, from epochs made up by hand."""

import pytest

from autogrow.networks.flops import flops_by_depth, network_costs
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
def test_the_cost_of_a_depth_is_that_of_the_network(name):
    architecture = ARCHITECTURES[name]
    shape = {"image_size": 32, "image_channels": 3, "classes": 7, "width": 2, "shortcut": "A"}
    depth = (3, 1, 4, 2)[: architecture.sub_networks]
    whole = network_costs(NetworkName(architecture, depth), **shape)[-1]
    assert flops_by_depth(architecture, **shape)(depth) == whole.flops
