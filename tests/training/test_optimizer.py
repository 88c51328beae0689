import pytest
import torch
from torch.nn.functional import cross_entropy

from autogrow.networks.growable import build_network, stack_sub_module
from autogrow.networks.names import parse_network
from autogrow.training.optimizer import SGD

SETTINGS = [
    {"lr": 0.1, "momentum": 0.9, "weight_decay": 5e-4},
    {"lr": 0.01, "momentum": 0.9, "weight_decay": 0},
    {"lr": 0.05, "momentum": 0, "weight_decay": 1e-4},
]


def network_of():
    torch.manual_seed(0)
    name = parse_network("Basic3ResNet-1-1-1")
    return build_network(name, image_channels=1, classes=3, width=4)


class GrowingSGD(torch.optim.SGD):
    """torch's fused SGD, which cannot take a first step of some parameters only."""

    def __init__(self, parameters, **settings):
        super().__init__(parameters, fused=True, **settings)

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


def assert_equal(mine, theirs, optimizers):
    for p, q in zip(mine.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(p, q)
        momenta = [
            o.state.get(r, {}).get("momentum_buffer")
            for o, r in zip(optimizers, (p, q), strict=True)
        ]
        assert (momenta[0] is None) == (momenta[1] is None)
        assert momenta[0] is None or torch.equal(*momenta)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_equals_torchs_to_the_bit_also_while_growing(settings):
    mine, theirs = network_of(), network_of()
    optimizers = (SGD(mine.parameters(), **settings), GrowingSGD(theirs.parameters(), **settings))
    for number in range(9):
        for network, optimizer in zip((mine, theirs), optimizers, strict=True):
            step(network, optimizer, seed=number)
            if number % 3 == 2:  # a new parameter has no momentum yet, the old ones keep theirs
                stack_sub_module(network, number // 3, seed=number, optimizer=optimizer)
            if number == 5:
                optimizer.param_groups[0]["lr"] *= 0.1
        assert_equal(mine, theirs, optimizers)


def test_parameters_without_a_gradient_are_left_alone():
    network = network_of()
    optimizer = SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    network.head.weight.requires_grad_(False)
    before = network.head.weight.clone()
    step(network, optimizer, seed=0)
    assert torch.equal(network.head.weight, before)
    assert network.head.weight not in optimizer.state
    assert network.head.bias in optimizer.state
