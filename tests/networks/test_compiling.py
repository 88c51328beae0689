"""Growing an equal sub-module compiles nothing."""

import pytest
import torch
from small_networks import sgd, small_network

from autogrow.batches.in_memory import DeviceSet
from autogrow.data import load
from autogrow.networks.compiling import compile_sub_module, compile_sub_modules
from autogrow.networks.growable import depth_of, stack_sub_module
from autogrow.networks.sub_modules import BLOCKS
from autogrow.training.epoch import evaluate, train_epoch


class Counted:
    """A backend of torch.compile that runs what it is given and counts the graphs."""

    def __init__(self):
        self.graphs = 0

    def __call__(self, graph, inputs):
        self.graphs += 1
        return graph


@pytest.fixture(scope="module")
def images():
    digits = load("digits")
    return DeviceSet(digits.test, digits.mean, digits.std, torch.device("cpu"))


def build(name):
    network = small_network(name)
    return network, sgd(network, lr=0.01)


@pytest.mark.parametrize("name", ["Basic3ResNet-1-1-1", "Plain4Net-1-1-1-1"])
def test_ten_growths_of_equal_sub_modules_compile_nothing(name, images):
    network, optimizer = build(name)
    network.to(memory_format=torch.channels_last)
    backend = Counted()
    compile_sub_modules(network, backend)

    def epoch(number):
        batches = images.training_batches(64, seed=0, epoch=number)  # the last one is smaller
        train_epoch(network, optimizer, batches)
        evaluate(network, images)

    def grow(i):
        sub_module = stack_sub_module(network, i, seed=0, optimizer=optimizer)
        compile_sub_module(sub_module, backend)

    sub_networks = len(depth_of(network))
    for i in range(sub_networks):  # the first of its kind: a stride of 1, its channels
        grow(i)
    for number in range(2):
        epoch(number)
    compiled = backend.graphs
    assert compiled >= 2 * sub_networks
    for growth in range(10):
        grow(growth % sub_networks)
        epoch(growth)
    assert sum(depth_of(network)) == 2 * sub_networks + 10
    assert backend.graphs == compiled


def test_a_compiled_network_computes_the_same(images):
    scores = []
    for compiled in (False, True):
        network, optimizer = build("Basic3ResNet-1-2-1")
        if compiled:
            compile_sub_modules(network, "aot_eager")
        batches = images.training_batches(64, seed=0, epoch=0)
        trained = train_epoch(network, optimizer, batches)
        scores.append((trained.loss, evaluate(network, images)[0].loss))
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_sub_module_is_one_graph(block):
    """Nothing in it makes the compiler give up and go back to Python."""
    sub_module = block(4, 4, 2)
    sub_module.compile(backend="eager", fullgraph=True)
    images = torch.randn(4, 4, 8, 8)
    sub_module.train()(images).sum().backward()
    with torch.inference_mode():
        sub_module.eval()(images)
