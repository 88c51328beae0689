"""The twin of a network that grows, and what undoing a growth leaves."""

import pytest
import torch
from small_networks import digit_images, sgd, small_network

from autogrow.networks.growable import depth_of, stack_sub_module
from autogrow.training.epoch import compare, evaluate, train_epoch
from autogrow.training.twin import cut_back, take_over, twin_of


def adam(network):
    return torch.optim.Adam(
        [
            {"params": [p for p in network.parameters() if p.dim() > 1]},
            {"params": [p for p in network.parameters() if p.dim() <= 1], "lr": 0.01},
        ],
        lr=0.002,
    )


def epoch(network, optimizer, number, images):
    batches = images.training_batches(32, seed=0, epoch=number)
    return train_epoch(network, optimizer, batches)


def weights(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(t, other[n]) for n, t in one.items())


@pytest.mark.parametrize("optimizer_of", [sgd, adam])
def test_an_undone_growth_leaves_what_training_without_it_would(optimizer_of):
    images = digit_images(128)
    network, never = small_network(), small_network()
    optimizer, other = optimizer_of(network), optimizer_of(never)
    for number in (1, 2):
        epoch(network, optimizer, number, images)
        epoch(never, other, number, images)
    twin = twin_of(network, optimizer)
    assert twin.network is not network
    stack_sub_module(network, 1, seed=3, optimizer=optimizer)
    before = weights(twin.network)
    epoch(network, optimizer, 3, images)
    assert same(before, twin.network.state_dict())  # the two share nothing
    grown = weights(network)
    epoch(twin.network, twin.optimizer, 3, images)
    assert same(grown, network.state_dict())
    epoch(never, other, 3, images)
    take_over(network, optimizer, twin)
    assert depth_of(network) == (1, 1, 1)
    assert same(network.state_dict(), never.state_dict())
    there = {id(p) for p in network.parameters()}
    assert {id(p) for g in optimizer.param_groups for p in g["params"]} == there
    assert {id(p) for p in optimizer.state} == there
    # Momentum and steps too: training goes on as if nothing had grown.
    epoch(network, optimizer, 4, images)
    epoch(never, other, 4, images)
    assert same(network.state_dict(), never.state_dict())


def test_cutting_back_takes_parameters_from_the_optimizer():
    network = small_network()
    optimizer = sgd(network)
    before = [id(p) for p in optimizer.param_groups[0]["params"]]
    for i in (0, 2):
        stack_sub_module(network, i, seed=1, optimizer=optimizer)
    epoch(network, optimizer, 1, digit_images(32))
    cut_back(network, (1, 1, 1), optimizer)
    assert [id(p) for p in optimizer.param_groups[0]["params"]] == before
    assert {id(p) for p in optimizer.state} == set(before)


def test_images_on_which_two_networks_disagree_are_counted():
    images = digit_images(300)
    one, other = small_network(seed=1), small_network(seed=2)
    epoch(one, sgd(one), 1, images)
    trial = compare(one, other, images)
    (_, right), (_, too) = (evaluate(network, images)[0] for network in (one, other))
    assert trial.images == 300
    assert trial.difference == pytest.approx(right - too, abs=1e-3)
    assert trial.gained + trial.lost <= 300
    assert trial.gained > 0
    assert compare(one, one, images)[1:] == (0, 0)
    assert compare(other, one, images) == (300, trial.lost, trial.gained)
