import re

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import ResNet18_Weights, ResNet34_Weights, ResNet50_Weights

from autogrow.networks.flops import network_costs
from autogrow.networks.growable import build_network
from autogrow.networks.names import parse_network

IMAGENET = {"image_size": 224, "image_channels": 3, "classes": 1000, "stem": "imagenet"}
SMALL = {"image_size": 32, "image_channels": 3, "classes": 10}


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("Basic4ResNet-2-2-2-2", ResNet18_Weights),
        ("Basic4ResNet-3-4-6-3", ResNet34_Weights),
        ("Bottleneck4ResNet-3-4-6-3", ResNet50_Weights),
    ],
)
def test_flops_and_parameters_are_those_torchvision_publishes(name, weights):
    published = weights.IMAGENET1K_V1.meta
    total = network_costs(parse_network(name), **IMAGENET)[-1]
    assert round(total.flops / 1e9, 3) == published["_ops"]
    assert total.parameters == published["num_params"]


NETWORKS = [
    ("Basic3ResNet-2-3-1", SMALL),
    ("Plain3Net-1-2-3", SMALL),
    ("Basic4ResNet-1-2-1-2", SMALL),
    ("Plain4Net-1-1-2-1", IMAGENET),
    ("Bottleneck4ResNet-1-2-1-2", IMAGENET),
    ("Bottleneck4ResNet-1-2-1-2", {**IMAGENET, "shortcut": "A"}),
]


@pytest.mark.parametrize(("name", "options"), NETWORKS)
def test_flops_are_those_counted_layer_by_layer_and_parts_sum_to_the_total(name, options):
    shape = {k: v for k, v in options.items() if k != "image_size"}
    counted = 0

    def count(module, inputs, output):
        nonlocal counted
        if isinstance(module, nn.Conv2d):
            k = module.kernel_size[0]
            counted += k * k * module.in_channels * output.numel()
        elif isinstance(module, nn.Linear):
            counted += module.in_features * output.numel()

    with torch.device("meta"):
        network = build_network(parse_network(name), **shape).eval()
        for module in network.modules():
            module.register_forward_hook(count)
        network(torch.empty(1, 3, options["image_size"], options["image_size"]))
    *parts, total = network_costs(parse_network(name), **options)
    assert total.flops == counted
    assert total.parameters == sum(p.numel() for p in network.parameters())
    depth = parse_network(name).depth
    assert [(p.part, p.sub_modules) for p in (*parts, total)] == [
        ("stem", 0),
        *((f"sub-network {i}", d) for i, d in enumerate(depth)),
        ("head", 0),
        ("total", sum(depth)),
    ]
    for what in ("sub_modules", "layers", "parameters", "flops"):
        assert sum(getattr(p, what) for p in parts) == getattr(total, what)


def test_width_and_image_size_change_the_costs():
    name = parse_network("Basic3ResNet-2-2-2")
    paper = network_costs(name, **SMALL)[-1]
    assert network_costs(name, **SMALL, width=16)[-1] == paper
    assert network_costs(name, **SMALL, width=4)[-1].parameters < paper.parameters
    half = network_costs(name, **{**SMALL, "image_size": 16})[-1]
    assert half.parameters == paper.parameters
    assert 4 * half.flops == pytest.approx(paper.flops, rel=1e-3)


def table(text):
    """Part to (sub-modules, layers, parameters, FLOPs) of the table that info prints."""
    number = r"\s+([\d,]+)"
    cells = {}
    for line in text.splitlines():
        for pattern in (rf"(sub-network \d+|total){number * 4}", rf"(stem|head)(){number * 3}"):
            found = re.fullmatch(pattern, line)
            if found:
                part, *values = found.groups()
                cells[part] = tuple(int(v.replace(",", "") or 0) for v in values)
    return cells


def test_info_of_a_network_for_given_images(cli):
    size = ["--image-size", 224, "--channels", 3, "--classes", 1000]
    told = cli("info", "Basic4ResNet-2-2-2-2", *size)
    assert (told.status, told.err) == (0, "")
    expected = network_costs(parse_network("Basic4ResNet-2-2-2-2"), **IMAGENET)
    assert table(told.out) == {
        c.part: (c.sub_modules, c.layers, c.parameters, c.flops) for c in expected
    }
    assert table(told.out)["total"][2] == 11_689_512
    assert "1.814 GFLOPs" in told.out
    assert "224x224x3" in told.out
    assert "1000 classes" in told.out


@pytest.mark.parametrize(
    ("data", "size", "channels", "classes"),
    [("digits", 8, 1, 10), ("CIFAR100", 32, 3, 100), ("FashionMNIST", 32, 1, 10)],
)
def test_info_of_a_network_for_a_data_set(cli, data, size, channels, classes):
    told = cli("info", "Basic3ResNet-2-3-2", "--data", data)
    assert (told.status, told.err) == (0, "")
    given = ["--image-size", size, "--channels", channels, "--classes", classes]
    assert told.out == cli("info", "Basic3ResNet-2-3-2", *given).out
    assert table(told.out)["total"][:2] == (7, 16)


def test_info_of_a_network_for_a_users_own_data(cli, tmp_path, npz_arrays):
    np.savez(tmp_path / "own.npz", **npz_arrays)
    told = cli("info", "Plain3Net-1-1-1", "--data", f"npz:{tmp_path / 'own.npz'}")
    assert "8x8x3 images of 3 classes" in told.out


def test_info_has_defaults_and_takes_stem_and_width(cli):
    assert "32x32x3 images of 10 classes" in cli("info", "Basic3ResNet-1-1-1").out
    told = cli("info", "Plain4Net-1-1-1-1", "--stem", "imagenet", "--width", 8)
    cost = network_costs(parse_network("Plain4Net-1-1-1-1"), **SMALL, stem="imagenet", width=8)
    assert table(told.out)["total"][2:] == (cost[-1].parameters, cost[-1].flops)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["Basic3ResNet-1-1"], ["'1-1'", "Basic3ResNet", "allowed"]),
        (["Basic3ResNet-1-1-1", "--data", "digit"], ["'digit'", "digits", "folder:PATH"]),
        (["Basic3ResNet-1-1-1", "--data", "digits", "--classes", 3], ["--data", "--classes"]),
        (["Basic3ResNet-1-1-1", "--stem", "imagenet"], ["stem", "'imagenet'", "small"]),
        (["Basic3ResNet-1-1-1", "--image-size", 0], ["--image-size", "'0'"]),
        (["Basic3ResNet-1-1-1", "--classes", "ten"], ["--classes", "'ten'"]),
    ],
)
def test_mistakes_are_told_in_one_line(mistake, arguments, parts):
    line = mistake("info", *arguments)
    assert all(part in line for part in parts)
