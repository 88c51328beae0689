import pytest
import torch
import torchvision
from torch import nn
from torch.nn.functional import cross_entropy
from torchvision.models import resnet

from autogrow.networks.growable import Growable, build_network, depth_of, stack_sub_module
from autogrow.networks.initializers import initialize, last_bn
from autogrow.networks.names import parse_network
from autogrow.training import checkpoint
from autogrow.training.optimizer import SGD


def build(text, *, classes=10, image_channels=3, stem=None, width=None, seed=0):
    torch.manual_seed(seed)
    return build_network(
        parse_network(text), image_channels=image_channels, classes=classes, stem=stem, width=width
    )


def train_steps(network, optimizer, steps=2, *, channels=3, size=8, seed=1):
    generator = torch.Generator().manual_seed(seed)
    network.train()
    for _ in range(steps):
        x = torch.randn(4, channels, size, size, generator=generator)
        y = torch.randint(3, (4,), generator=generator)
        optimizer.zero_grad()
        cross_entropy(network(x), y).backward()
        optimizer.step()


# --- layers and shapes -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("Plain4Net-6-6-6-6", 26),
        ("Plain3Net-11-11-10", 34),
        ("Basic3ResNet-6-6-5", 36),
        ("Basic4ResNet-3-3-3-3", 26),
        ("Basic4ResNet-2-2-2-2", 18),
        ("Bottleneck4ResNet-3-4-6-3", 50),
    ],
)
def test_layer_counts_are_the_papers(name, layers):
    network = build(name, width=4)
    assert network.layers == layers
    # Counted by hand: every convolution but the shortcuts', and the linear layer.
    weighted = [
        n
        for n, m in network.named_modules()
        if isinstance(m, nn.Conv2d | nn.Linear) and "shortcut" not in n
    ]
    assert len(weighted) == layers


SMALL3 = [(16, 32), (32, 16), (64, 8)]
SMALL4 = [(64, 32), (128, 16), (256, 8), (512, 4)]
IMAGENET = [(64, 56), (128, 28), (256, 14), (512, 7)]


@pytest.mark.parametrize(
    ("name", "stem", "size", "outputs"),
    [
        ("Basic3ResNet-2-3-2", "small", 32, SMALL3),
        ("Plain3Net-2-3-2", "small", 32, SMALL3),
        ("Basic4ResNet-1-2-1-2", "small", 32, SMALL4),
        ("Plain4Net-1-2-1-2", "small", 32, SMALL4),
        ("Basic4ResNet-1-1-2-1", "imagenet", 224, IMAGENET),
        ("Plain4Net-1-1-2-1", "imagenet", 224, IMAGENET),
        ("Bottleneck4ResNet-1-1-2-1", "imagenet", 224, [(4 * c, s) for c, s in IMAGENET]),
    ],
)
def test_outputs_of_the_sub_networks_are_the_papers(name, stem, size, outputs):
    with torch.device("meta"):
        network = build(name, classes=7, stem=stem).eval()
        x = network.stem(torch.empty(2, 3, size, size))
    first = (64, 56) if stem == "imagenet" else (outputs[0][0], 32)
    assert x.shape == (2, first[0], first[1], first[1])
    for sub_network, (channels, side) in zip(network.sub_networks, outputs, strict=True):
        inner = sub_network[0](x)
        assert inner.shape[2:] == (side, side)  # the first sub-module reduces the size
        x = sub_network(x)
        assert x.shape == (2, channels, side, side)
    assert network(torch.empty(2, 3, size, size, device="meta")).shape == (2, 7)


def test_stems_are_the_papers():
    small, large = (
        build("Basic4ResNet-1-1-1-1").stem,
        build("Basic4ResNet-1-1-1-1", stem="imagenet").stem,
    )
    assert (small.conv.kernel_size, small.conv.stride) == ((3, 3), (1, 1))
    assert isinstance(small.pool, nn.Identity)
    assert (large.conv.kernel_size, large.conv.stride) == ((7, 7), (2, 2))
    assert (large.pool.kernel_size, large.pool.stride) == (3, 2)
    assert small.conv.out_channels == large.conv.out_channels == 64


def test_bottleneck_has_the_imagenet_stem_by_default():
    assert isinstance(build("Bottleneck4ResNet-1-1-1-1").stem.pool, nn.MaxPool2d)


def test_width_scales_every_sub_network():
    network = build("Basic4ResNet-1-1-1-1", width=3)
    outputs = [s[-1].conv2.out_channels for s in network.sub_networks]
    assert outputs == [3, 6, 12, 24]
    assert network(torch.randn(2, 3, 8, 8)).shape == (2, 10)


def test_relu_and_residual_addition_do_what_the_formula_says():
    torch.manual_seed(0)
    block = build("Basic3ResNet-1-1-1", width=4).sub_networks[1][0].eval()
    x = torch.randn(2, 4, 6, 6)
    kept = x.clone()
    inner = block.bn2(block.conv2(torch.relu(block.bn1(block.conv1(x)))))
    expected = torch.relu(inner + block.shortcut.bn(block.shortcut.conv(x)))
    assert torch.equal(block(x), expected)
    assert torch.equal(x, kept)  # in-place operations leave the input alone


# --- against torchvision -----------------------------------------------------------------


def ours_from_theirs(name, blocks):
    """Our name of a parameter or buffer from torchvision's."""
    name = name.replace("fc.", "head.")
    for theirs, ours in (("conv1.", "stem.conv."), ("bn1.", "stem.bn.")):
        if name.startswith(theirs):
            return ours + name.removeprefix(theirs)
    for i in range(blocks):
        name = name.replace(f"layer{i + 1}.", f"sub_networks.{i}.")
    return name.replace("downsample.0.", "shortcut.conv.").replace("downsample.1.", "shortcut.bn.")


PAIRS = [
    ("Basic4ResNet-2-2-2-2", torchvision.models.resnet18),
    ("Basic4ResNet-3-4-6-3", torchvision.models.resnet34),
    ("Bottleneck4ResNet-3-4-6-3", torchvision.models.resnet50),
]


@pytest.fixture(scope="module", params=PAIRS, ids=["resnet18", "resnet34", "resnet50"])
def pair(request):
    """Our network with torchvision's random weights and BN statistics, and torchvision's."""
    name, model = request.param
    torch.manual_seed(0)
    theirs = model(num_classes=1000).double()
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    ours = build(name, classes=1000, stem="imagenet").double()
    ours.load_state_dict({ours_from_theirs(k, 4): v for k, v in theirs.state_dict().items()})
    images = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    return ours, theirs, images, torch.randint(1000, (2,))


def close(a, b):
    torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-9)


def test_parameters_are_torchvisions(pair):
    ours, theirs, *_ = pair
    expected = {ours_from_theirs(n, 4): p.shape for n, p in theirs.named_parameters()}
    assert {n: p.shape for n, p in ours.named_parameters()} == expected
    assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in theirs.parameters())


def test_outputs_in_evaluation_are_torchvisions(pair):
    ours, theirs, images, _ = pair
    with torch.no_grad():
        close(ours.eval()(images), theirs.eval()(images))


def test_gradients_in_training_are_torchvisions(pair):
    ours, theirs, images, labels = pair
    for network in (ours, theirs):
        network.zero_grad()
        network.train()
        cross_entropy(network(images), labels).backward()
    gradients = {n: p.grad for n, p in ours.named_parameters()}
    assert len(gradients) == len(list(theirs.parameters()))
    for name, parameter in theirs.named_parameters():
        close(gradients[ours_from_theirs(name, 4)], parameter.grad)
    buffers = dict(ours.named_buffers())
    for name, buffer in theirs.named_buffers():  # the running statistics moved alike
        close(buffers[ours_from_theirs(name, 4)], buffer)


def test_imagenet_convolutions_are_initialized_as_torchvisions():
    network = build("Basic4ResNet-1-1-1-1", stem="imagenet")
    stack_sub_module(network, 3, seed=5)
    for conv in (network.sub_networks[3][0].conv2, network.sub_networks[3][1].conv1):
        expected = (2 / (conv.out_channels * 9)) ** 0.5  # Kaiming-normal, fan-out
        assert conv.weight.std().item() == pytest.approx(expected, rel=0.02)
        assert conv.weight.abs().max() > 3 * expected  # normal, not uniform


# --- growing in place --------------------------------------------------------------------

GROWN = [
    "Basic3ResNet-1-1-1",
    "Basic4ResNet-1-1-1-1",
    "Bottleneck4ResNet-1-1-1-1",
    "Plain3Net-1-1-1",
]


@pytest.fixture(params=GROWN)
def grown(request):
    """A network trained a little, what it held then, and the sub-module stacked since."""
    network = build(request.param, classes=3, width=4)
    optimizer = SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    train_steps(network, optimizer, size=32)
    before = {n: (p, p.detach().clone()) for n, p in network.named_parameters()}
    momentum = {
        n: (optimizer.state[p]["momentum_buffer"], optimizer.state[p]["momentum_buffer"].clone())
        for n, (p, _) in before.items()
    }
    buffers = {n: b.clone() for n, b in network.named_buffers()}
    new = stack_sub_module(network, 1, seed=7, optimizer=optimizer)
    return network, optimizer, before, momentum, buffers, new


def test_old_parameters_are_the_same_objects_with_the_same_values(grown):
    network, _, before, _, buffers, _ = grown
    now = dict(network.named_parameters())
    for name, (parameter, value) in before.items():
        assert now[name] is parameter
        assert torch.equal(parameter, value)
    now = dict(network.named_buffers())
    assert all(torch.equal(now[n], b) for n, b in buffers.items())


def test_momentum_of_old_parameters_is_kept_to_the_bit(grown):
    _, optimizer, before, momentum, _, _ = grown
    for name, (buffer, value) in momentum.items():
        assert optimizer.state[before[name][0]]["momentum_buffer"] is buffer
        assert torch.equal(buffer, value)
        assert value.any()


def test_new_parameters_are_in_the_optimizer_once_and_without_momentum(grown):
    network, optimizer, before, _, _, new = grown
    ids = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert sorted(ids) == sorted(id(p) for p in network.parameters())
    fresh = list(new.parameters())
    assert len(fresh) == len(ids) - len(before) > 0
    assert not any(optimizer.state.get(p) for p in fresh)


def test_new_sub_module_is_trained_from_then_on(grown):
    network, optimizer, _, _, _, new = grown
    values = [p.detach().clone() for p in new.parameters()]
    train_steps(network, optimizer, steps=1, size=32)
    assert all(not torch.equal(p, v) for p, v in zip(new.parameters(), values, strict=True))
    assert all(optimizer.state[p]["momentum_buffer"].any() for p in new.parameters())


def test_new_sub_module_lies_on_top_of_its_sub_network(grown):
    network, *_, new = grown
    assert network.sub_networks[1][-1] is new
    assert depth_of(network)[:2] == (1, 2)
    assert new.training


def test_new_sub_module_takes_mode_and_type_of_its_sub_network():
    network = build("Basic3ResNet-1-1-1", width=4).double().eval()
    new = stack_sub_module(network, 0, seed=0)
    assert not new.training
    assert {p.dtype for p in new.parameters()} == {torch.float64}
    assert network(torch.randn(2, 3, 8, 8, dtype=torch.float64)).shape == (2, 10)


@pytest.mark.parametrize(
    ("seed_net", "found"),
    [
        ("Basic3ResNet-1-1-1", "Basic3ResNet-2-3-1"),
        ("Plain3Net-1-1-1", "Plain3Net-2-3-1"),
        ("Basic4ResNet-1-1-1-1", "Basic4ResNet-2-3-1-2"),
        ("Bottleneck4ResNet-1-1-1-1", "Bottleneck4ResNet-2-3-1-2"),
        ("Plain4Net-2-1-1-1", "Plain4Net-2-3-2-2"),
    ],
)
def test_grown_network_equals_one_built_at_the_found_depth(seed_net, found):
    network = build(seed_net, width=4)
    target = parse_network(found).depth
    while depth_of(network) != target:  # one at a time, around the ring
        for i, depth in enumerate(target):
            if depth_of(network)[i] < depth:
                stack_sub_module(network, i, seed=i)
    built = build(found, width=4, seed=1)
    shapes = [(n, t.shape, t.dtype) for n, t in built.state_dict().items()]
    assert [(n, t.shape, t.dtype) for n, t in network.state_dict().items()] == shapes
    assert [n for n, _ in network.named_parameters()] == [n for n, _ in built.named_parameters()]
    assert network.layers == built.layers
    built.load_state_dict(network.state_dict())
    for net in (network, built):  # one layout, as a run has it, or rounding differs
        net.to(memory_format=torch.channels_last)
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(network.eval()(x), built.eval()(x))


def test_stacking_leaves_the_callers_random_numbers_alone():
    network = build("Basic3ResNet-1-1-1", width=4)
    torch.manual_seed(3)
    expected = torch.rand(5)
    torch.manual_seed(3)
    new = stack_sub_module(network, 2, seed=11)
    initialize(new, "GauInit", seed=11)
    assert torch.equal(torch.rand(5), expected)


def test_new_weights_follow_from_the_seed_alone():
    weights = []
    for seed in (4, 4, 5):
        network = build("Basic3ResNet-1-1-1", width=4, seed=len(weights))
        weights.append(stack_sub_module(network, 1, seed=seed).conv1.weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


# --- the growable contract, on networks that are not ours --------------------------------


class HandMade(nn.Module):
    """A user's network: two stacks of plain layers, no conv, no BN."""

    def __init__(self):
        super().__init__()
        self.enter = nn.Linear(12, 6)
        self.stacks = nn.ModuleList([nn.Sequential(self._layer(6)), nn.Sequential(self._layer(6))])
        self.leave = nn.Linear(6, 3)

    @staticmethod
    def _layer(width):
        return nn.Sequential(nn.Linear(width, width), nn.Tanh())

    @property
    def sub_networks(self):
        return list(self.stacks)

    def new_sub_module(self, i):
        return self._layer(6)

    def forward(self, x):
        x = self.enter(x.flatten(1))
        for stack in self.stacks:
            x = stack(x)
        return self.leave(x)


class TheirBlock(resnet.BasicBlock):
    """torchvision's block, which only has to say which BN is its last."""

    @property
    def last_bn(self):
        return self.bn2


class TheirNet(nn.Module):
    """A narrow ResNet of torchvision's blocks, with torchvision's names."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1)
        self.layer1 = nn.Sequential(TheirBlock(4, 4))
        down = nn.Sequential(resnet.conv1x1(4, 8, 2), nn.BatchNorm2d(8))
        self.layer2 = nn.Sequential(TheirBlock(4, 8, 2, down))
        self.fc = nn.Linear(8, 3)

    @property
    def sub_networks(self):
        return [self.layer1, self.layer2]

    def new_sub_module(self, i):
        return TheirBlock(4 * 2**i, 4 * 2**i)

    def forward(self, x):
        x = self.layer2(self.layer1(self.conv1(x).relu()))
        return self.fc(x.mean((2, 3)))


@pytest.fixture(params=[(HandMade, 2), (TheirNet, 8)], ids=["hand-made", "torchvision"])
def foreign(request):
    network, size = request.param
    torch.manual_seed(0)
    return network, size


def test_ours_and_foreign_networks_keep_the_contract(foreign):
    network, _ = foreign
    assert isinstance(network(), Growable)
    assert isinstance(build("Plain3Net-1-1-1", width=4), Growable)
    assert not isinstance(nn.Linear(2, 2), Growable)


def test_foreign_network_is_grown_in_place(foreign):
    make, size = foreign
    network = make()
    optimizer = SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=0)
    train_steps(network, optimizer, size=size)
    before = {n: (p, p.detach().clone()) for n, p in network.named_parameters()}
    momentum = {n: optimizer.state[p]["momentum_buffer"].clone() for n, (p, _) in before.items()}
    stack_sub_module(network, 1, seed=1, optimizer=optimizer)
    assert depth_of(network)[:2] == (1, 2)
    now = dict(network.named_parameters())
    for name, (parameter, value) in before.items():
        assert now[name] is parameter
        assert torch.equal(parameter, value)
        assert torch.equal(optimizer.state[parameter]["momentum_buffer"], momentum[name])
    assert len(optimizer.param_groups[0]["params"]) == len(now) > len(before)
    train_steps(network, optimizer, size=size)
    assert all(torch.isfinite(p).all() for p in network.parameters())


def test_zeroinit_keeps_a_foreign_residual_networks_function():
    torch.manual_seed(0)
    network = TheirNet()
    train_steps(network, SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=0), size=32)
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        before = network.eval()(x)
        for i in range(2):
            initialize(stack_sub_module(network, i, seed=i), "ZeroInit", seed=i)
        assert torch.equal(network(x), before)


def test_foreign_plain_sub_module_keeps_its_default_initialization():
    network = HandMade()
    expected = stack_sub_module(network, 0, seed=9).state_dict()
    for initializer in ("ZeroInit", "UniInit", "GauInit", "AdamInit"):
        new = stack_sub_module(network, 0, seed=9)
        assert last_bn(new) is None
        initialize(new, initializer, seed=9)
        assert all(torch.equal(t, expected[n]) for n, t in new.state_dict().items())


def test_foreign_checkpoint_reloads_from_its_depths_alone(foreign, tmp_path):
    make, size = foreign
    network = make()
    optimizer = SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=0)
    stack_sub_module(network, 1, seed=1, optimizer=optimizer)
    train_steps(network, optimizer, size=size)
    checkpoint.save(tmp_path, 1, 1, network, optimizer, {"depth": list(depth_of(network))})

    tensors, state = checkpoint.load_latest(tmp_path, pytest.fail)
    again = make()
    optimizer2 = SGD(again.parameters(), lr=0.01, momentum=0.9, weight_decay=0)
    for i, depth in enumerate(state["depth"]):
        while depth_of(again)[i] < depth:
            stack_sub_module(again, i, seed=0, optimizer=optimizer2)
    checkpoint.restore(tensors, again, optimizer2)
    for (n, a), (m, b) in zip(
        network.state_dict().items(), again.state_dict().items(), strict=True
    ):
        assert n == m
        assert torch.equal(a, b)
    for a, b in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.equal(
            optimizer.state[a]["momentum_buffer"], optimizer2.state[b]["momentum_buffer"]
        )
    train_steps(network, optimizer, size=size, seed=2)
    train_steps(again, optimizer2, size=size, seed=2)
    for a, b in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
