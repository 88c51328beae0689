import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from autogrow.networks.flops import network_costs
from autogrow.networks.growable import build_network
from autogrow.networks.names import ARCHITECTURES, NetworkName
from autogrow.networks.sizes import Size, sizes_of_growth

SHAPE = {"image_channels": 3, "classes": 7, "width": 4}


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=lambda a: a.name)
@settings(max_examples=4)
@given(data=st.data())
def test_sizes_are_those_of_the_networks_at_these_depths(architecture, data):
    depths = st.tuples(*[st.integers(1, 4)] * architecture.sub_networks)
    seed, more = data.draw(depths), data.draw(depths)
    network = build_network(NetworkName(architecture, seed), **SHAPE)
    sizes = sizes_of_growth(network, torch.zeros(1, 3, 16, 16))
    for depth in (seed, tuple(s + m for s, m in zip(seed, more, strict=True))):
        total = network_costs(NetworkName(architecture, depth), image_size=16, **SHAPE)[-1]
        assert sizes.at(depth) == Size(total.parameters, total.flops)


def test_a_network_of_ones_own_is_left_as_it_is():
    class Dense(nn.Module):
        def __init__(self):
            super().__init__()
            self.sub_networks = nn.ModuleList([nn.Sequential(self.new_sub_module(0))])
            self.head = nn.Linear(6, 3)

        def new_sub_module(self, i):
            return nn.Sequential(nn.Linear(6, 6), nn.ReLU())

        def forward(self, x):
            return self.head(self.sub_networks[0](x.flatten(1)))

    network, state = Dense(), torch.get_rng_state()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    sizes = sizes_of_growth(network, torch.ones(1, 1, 2, 3))
    assert sizes.at((1,)) == Size(42 + 21, 36 + 18)
    assert sizes.at((4,)) == Size(4 * 42 + 21, 4 * 36 + 18)
    assert network.training
    assert network.state_dict().keys() == before.keys()
    assert all(torch.equal(t, before[name]) for name, t in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
