import numpy as np
import pytest
import torch

from analysis.landscapes.landscape import Landscape, random_direction
from analysis.landscapes.trained import ImageSample
from autogrow.batches.in_memory import DeviceSet
from autogrow.data import Split
from autogrow.networks.growable import build_network
from autogrow.networks.names import parse_network
from autogrow.training.epoch import evaluate


def images_of(n, side=8):
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (n, side, side, 1), dtype=np.uint8)
    split = Split(images=pixels, labels=generator.integers(0, 4, n))
    return DeviceSet(split, [0.5], [0.25], torch.device("cpu"), crop_padding=1)


def network_of():
    network = plain("Basic3ResNet-1-2-1").to(memory_format=torch.channels_last)
    # Running statistics that are not the initial ones.
    network.train()(torch.randn(32, 1, 8, 8))
    return network.eval()


def landscape_of(network, measure):
    dx, dy = (random_direction(network, seed=0, axis=name) for name in "xy")
    return Landscape(network, dx, dy, measure)


def score(network, images):
    return evaluate(network, images)[0]


@pytest.mark.parametrize(("x", "y"), [(0.3, -0.7), (-1, 0), (0, 0.5), (-0.25, 2)])
def test_a_point_is_the_network_with_the_directions_added(x, y):
    """Against a second network whose parameters are set one by one."""
    network, images = network_of(), images_of(200)
    dx, dy = (random_direction(network, seed=0, axis=name) for name in "xy")
    moved = network_of()
    with torch.no_grad():
        for name, parameter in moved.named_parameters():
            parameter.copy_(parameter + x * dx[name] + y * dy[name])
    found = landscape_of(network, lambda network: score(network, images)).at(x, y)
    assert found.loss == pytest.approx(score(moved, images).loss, rel=1e-5)
    assert found.loss != pytest.approx(score(network, images).loss, rel=1e-4)


@pytest.mark.parametrize("x", [-1e3, 0.1, 1e30])
def test_a_network_moved_and_back_is_unchanged_to_the_bit(x):
    """Also where its loss is not finite, and when measuring fails."""
    network, images = network_of(), images_of(50)
    before = {n: t.clone() for n, t in network.state_dict().items()}

    def same():
        return all(torch.equal(t, before[n]) for n, t in network.state_dict().items())

    found = landscape_of(network, lambda moved: (score(moved, images).loss, same())).at(x, 0.2)
    assert (np.isfinite(found[0]), found[1]) == (x < 1e30, False)
    assert same()
    with pytest.raises(ZeroDivisionError):
        landscape_of(network, lambda _: 1 / 0).at(x, 0.2)
    assert same()


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


def plain(name):
    torch.manual_seed(0)
    return build_network(parse_network(name), image_channels=1, classes=4, width=4)


@pytest.mark.parametrize("name", ["Basic3ResNet-1-2-1", "Plain4Net-1-1-2-1"])
def test_each_filter_has_the_norm_of_the_networks_filter(name):
    network = plain(name)
    with torch.no_grad():
        network.stem.conv.weight[2] = 0
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
            assert row.norm().item() == pytest.approx(wanted.norm().item(), rel=1e-6, abs=0)
            # Gaussian, not a copy of the filter.
            assert abs(torch.cosine_similarity(row.ravel(), wanted.ravel(), 0)) < 0.999
            filters += 1
    assert filters > 50


def test_networks_share_the_noise_where_they_share_parameters():
    shallow, deep = plain("Plain3Net-1-1-1"), plain("Plain3Net-2-1-3")
    # Equal weights, so that equal noise is equal directions.
    deep.load_state_dict(shallow.state_dict(), strict=False)
    ours, theirs = (random_direction(n, seed=3, axis="y") for n in (shallow, deep))
    assert all(torch.equal(d, theirs[name]) for name, d in ours.items())
    new = theirs["sub_networks.2.1.conv.weight"], theirs["sub_networks.2.2.conv.weight"]
    assert abs(torch.cosine_similarity(new[0].ravel(), new[1].ravel(), 0)) < 0.2


@pytest.mark.parametrize("other", [{"seed": 1, "axis": "x"}, {"seed": 0, "axis": "y"}])
def test_seeds_and_axes_have_directions_of_their_own(other):
    network = plain("Plain3Net-1-1-1")
    one = random_direction(network, seed=0, axis="x")
    two = random_direction(network, **other)
    flat = [torch.cat([d.ravel() for d in direction.values()]) for direction in (one, two)]
    assert abs(torch.cosine_similarity(*flat, dim=0)) < 0.1
    again = random_direction(network, seed=0, axis="x")
    assert all(torch.equal(d, again[name]) for name, d in one.items())
