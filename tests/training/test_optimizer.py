import pytest
import torch
from small_networks import sgd, small_network
from torch.nn.functional import cross_entropy

from autogrow.networks.growable import stack_sub_module


class GrowingSGD(torch.optim.SGD):
    """torch's fused SGD, which cannot take a first step of some parameters only."""

    def step(self):
        [group] = self.param_groups
        everything = group["params"]
        old = [p for p in everything if self.state.get(p, {}).get("momentum_buffer") is not None]
        kept = {id(p) for p in old}
        for some in (old, [p for p in everything if id(p) not in kept]):
            group["params"] = some
            super().step()
        group["params"] = everything


def step(network, optimizer, seed):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(6, 1, 8, 8, generator=generator)
    labels = torch.randint(3, (6,), generator=generator)
    optimizer.zero_grad()
    cross_entropy(network(images), labels).backward()
    optimizer.step()


def content(network, optimizer):
    """Parameters and momenta; no momentum and none yet are the same."""
    parameters = list(network.parameters())
    momenta = [optimizer.state.get(p, {}).get("momentum_buffer") for p in parameters]
    return parameters, [m for m in momenta if m is not None]


@pytest.mark.parametrize(
    "settings",
    [
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 5e-4},
        {"lr": 0.01, "momentum": 0.9, "weight_decay": 0},
        {"lr": 0.05, "momentum": 0, "weight_decay": 1e-4},
    ],
    ids=str,
)
def test_equals_torchs_to_the_bit_also_while_growing(settings):
    mine, theirs = small_network(classes=3), small_network(classes=3)
    own = sgd(mine, **settings)
    torchs = GrowingSGD(theirs.parameters(), fused=True, **settings)
    for number in range(9):
        for network, optimizer in ((mine, own), (theirs, torchs)):
            step(network, optimizer, seed=number)
            if number % 3 == 2:  # a new parameter has no momentum yet, the old ones keep theirs
                stack_sub_module(network, number // 3, seed=number, optimizer=optimizer)
            if number == 5:
                optimizer.param_groups[0]["lr"] *= 0.1
        for some, others in zip(content(mine, own), content(theirs, torchs), strict=True):
            assert all(torch.equal(p, q) for p, q in zip(some, others, strict=True))


def test_parameters_without_a_gradient_are_left_alone():
    network = small_network(classes=3)
    optimizer = sgd(network)
    network.head.weight.requires_grad_(False)
    before = network.head.weight.clone()
    step(network, optimizer, seed=0)
    assert torch.equal(network.head.weight, before)
    assert network.head.weight not in optimizer.state
    assert network.head.bias in optimizer.state
