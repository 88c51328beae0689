import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from analysis.landscapes.directions import random_direction
from analysis.landscapes.landscape import Landscape
from analysis.landscapes.trained import ImageSample
from autogrow.batches.in_memory import DeviceSet
from autogrow.data import Split
from autogrow.networks.growable import build_network
from autogrow.networks.names import parse_network
from autogrow.training.epoch import Score, evaluate


def images_of(n, side=8):
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (n, side, side, 1), dtype=np.uint8)
    split = Split(images=pixels, labels=generator.integers(0, 4, n))
    return DeviceSet(split, [0.5], [0.25], torch.device("cpu"), crop_padding=1)


def network_of(name="Basic3ResNet-1-2-1"):
    torch.manual_seed(0)
    network = build_network(parse_network(name), image_channels=1, classes=4, width=4)
    network.to(memory_format=torch.channels_last)
    # Running statistics that are not the initial ones.
    network.train()(torch.randn(32, 1, 8, 8))
    return network.eval()


def score(network, images):
    return evaluate(network, images)[0]


def landscape_of(network, images):
    dx, dy = (random_direction(network, seed=0, axis=name) for name in "xy")
    return Landscape(network, dx, dy, lambda moved: score(moved, images))


def state(network):
    return {n: t.clone() for n, t in network.state_dict().items()}


def same(one, two):
    return all(torch.equal(t, two[n]) for n, t in one.items())


def test_the_centre_is_the_network():
    network, images = network_of(), images_of(300)
    expected, _ = evaluate(network, images)
    found = landscape_of(network, images).at(0, 0)
    assert found.loss == pytest.approx(expected.loss, rel=1e-6)
    assert found.accuracy == expected.accuracy


def test_a_point_is_the_network_with_the_directions_added():
    """Against a second network whose parameters are set one by one."""
    network, images = network_of(), images_of(200)
    dx, dy = (random_direction(network, seed=0, axis=name) for name in "xy")
    moved = network_of()
    with torch.no_grad():
        for name, parameter in moved.named_parameters():
            parameter.copy_(parameter + 0.3 * dx[name] - 0.7 * dy[name])
    found = landscape_of(network, images).at(0.3, -0.7)
    assert found.loss == pytest.approx(evaluate(moved, images)[0].loss, rel=1e-5)
    assert found.loss != pytest.approx(evaluate(network, images)[0].loss, rel=1e-4)


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_a_network_moved_and_back_is_unchanged_to_the_bit(x, y):
    network = network_of("Plain3Net-1-1-1")
    before = state(network)
    landscape = landscape_of(network, None)
    with landscape.moved(x, y):
        assert (x, y) == (0, 0) or not same(before, network.state_dict()) or abs(x) + abs(y) < 1e-6
    assert same(before, network.state_dict())


def test_a_network_is_back_in_place_when_measuring_fails():
    network = network_of()
    before = state(network)
    landscape = Landscape(
        network, *[random_direction(network, seed=0, axis=a) for a in "xy"], lambda _: 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        landscape.at(1, 1)
    assert same(before, network.state_dict())


def test_a_quadratic_loss_gives_a_quadratic_surface():
    """Half the squared norm of c + x a + y b, whose values are known."""
    point = nn.Module()
    point.p, point.q = nn.Parameter(torch.tensor([1.0, 2.0])), nn.Parameter(torch.tensor([[3.0]]))
    a = {"p": torch.tensor([1.0, 0.0]), "q": torch.tensor([[2.0]])}
    b = {"p": torch.tensor([0.0, -1.0]), "q": torch.tensor([[1.0]])}

    def half_square(module):
        return Score(
            sum(0.5 * float((p.detach().double() ** 2).sum()) for p in module.parameters()), 0.0
        )

    landscape = Landscape(point, a, b, half_square)
    # c.c = 14, c.a = 7, c.b = 1, a.a = 5, b.b = 2, a.b = 2
    for x in (-1.0, -0.25, 0.0, 0.5):
        for y in (-0.5, 0.0, 2.0):
            expected = 7 + 7 * x + y + 2.5 * x * x + y * y + 2 * x * y
            assert landscape.at(x, y).loss == pytest.approx(expected, abs=1e-6)


def test_losses_that_are_not_finite_do_not_stop_it():
    network, images = network_of(), images_of(50)
    before = state(network)
    found = landscape_of(network, images).at(1e30, 0)
    assert not np.isfinite(found.loss)
    assert same(before, network.state_dict())


@pytest.mark.parametrize("size", [1, 7, 700])
def test_a_sample_is_images_of_the_set_without_repetition(size):
    images = images_of(700)
    sample = ImageSample(images, size)
    [(x, labels)] = sample.evaluation_batches(1000)
    [(all_x, all_labels)] = images.evaluation_batches(1000)
    assert len(sample) == len(x) == size
    places = [int((all_x == image).flatten(1).all(1).nonzero()) for image in x]
    assert len(set(places)) == size
    assert places == sorted(places)
    assert labels.tolist() == all_labels[places].tolist()
    assert torch.equal(next(ImageSample(images, size).evaluation_batches(1000))[0], x)


def test_the_score_of_a_sample_of_all_is_that_of_the_set():
    network, images = network_of(), images_of(700)
    found, expected = score(network, ImageSample(images, 700)), score(network, images)
    assert found.loss == pytest.approx(expected.loss, rel=1e-6)
    assert found.accuracy == expected.accuracy
