"""Networks in evaluation mode can be traced and exported, with gradients on and off."""

import pytest
import torch
from small_networks import small_network

NETWORKS = [
    ("Basic3ResNet-2-1-2", "small"),
    ("Plain3Net-2-1-1", "small"),
    ("Basic4ResNet-1-2-1-1", "imagenet"),
    ("Bottleneck4ResNet-1-1-1-2", "imagenet"),
]


@pytest.fixture(params=NETWORKS, ids=str)
def network(request):
    """A network whose Batch Normalizations have statistics of their own."""
    name, stem = request.param
    network = small_network(name, stem=stem).to(memory_format=torch.channels_last)
    images = torch.randn(8, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    network.train()(images)
    return network.eval()


def expected(network, images):
    with torch.no_grad():
        return network(images)


@pytest.mark.parametrize("grad", [True, False])
def test_a_trace_gives_the_networks_outputs_for_any_batch(network, grad):
    images = torch.randn(3, 1, 32, 32).to(memory_format=torch.channels_last)
    with torch.set_grad_enabled(grad):
        traced = torch.jit.trace(network, images)  # checks itself, without gradients
    other = torch.randn(5, 1, 32, 32)
    torch.testing.assert_close(traced(other), expected(network, other), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("grad", [True, False])
def test_an_exported_program_gives_the_networks_outputs_for_any_batch(network, grad):
    batch = ({0: torch.export.Dim("batch")},)
    with torch.set_grad_enabled(grad):
        program = torch.export.export(network, (torch.randn(2, 1, 32, 32),), dynamic_shapes=batch)
    other = torch.randn(5, 1, 32, 32)
    with torch.no_grad():
        found = program.module()(other)
    torch.testing.assert_close(found, expected(network, other), rtol=1e-4, atol=1e-4)
