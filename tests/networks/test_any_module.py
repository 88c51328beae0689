"""Any torch module whose stages are nn.Sequential can be grown."""

import pytest
import torch
from torch import nn
from torchvision.models import resnet

import autogrow
from autogrow.errors import UserError
from autogrow.networks.adam_init import adam_of
from autogrow.networks.flops import costs_of
from autogrow.networks.growable import Growable, depth_of, stack_sub_module
from autogrow.networks.initializers import initialize, last_norms
from autogrow.networks.residuals import find_last_norms


def residual_network(*layers):
    torch.manual_seed(0)
    return resnet.ResNet(resnet.BasicBlock, layers or (2, 2, 2, 2), num_classes=3)


LAYERS = ["layer1", "layer2", "layer3", "layer4"]


def test_a_residual_network_of_torchvision_grows_and_stays_itself():
    module = residual_network()
    x = torch.randn(2, 3, 32, 32)
    before = {n: t.clone() for n, t in module.state_dict().items()}
    with torch.no_grad():
        logits = module.eval()(x)
    network = autogrow.growable(module, LAYERS, depth=[1, 2, 1, 2])
    assert network is module
    assert isinstance(network, Growable)
    assert isinstance(network, resnet.ResNet)
    assert not network.training
    assert depth_of(network) == (1, 2, 1, 2)
    kept = network.state_dict()
    assert all(torch.equal(t, before[n]) for n, t in kept.items())
    assert {n.rsplit(".", 2)[0] for n in before.keys() - kept.keys()} <= {"layer1.1", "layer3.1"}
    assert logits.shape == network(x).shape
    new = stack_sub_module(network, 0, seed=1)
    assert type(new) is resnet.BasicBlock
    assert last_norms(new) == [new.bn2]
    initialize(new, "GauInit", seed=1)
    assert new.bn2.bias.any()
    assert not torch.equal(new.conv1.weight, before["layer1.1.conv1.weight"])
    assert not any(n.startswith("last_norms") for n in network.state_dict())
    assert [*network.layer1] == [*network.sub_networks[0]]


def test_new_sub_modules_follow_from_their_seed_alone():
    network = autogrow.growable(residual_network(), LAYERS)
    before = torch.get_rng_state()
    new = [stack_sub_module(network, 0, seed=seed) for seed in (1, 1, 2)]
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(new[0].conv1.weight, new[1].conv1.weight)
    assert not torch.equal(new[0].conv1.weight, new[2].conv1.weight)


def test_zeroinit_keeps_the_function_of_a_wrapped_network():
    network = autogrow.growable(residual_network(), LAYERS).eval()
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        before = network(x)
        for i in range(4):
            initialize(stack_sub_module(network, i, seed=i), "ZeroInit", seed=i)
        assert torch.equal(network(x), before)


def test_costs_of_a_wrapped_network_are_those_of_its_layers():
    network = autogrow.growable(residual_network(), LAYERS)
    *parts, total = costs_of(network, torch.zeros(1, 3, 224, 224))
    assert [part.part for part in parts] == [*(f"sub-network {i}" for i in range(4)), "other parts"]
    assert total.layers == 18
    assert total.parameters == sum(p.numel() for p in network.parameters())
    wanted = autogrow.networks.flops.network_costs(
        autogrow.networks.names.parse_network("Basic4ResNet-2-2-2-2"),
        image_size=224,
        image_channels=3,
        classes=3,
        stem="imagenet",
    )
    assert total.flops == wanted[-1].flops


class Branch(nn.Module):
    """A residual block whose branch is any list of layers."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.layers(x)


class LayerScale(nn.Module):
    def __init__(self, channels, initial=0.1):
        super().__init__()
        self.initial = initial
        self.gamma = nn.Parameter(torch.empty(channels, 1, 1))
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.constant_(self.gamma, self.initial)

    def forward(self, x):
        return x * self.gamma


class Gate(nn.Module):
    """Squeeze-and-excitation with a normalisation of its own."""

    def __init__(self, channels):
        super().__init__()
        self.fc = nn.Conv2d(channels, channels, 1)
        self.norm = nn.GroupNorm(1, channels)

    def forward(self, x):
        return x * self.norm(self.fc(x.mean((2, 3), keepdim=True))).sigmoid()


class Attention(nn.Module):
    """A transformer block of one's own, before or after whose additions is a normalisation."""

    def __init__(self, width, *, after=False, scaled=False):
        super().__init__()
        self.after, self.scaled = after, scaled
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
        if scaled:
            self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x):
        if self.after:
            x = self.norm1(x + self.attention(x, x, x)[0])
            return self.norm2(x + self.mlp(x))
        y = self.norm1(x)
        x = x + self.attention(y, y, y)[0]
        y = self.mlp(self.norm2(x))
        return x + self.scale * y if self.scaled else x + y


def conv():
    return nn.Conv2d(4, 4, 3, padding=1, bias=False)


IMAGES, TOKENS = (2, 4, 6, 6), (2, 5, 8)


@pytest.mark.parametrize(
    ("block", "shape", "found"),
    [
        (lambda: Branch(conv(), nn.BatchNorm2d(4)), IMAGES, "layers.1"),
        (lambda: Branch(conv(), nn.BatchNorm2d(4), nn.ReLU(), conv()), IMAGES, "layers.1"),
        (lambda: Branch(nn.BatchNorm2d(4), nn.ReLU(True), conv()), IMAGES, "layers.0"),
        (lambda: Branch(conv(), nn.GroupNorm(2, 4), Gate(4)), IMAGES, "layers.1"),
        (lambda: Branch(conv(), nn.InstanceNorm2d(4, affine=True)), IMAGES, "layers.1"),
        (lambda: Branch(conv(), nn.BatchNorm2d(4), LayerScale(4)), IMAGES, "layers.2.gamma"),
        # A scale before the last convolution is none of the branch's end.
        (lambda: Branch(nn.BatchNorm2d(4), LayerScale(4), conv()), IMAGES, "layers.0"),
        (lambda: Branch(conv(), nn.BatchNorm2d(4, affine=False)), IMAGES, ""),
        (lambda: Branch(conv(), nn.ReLU()), IMAGES, ""),
        (lambda: nn.Sequential(conv(), nn.BatchNorm2d(4), nn.ReLU()), IMAGES, None),
        (lambda: nn.Sequential(Branch(conv(), nn.BatchNorm2d(4)), nn.ReLU(True)), IMAGES,
         "0.layers.1"),
        (lambda: Attention(8), TOKENS, "norm1 norm2"),
        (lambda: Attention(8, scaled=True), TOKENS, "norm1 scale"),
        (lambda: Attention(8, after=True), TOKENS, " "),
    ],
)  # fmt: skip
def test_the_last_normalisation_of_each_branch_is_found(block, shape, found):
    block = block()
    before = {n: t.clone() for n, t in block.state_dict().items()}
    names = find_last_norms(block, torch.randn(shape))
    assert (None if not names else " ".join(names)) == found
    assert all(torch.equal(t, before[n]) for n, t in block.state_dict().items())
    assert all(p.grad is None for p in block.parameters())


class Net(nn.Module):
    """Images, one stage, logits."""

    def __init__(self, *blocks, first=4):
        super().__init__()
        self.stem = nn.Conv2d(1, first, 3, padding=1)
        self.body = nn.Module()
        self.body.stage = nn.Sequential(*blocks)

    def forward(self, x):
        x = self.stem(x)
        for block in self.body.stage:  # not by the stage itself
            x = block(x)
        return x.mean((2, 3))


def test_layerscale_is_initialized_and_trained_by_adaminit_like_a_normalisation():
    network = autogrow.growable(
        Net(Branch(conv(), nn.BatchNorm2d(4), LayerScale(4))), ["body.stage"]
    )
    new = stack_sub_module(network, 0, seed=0)
    gamma = new.layers[2].gamma
    assert last_norms(new) == [gamma]
    assert bool((gamma == 0.1).all())
    initialize(new, "UniInit", seed=0)
    assert len({*gamma.flatten().tolist()}) == 4
    [parameters] = [g["params"] for g in adam_of([new], weight_decay=0).param_groups]
    assert parameters == [gamma]
    initialize(new, "ZeroInit", seed=0)
    assert not gamma.any()


def test_plain_sub_modules_have_to_be_asked_for():
    def plain():
        return Net(nn.Sequential(conv(), nn.BatchNorm2d(4), nn.ReLU()))

    with pytest.raises(UserError, match=r"'body.stage': no last normalisation .* was found in Seq"):
        autogrow.growable(plain(), ["body.stage"])
    network = autogrow.growable(plain(), ["body.stage"], last_norm=None)
    new = stack_sub_module(network, 0, seed=0)
    initialize(new, "GauInit", seed=0)
    assert bool((new[1].weight == 1).all())
    assert last_norms(new) == []
    named = autogrow.growable(plain(), ["body.stage"], last_norm="1")
    new = stack_sub_module(named, 0, seed=0)
    assert last_norms(new) == [new[1]]
    with pytest.raises(UserError, match=r"last_norm: 'bn' is no part .* allowed: 0, 1, 0.weight"):
        autogrow.growable(plain(), ["body.stage"], last_norm="bn")


def test_what_does_not_say_its_last_normalisation_is_not_skipped():
    block = resnet.BasicBlock(4, 4)
    with pytest.raises(UserError, match=r"BasicBlock does not say .*last_bn.*autogrow.growable"):
        initialize(block, "GauInit", seed=0)
    block.last_norms = ["bn1"]
    initialize(block, "GauInit", seed=0)
    assert block.bn1.bias.any()
    assert not block.bn2.bias.any()


class NoReset(nn.Module):
    def __init__(self):
        super().__init__()
        self.offset = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return x + self.offset


def test_a_part_that_cannot_be_initialized_anew_is_named():
    def network():
        return Net(Branch(conv(), nn.BatchNorm2d(4), NoReset()))

    with pytest.raises(UserError, match=r"NoReset has the parameter 'layers.2.offset' and no rese"):
        autogrow.growable(network(), ["body.stage"])

    def new(i):
        return Branch(conv(), nn.BatchNorm2d(4), NoReset())

    grown = autogrow.growable(network(), ["body.stage"], new_sub_module=new)
    assert isinstance(stack_sub_module(grown, 0, seed=0), Branch)


@pytest.mark.parametrize(
    ("stages", "options", "told"),
    [
        (["layer9"], {}, r"'layer9': there is no such part; allowed: an nn.Sequential, as layer"),
        (["conv1"], {}, r"'conv1': it is Conv2d; allowed: an nn.Sequential"),
        ([], {}, r"stages: found \[\]; allowed: different names"),
        (["layer1", "layer1"], {}, "allowed: different names"),
        (LAYERS, {"depth": [1, 1]}, r"depth: found \(1, 1\); allowed: 4 numbers, from 1 to"),
        (LAYERS, {"depth": [1, 1, 1, 3]}, r"from 1 to \(2, 2, 2, 2\)"),
        (LAYERS, {"depth": [0, 1, 1, 1]}, r"from 1 to"),
        (LAYERS, {"example": torch.zeros(1, 1, 8, 8)}, r"ResNet does not take images \(1, 1, 8, 8"),
    ],
)
def test_mistakes_are_told(stages, options, told):
    with pytest.raises(UserError, match=told):
        autogrow.growable(residual_network(), stages, **options)


def test_a_stage_whose_last_block_changes_the_shape_is_told():
    with pytest.raises(UserError, match=r"'layer2': another BasicBlock does not fit on top"):
        autogrow.growable(residual_network(2, 1, 1, 1), LAYERS)
    wider = Net(nn.Conv2d(4, 4, 3))
    with pytest.raises(UserError, match=r"Conv2d maps \(2, 4, 30, 30\) to \(2, 4, 28, 28\)"):
        autogrow.growable(wider, ["body.stage"])


def test_a_module_that_would_not_call_a_further_block_is_told():
    class Fixed(Net):
        def forward(self, x):
            x = self.stem(x)
            for i in range(2):
                x = self.body.stage[i](x)
            return x.mean((2, 3))

    blocks = [Branch(conv(), nn.BatchNorm2d(4)) for _ in range(2)]
    with pytest.raises(UserError, match=r"last block of 'body.stage' takes no part in the forward"):
        autogrow.growable(Fixed(*blocks), ["body.stage"])
