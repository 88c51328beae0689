import re
from functools import partial

import pytest
import torch
import torchvision
from small_networks import small_network
from torch import nn
from torch.nn.functional import cross_entropy
from torchvision.models import resnet

from autogrow.networks.growable import Growable, depth_of, stack_sub_module
from autogrow.networks.initializers import initialize
from autogrow.networks.names import parse_network, smallest_map
from autogrow.training import checkpoint
from autogrow.training.optimizer import SGD

build = partial(small_network, channels=3)
NAME4 = "Basic4ResNet-1-1-1-1"


def train_steps(network, optimizer, steps=2, *, channels=3, size=8, seed=1):
    generator = torch.Generator().manual_seed(seed)
    network.train()
    for _ in range(steps):
        x = torch.randn(4, channels, size, size, generator=generator)
        y = torch.randint(3, (4,), generator=generator)
        optimizer.zero_grad()
        cross_entropy(network(x), y).backward()
        optimizer.step()


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
    network = build(name)
    assert network.layers == layers
    weighted = [n for n, m in network.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert sum("shortcut" not in name for name in weighted) == layers


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
        ("Plain4Net-1-1-2-1", "imagenet", 224, IMAGENET),
    ],
)
def test_outputs_of_the_sub_networks_are_the_papers(name, stem, size, outputs):
    with torch.device("meta"):
        network = build(name, classes=7, stem=stem, width=None).eval()
        x = network.stem(torch.empty(2, 3, size, size))
    first = (64, 56) if stem == "imagenet" else (outputs[0][0], 32)
    assert x.shape == (2, first[0], first[1], first[1])
    for sub_network, (channels, side) in zip(network.sub_networks, outputs, strict=True):
        inner = sub_network[0](x)
        assert inner.shape[2:] == (side, side)  # the first sub-module reduces the size
        x = sub_network(x)
        assert x.shape == (2, channels, side, side)
    assert smallest_map(network.architecture, stem, size) == side
    assert network(torch.empty(2, 3, size, size, device="meta")).shape == (2, 7)


def test_small_stems_are_the_papers_and_the_default():
    """Those for ImageNet are compared with torchvision's below."""
    small, default = build(NAME4, stem="small").stem, build(NAME4).stem
    assert (small.conv.kernel_size, small.conv.stride) == ((3, 3), (1, 1))
    assert isinstance(small.pool, nn.Identity)
    assert isinstance(default.pool, nn.Identity)
    assert isinstance(build("Bottleneck4ResNet-1-1-1-1").stem.pool, nn.MaxPool2d)


def test_width_scales_every_sub_network():
    network = build(NAME4, width=3)
    outputs = [s[-1].conv2.out_channels for s in network.sub_networks]
    assert outputs == [3, 6, 12, 24]
    assert network(torch.randn(2, 3, 8, 8)).shape == (2, 10)


def ours_from_theirs(name):
    """Our name of a parameter or buffer from torchvision's."""
    name = re.sub("^conv1", "stem.conv", re.sub("^bn1", "stem.bn", name)).replace("fc.", "head.")
    name = re.sub(r"^layer(\d)", lambda found: f"sub_networks.{int(found[1]) - 1}", name)
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
    ours = build(name, classes=1000, stem="imagenet", width=None).double()
    ours.load_state_dict({ours_from_theirs(k): v for k, v in theirs.state_dict().items()})
    images = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    return ours, theirs, images, torch.randint(1000, (2,))


def close(a, b):
    torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-9)


def test_parameters_and_evaluated_outputs_are_torchvisions(pair):
    ours, theirs, images, _ = pair
    expected = {ours_from_theirs(n): p.shape for n, p in theirs.named_parameters()}
    assert {n: p.shape for n, p in ours.named_parameters()} == expected
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
        close(gradients[ours_from_theirs(name)], parameter.grad)
    buffers = dict(ours.named_buffers())
    for name, buffer in theirs.named_buffers():  # the running statistics moved alike
        close(buffers[ours_from_theirs(name)], buffer)


def test_imagenet_convolutions_are_initialized_as_torchvisions():
    network = build(NAME4, stem="imagenet", width=None)
    stack_sub_module(network, 3, seed=5)
    for conv in (network.sub_networks[3][0].conv2, network.sub_networks[3][1].conv1):
        expected = (2 / (conv.out_channels * 9)) ** 0.5  # Kaiming-normal, fan-out
        assert conv.weight.std().item() == pytest.approx(expected, rel=0.02)
        assert conv.weight.abs().max() > 3 * expected  # normal, not uniform


class Grown:
    """A network trained a little and then grown by one, and what it held before."""

    def __init__(self, network, size, lr):
        self.network, self.size = network, size
        self.optimizer = SGD(network.parameters(), lr=lr, momentum=0.9, weight_decay=5e-4)
        self.train()
        self.before = {n: (p, p.detach().clone()) for n, p in network.named_parameters()}
        self.momentum = [(b, b.clone()) for b in map(self.buffer, network.parameters())]
        self.buffers = {n: b.clone() for n, b in network.named_buffers()}
        self.new = stack_sub_module(network, 1, seed=7, optimizer=self.optimizer)

    def train(self, **options):
        train_steps(self.network, self.optimizer, size=self.size, **options)

    def buffer(self, parameter):
        return self.optimizer.state[parameter]["momentum_buffer"]

    def check(self):
        """The old is as it was, to the bit and in place; the new is the optimizer's too."""
        now = dict(self.network.named_parameters())
        for (name, (parameter, value)), (buffer, momentum) in zip(
            self.before.items(), self.momentum, strict=True
        ):
            assert now[name] is parameter
            assert torch.equal(parameter, value)
            assert self.buffer(parameter) is buffer
            assert torch.equal(buffer, momentum)
            assert momentum.any()
        buffers = dict(self.network.named_buffers())
        assert all(torch.equal(buffers[n], b) for n, b in self.buffers.items())
        ids = [id(p) for group in self.optimizer.param_groups for p in group["params"]]
        assert sorted(ids) == sorted(map(id, now.values()))
        fresh = list(self.new.parameters())
        assert len(fresh) == len(ids) - len(self.before) > 0
        assert not any(self.optimizer.state.get(p) for p in fresh)
        assert self.network.sub_networks[1][-1] is self.new
        assert depth_of(self.network)[:2] == (1, 2)
        assert self.new.training


ONES = ["Basic3ResNet-1-1-1", NAME4, "Bottleneck4ResNet-1-1-1-1", "Plain3Net-1-1-1"]


@pytest.mark.parametrize("name", ONES)
def test_growth_leaves_the_old_as_it_was_and_trains_the_new(name):
    grown = Grown(build(name, classes=3), size=32, lr=0.1)
    grown.check()
    new = list(grown.new.parameters())
    values = [p.detach().clone() for p in new]
    grown.train(steps=1)
    assert all(not torch.equal(p, v) for p, v in zip(new, values, strict=True))
    assert all(grown.buffer(p).any() for p in new)


def test_new_sub_module_takes_mode_and_type_of_its_sub_network():
    network = build("Basic3ResNet-1-1-1").double().eval()
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
    network = build(seed_net)
    target = parse_network(found).depth
    while depth_of(network) != target:  # one at a time, around the ring
        for i, depth in enumerate(target):
            if depth_of(network)[i] < depth:
                stack_sub_module(network, i, seed=i)
    built = build(found, width=4, seed=1)
    grown, fresh = (
        [(n, t.shape, t.dtype) for n, t in net.state_dict().items()] for net in (network, built)
    )
    assert grown == fresh
    assert network.layers == built.layers
    built.load_state_dict(network.state_dict())
    for net in (network, built):  # one layout, as a run has it, or rounding differs
        net.to(memory_format=torch.channels_last)
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(network.eval()(x), built.eval()(x))


@pytest.mark.parametrize("initializer", ["UniInit", "GauInit"])
def test_new_weights_follow_from_the_seed_and_leave_the_callers_random_numbers_alone(initializer):
    drawn = []
    for seed in (4, 4, 5):
        network = build(ONES[0], seed=len(drawn))
        before = torch.get_rng_state()
        new = stack_sub_module(network, 1, seed=seed)
        initialize(new, initializer, seed=seed)
        assert torch.equal(torch.get_rng_state(), before)
        drawn.append((new.conv1.weight, new.bn2.weight, new.bn2.bias))
    for one, same, other in zip(*drawn, strict=True):
        assert torch.equal(one, same)
        assert not torch.equal(one, other)
    _, weight, bias = drawn[0]
    assert not torch.equal(weight, bias)


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


@pytest.fixture
def foreign():
    torch.manual_seed(0)
    return Grown(TheirNet(), size=8, lr=0.01)


def test_a_foreign_network_keeps_the_contract_and_is_grown_in_place(foreign):
    assert isinstance(foreign.network, Growable)
    assert isinstance(build("Plain3Net-1-1-1"), Growable)
    assert not isinstance(nn.Linear(2, 2), Growable)
    foreign.check()
    foreign.train()
    assert all(torch.isfinite(p).all() for p in foreign.network.parameters())


def test_zeroinit_keeps_a_foreign_residual_networks_function(foreign):
    network = foreign.network.eval()
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        before = network(x)
        for i in range(2):
            initialize(stack_sub_module(network, i, seed=i), "ZeroInit", seed=i)
        assert torch.equal(network(x), before)


def test_foreign_checkpoint_reloads_from_its_depths_alone(foreign, tmp_path):
    foreign.train()
    network, optimizer = foreign.network, foreign.optimizer
    checkpoint.save(tmp_path, 1, 1, network, optimizer, {"depth": list(depth_of(network))})

    tensors, state = checkpoint.load_latest(tmp_path, pytest.fail)
    again = Grown(TheirNet(), size=8, lr=0.01)  # which stacks the one new sub-module
    assert state["depth"] == [*depth_of(again.network)] == [1, 2]
    checkpoint.restore(tensors, {}, again.network, again.optimizer)
    saved, restored = network.state_dict(), again.network.state_dict()
    assert list(saved) == list(restored)
    assert all(torch.equal(saved[n], restored[n]) for n in saved)
    parameters = list(zip(network.parameters(), again.network.parameters(), strict=True))
    assert all(torch.equal(foreign.buffer(a), again.buffer(b)) for a, b in parameters)
    foreign.train(seed=2)
    again.train(seed=2)
    assert all(torch.equal(a, b) for a, b in parameters)
