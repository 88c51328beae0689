import pytest
import torch

from analysis.landscapes.directions import random_direction
from autogrow.networks.growable import build_network
from autogrow.networks.names import parse_network


def network_of(name):
    torch.manual_seed(0)
    return build_network(parse_network(name), image_channels=1, classes=5, width=4)


@pytest.mark.parametrize("name", ["Basic3ResNet-1-2-1", "Plain4Net-1-1-2-1"])
def test_each_filter_has_the_norm_of_the_networks_filter(name):
    network = network_of(name)
    direction = random_direction(network, seed=0, axis="x")
    parameters = dict(network.named_parameters())
    assert direction.keys() == parameters.keys()
    filters = 0
    for key, parameter in parameters.items():
        d = direction[key]
        assert d.shape == parameter.shape
        if parameter.dim() == 1:
            assert not d.any()
            continue
        for row, wanted in zip(d, parameter, strict=True):
            assert row.norm().item() == pytest.approx(wanted.norm().item(), rel=1e-6)
            # Gaussian, not a copy of the filter.
            assert abs(torch.cosine_similarity(row.ravel(), wanted.ravel(), 0)) < 0.999
            filters += 1
    assert filters > 50


def test_a_filter_of_zeros_does_not_move():
    network = network_of("Plain3Net-1-1-1")
    with torch.no_grad():
        network.stem.conv.weight[2] = 0
    direction = random_direction(network, seed=0, axis="x")["stem.conv.weight"]
    assert [bool(row.any()) for row in direction] == [True, True, False, True]


def test_networks_share_the_noise_where_they_share_parameters():
    shallow, deep = network_of("Plain3Net-1-1-1"), network_of("Plain3Net-2-1-3")
    # Equal weights, so that equal noise is equal directions.
    deep.load_state_dict(shallow.state_dict(), strict=False)
    ours, theirs = (random_direction(n, seed=3, axis="y") for n in (shallow, deep))
    assert all(torch.equal(d, theirs[name]) for name, d in ours.items())
    new = theirs["sub_networks.2.1.conv.weight"], theirs["sub_networks.2.2.conv.weight"]
    assert abs(torch.cosine_similarity(new[0].ravel(), new[1].ravel(), 0)) < 0.2


@pytest.mark.parametrize("other", [{"seed": 1, "axis": "x"}, {"seed": 0, "axis": "y"}])
def test_seeds_and_axes_have_directions_of_their_own(other):
    network = network_of("Plain3Net-1-1-1")
    one = random_direction(network, seed=0, axis="x")
    two = random_direction(network, **other)
    flat = [torch.cat([d.ravel() for d in direction.values()]) for direction in (one, two)]
    assert abs(torch.cosine_similarity(*flat, dim=0)) < 0.1
    again = random_direction(network, seed=0, axis="x")
    assert all(torch.equal(d, again[name]) for name, d in one.items())
