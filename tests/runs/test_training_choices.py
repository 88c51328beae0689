"""Each choice of networks and training does what it says, and nothing else."""

import torch
from run_results import metrics, summary
from safetensors.torch import load_file
from torch import nn

import autogrow
from autogrow.cli.main import main
from autogrow.config.resolving import resolve
from autogrow.config.spec import parse_spec
from autogrow.data import load
from autogrow.networks.flops import network_costs
from autogrow.networks.names import format_depth, parse_network
from autogrow.networks.sub_modules import BasicBlock
from autogrow.training import trainer
from autogrow.training.building import build, new_optimizer, stack_one

DATA = load("digits")


def built(depth, grow_at=(), network="Basic3ResNet", **settings):
    settings = {"width": 4, "initializer": "AdamInit", "bn_weights": "uniform", **settings}
    given = {"kind": "autogrow", "network": network, "data": "digits", **settings}
    given["seed_depth"] = format_depth(depth)
    spec, device = resolve(parse_spec(given)), torch.device("cpu")
    network = build(spec, DATA, device, compiled=False)
    for i in grow_at:
        stack_one(spec, network, i, new_optimizer(spec, network), compiled=False)
    return network


def bn_weights(network):
    modules = network.named_modules()
    return {n: m.weight for n, m in modules if isinstance(m, nn.BatchNorm2d)}


def test_uniform_bn_weights_depend_on_seed_and_place_alone():
    at_once, grown = built((2, 1, 3)), built((1, 1, 1), grow_at=(2, 0, 2))
    weights, other = bn_weights(grown), bn_weights(built((2, 1, 3), seed=1))
    for name, weight in bn_weights(at_once).items():
        assert torch.equal(weight, weights[name])
        assert not torch.equal(weight, other[name])
    every = torch.cat([*weights.values()])
    assert len(every.unique()) == len(every)
    assert 0 < every.min() < 0.1 < 0.9 < every.max() < 1
    ones = built((2, 1, 3), bn_weights="ones").state_dict()
    changed = {n for n, t in at_once.state_dict().items() if not torch.equal(t, ones[n])}
    assert changed == {f"{name}.weight" for name in weights}
    assert all((ones[name] == 1).all() for name in changed)


def test_an_initializer_has_the_last_word_and_imagenets_stem_keeps_ones():
    zero = built((1, 1, 1), grow_at=[1], initializer="ZeroInit").sub_networks[1][1]
    assert not zero.last_bn.weight.any()
    assert (zero.bn1.weight < 1).all()
    stemmed = built((1, 1, 1, 1), [0], network="Basic4ResNet", stem="imagenet")
    assert all((weight == 1).all() for weight in bn_weights(stemmed).values())


def test_shortcut_a_is_every_second_pixel_and_channels_of_zeros():
    block = BasicBlock(3, 5, 2, "A").eval()
    nn.init.zeros_(block.last_bn.weight)
    x = torch.rand(2, 3, 5, 4, generator=torch.Generator().manual_seed(0))
    expected = torch.zeros(2, 5, 3, 2)
    expected[:, :3] = x[:, :, ::2, ::2]
    assert torch.equal(block(x), expected)


def test_a_run_with_shortcut_a_counts_and_loads_as_such(tiny, tmp_path):
    assert main([*tiny.grow, "--shortcut", "A", "--out", str(tmp_path)]) == 0
    found, network = summary(tmp_path), autogrow.load_network(tmp_path)
    weights = load_file(tmp_path / "weights.safetensors")
    assert not [name for name in weights if "shortcut" in name]
    assert network.state_dict().keys() == weights.keys()
    shape = {"image_size": 8, "image_channels": 1, "classes": 10, "width": 4}
    a, b = (network_costs(parse_network(found["network"]), **shape, shortcut=s)[-1] for s in "AB")
    assert (found["parameters"], found["flops"]) == (a.parameters, a.flops)
    # From 4 to 8 channels of 4x4 pixels, and from 8 to 16 of 2x2.
    assert b.flops - a.flops == 4 * 8 * 16 + 8 * 16 * 4
    assert b.parameters - a.parameters == 4 * 8 + 2 * 8 + 8 * 16 + 2 * 16


def test_kept_momentum_goes_over_into_the_second_training(tiny, tmp_path, monkeypatch):
    train_epoch, seen = trainer.train_epoch, []

    def watched(network, optimizer, *more, **options):
        seen.append([s["momentum_buffer"].clone() for s in optimizer.state.values()])
        score = train_epoch(network, optimizer, *more, **options)
        seen.append([s["momentum_buffer"].clone() for s in optimizer.state.values()])
        return score

    monkeypatch.setattr(trainer, "train_epoch", watched)
    assert main([*tiny.morph, "--morph-momentum", "kept", "--out", str(tmp_path)]) == 0
    assert 0 == len(seen[0]) < len(seen[7]) < len(seen[9])  # four epochs, then the deeper net
    for before, now in zip(seen[1:-1:2], seen[2::2], strict=True):
        assert all(torch.equal(a, b) for a, b in zip(before, now, strict=True))


def test_one_image_alone_is_trained_on_where_its_maps_are_large_enough(tiny, tmp_path, mistake):
    out, given = tmp_path / "run", [*tiny.train, "--batch-size", "26", "--epochs", "1"]
    given += ["--single-image", "own", "--out", str(out)]
    told = mistake(*given, "--network", "Basic4ResNet-1-1-1-1")
    assert "single_image: found own, where 287 images in batches of 26 leave one alone" in told
    assert not out.exists()
    assert main(given) == 0
    assert metrics(out)[0]["train_loss"] != "nan"
