"""Networks of timm and torchvision, grown: they must end as the library itself builds them."""

import random

import pytest
import torch
from safetensors.torch import save_file
from torch.utils.flop_counter import FlopCounterMode

from autogrow.errors import UserError
from autogrow.networks.compiling import compile_sub_modules
from autogrow.networks.flops import costs_of, flops_by_depth
from autogrow.networks.growable import depth_of, stack_sub_module
from autogrow.networks.initializers import initialize, last_norms
from autogrow.networks.libraries import library_model
from autogrow.networks.library_calls import Images
from autogrow.networks.library_network import library_network
from autogrow.networks.names import NetworkName, parse_architecture, parse_network
from autogrow.networks.pretrained import load_pretrained

pytest.importorskip("timm")

# The small ones of each family: what a family needs does not depend on the width.
FAMILIES = {
    "timm:resnet18": "bn2",
    "timm:resnext50_32x4d": "bn3",
    "timm:seresnet50": "bn3",
    "timm:resnetv2_50": "norm3",
    "timm:convnext_atto": "gamma",
    "timm:convnextv2_atto": "norm",
    "timm:regnetx_002": "conv3.bn",
    "timm:regnety_002": "conv3.bn",
    "timm:mobilenetv3_small_100": "bn3",
    "timm:efficientnet_b0": "bn3",
    "timm:vit_tiny_patch16_224": "norm1 norm2",
    "timm:deit_tiny_patch16_224": "norm1 norm2",
    "timm:swin_tiny_patch4_window7_224": "norm1 norm2",
    "torchvision:resnet18": "bn2",
    "torchvision:convnext_tiny": "layer_scale",
}


def images(name, size=32, classes=3, stem="small"):
    return Images(3 if name.startswith("torchvision") else 1, size, classes, stem)


def seed_network(name, **options):
    architecture = parse_architecture(name)
    return library_network(
        NetworkName(architecture, architecture.seed_depth), images(name, **options)
    )


def built_by_the_library(network):
    """What the code in a run's summary builds."""
    names = {}
    exec(network.library_code, names)
    return names["network"]


def drop_rates(network):
    return [
        getattr(m, "drop_prob", getattr(m, "p", None))
        for m in network.modules()
        if type(m).__name__ in ("DropPath", "StochasticDepth")
    ]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_grown_network_is_what_the_library_builds_at_that_depth(name):
    network = seed_network(name)
    assert set(depth_of(network)) == {1}
    order = random.Random(name)
    for step in range(3):
        i = order.randrange(len(network.sub_networks))
        new = stack_sub_module(network, i, seed=step)
        initialize(new, "GauInit", seed=step)
    assert " ".join(new.last_norms) == FAMILIES[name] or i == 0  # EfficientNets begin otherwise
    theirs = built_by_the_library(network)
    theirs.load_state_dict(network.state_dict())
    assert [n for n, _ in theirs.named_parameters()] == [n for n, _ in network.named_parameters()]
    x = torch.randn(2, network.images.channels, 32, 32)
    with torch.no_grad():
        assert torch.equal(network.eval()(x), theirs.eval()(x))
    assert drop_rates(network) == drop_rates(theirs)
    *parts, total = costs_of(network, x[:1])
    assert total.parameters == sum(p.numel() for p in theirs.parameters())
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        theirs.to("meta")(x[:1].to("meta"))
    assert total.flops == counter.get_total_flops() // 2
    assert flops_by_depth(network, x[:1])(depth_of(network)) == total.flops
    for key in ("sub_modules", "layers", "parameters", "flops"):
        assert sum(getattr(part, key) for part in parts) == getattr(total, key)


def test_every_new_block_of_a_library_is_initialized_by_the_library_from_its_seed():
    one, same, other = (seed_network("timm:test_vit").new_sub_module(0) for _ in range(3))
    networks = [seed_network("timm:test_vit") for _ in range(3)]
    before = torch.get_rng_state()
    one, same, other = (
        stack_sub_module(network, 0, seed=seed)
        for network, seed in zip(networks, (1, 1, 2), strict=True)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one.attn.qkv.weight, same.attn.qkv.weight)
    assert not torch.equal(one.attn.qkv.weight, other.attn.qkv.weight)
    assert one.attn.qkv.weight.std() < 0.03  # truncated normal of 0.02, not torch's default
    assert not one.attn.qkv.bias.any()


def test_zeroinit_makes_new_blocks_the_identity():
    for name in ("timm:test_resnet", "timm:test_convnext", "timm:test_vit"):
        network = seed_network(name).eval()
        x = torch.randn(2, network.images.channels, 32, 32)
        with torch.no_grad():
            before = network(x)
            for i in range(len(network.sub_networks)):
                initialize(stack_sub_module(network, i, seed=i), "ZeroInit", seed=i)
            assert torch.equal(network(x), before), name


def test_rates_of_stochastic_depth_follow_the_depth_as_in_the_library():
    network = seed_network("timm:swin_tiny_patch4_window7_224")
    before = drop_rates(network)
    stack_sub_module(network, 1, seed=0)
    after = drop_rates(network)
    assert before[-1] == after[-1] == pytest.approx(0.1)
    assert after[0] < before[0]


def test_a_new_block_of_swin_shifts_its_windows_where_the_library_does():
    network = library_network(
        parse_network("timm:swin_tiny_patch4_window7_224-1-1-1-1"),
        Images(3, 224, 3, "imagenet"),
    )
    for seed in range(2):
        stack_sub_module(network, 0, seed=seed)
    assert [block.shift_size for block in network.sub_networks[0]] == [(0, 0), (3, 3), (0, 0)]


@pytest.mark.parametrize("stem", ["small", "imagenet"])
def test_small_images_are_taken_by_timms_own_options(stem):
    vit = library_model("timm:vit_tiny_patch16_224").code([1], Images(1, 28, 5, stem))
    assert ("patch_size=4, img_size=28" in vit) == (stem == "small")
    resnet = library_model("timm:resnet18").code([1, 2, 1, 1], Images(1, 28, 5, stem))
    assert ("output_stride=8" in resnet) == (stem == "small")
    assert "in_chans=1" in resnet
    assert "layers=[1, 2, 1, 1]" in resnet


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("timm:resnet81", "timm has no network 'resnet81'; allowed: a name of timm's, as resnet"),
        ("timm:swin_tiny", "as swin_tiny_patch4_window7_224"),
        ("torchvision:resnet81", "torchvision has no network 'resnet81'.*as resnet"),
        ("timm:densenet121", "cannot be grown: a dense layer adds its channels"),
        ("timm:test_mambaout", "the stages of MambaOut are not known; allowed: networks of the"),
        ("torchvision:vgg11", "the stages of VGG are not known"),
        ("timm:../resnet18", "timm has no network"),
        ("keras:resnet18", "unknown architecture 'keras:resnet18'; allowed: .*timm:NAME"),
        ("timm:resnet18-1-1-1-1", "has a depth .'1-1-1-1'. where only the architecture"),
    ],
)
def test_names_that_cannot_be_grown_are_told(name, told):
    with pytest.raises(UserError, match=told):
        parse_architecture(name)


def test_a_depth_of_the_wrong_length_and_images_that_do_not_fit_are_told():
    with pytest.raises(UserError, match="names 2 sub-networks, timm:resnet18 has 4; allowed"):
        library_network(parse_network("timm:resnet18-1-1"), images("timm:resnet18"))
    with pytest.raises(UserError, match="take images of 3 channels"):
        library_network(parse_network("torchvision:resnet18-1-1-1-1"), images("timm:x"))
    with pytest.raises(UserError, match="16x16 pixels: example: ConvNeXt does not take images"):
        seed_network("torchvision:convnext_tiny", size=16)
    with pytest.raises(UserError, match=r"lcnet_050 cannot be grown .* no last normalisation"):
        seed_network("timm:lcnet_050")


def test_without_timm_its_networks_are_told_to_need_it(monkeypatch):
    import sys

    library_model.cache_clear()
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(UserError, match="timm is not installed, which timm:NAME needs; allowed"):
        parse_architecture("timm:resnet18")
    library_model.cache_clear()


def weights_file(folder, name, **options):
    """The library's network at its own depth, with random weights, in a file."""
    model = library_model(name)
    torch.manual_seed(5)
    network = model.build(model.own, images(name, **options))
    file = folder / "weights.safetensors"
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, file)
    return network, file


@pytest.mark.parametrize("name", ["timm:resnet18", "torchvision:resnet18", "timm:test_vit"])
def test_the_seed_network_keeps_the_weights_of_its_blocks(tmp_path, name):
    theirs, file = weights_file(tmp_path, name, classes=7)
    network = seed_network(name, classes=3)
    load_pretrained(network, file)
    there = theirs.state_dict()
    kept = [n for n, t in network.state_dict().items() if torch.equal(t, there[n])]
    others = {*network.state_dict()} - {*kept}
    assert {n.rpartition(".")[0] for n in others} <= {"fc", "head"}
    assert len(others) == 2


def test_weights_of_another_network_and_a_deeper_seed_are_told(tmp_path):
    _, file = weights_file(tmp_path, "timm:test_vit")
    with pytest.raises(UserError, match=r"weights.safetensors: no weights of timm:resnet18: .*"):
        load_pretrained(seed_network("timm:resnet18"), file)
    network = seed_network("timm:test_vit")
    for seed in range(library_model("timm:test_vit").own[0]):
        stack_sub_module(network, 0, seed=seed)
    with pytest.raises(UserError, match="allowed: a seed network that is not deeper"):
        load_pretrained(network, file)
    file.write_bytes(b"no tensors")
    with pytest.raises(UserError, match="no safetensors file of weights"):
        load_pretrained(seed_network("timm:test_vit"), file)


def test_weights_for_other_images_are_adapted_by_timm(tmp_path):
    _, file = weights_file(tmp_path, "timm:test_vit", size=64)
    network = seed_network("timm:test_vit", size=32)
    before = network.pos_embed.clone()
    load_pretrained(network, file)
    assert not torch.equal(network.pos_embed, before)


def test_channels_last_holds_for_new_blocks_too():
    network = seed_network("timm:test_convnext").to(memory_format=torch.channels_last)
    new = stack_sub_module(network, 0, seed=0)
    below = network.sub_networks[0][0]
    for ours, theirs in zip(new.parameters(), below.parameters(), strict=True):
        assert ours.stride() == theirs.stride()
    assert last_norms(new) == [new.gamma]


def test_compiled_blocks_train_and_are_counted_all_the_same():
    network = seed_network("timm:test_resnet")
    x = torch.randn(2, 1, 32, 32)
    before = costs_of(network, x[:1])
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph

    compile_sub_modules(network, backend)
    network.train()(x).sum().backward()
    assert graphs
    assert costs_of(network, x[:1]) == before
