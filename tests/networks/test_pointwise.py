"""Strided 1x1 convolutions of few channels, whose backward pass oneDNN has wrong."""

import subprocess
import sys

import torch
from torch import nn

from autogrow.networks.pointwise import StridedPointwise

# Without care each kills its process: large images, and small ones that two threads share.
GRADIENTS = """
import itertools, torch
from autogrow.networks.sub_modules import Projection

def gradients(conv, x, y):
    conv(x.requires_grad_()).backward(y)
    return x.grad, conv.weight.grad

torch.manual_seed(0)
layout = {"memory_format": torch.channels_last}
cases = {1: itertools.product([4], [46, 56, 112]), 2: [(3, 16), (3, 44), (65, 32)]}
for threads, shapes in cases.items():
    torch.set_num_threads(threads)
    for (images, size), inputs in itertools.product(shapes, [4, 8, 12]):
        found = Projection(inputs, 2 * inputs, 2).conv
        expected = torch.nn.Conv2d(inputs, 2 * inputs, 1, 2, bias=False).double()
        expected.load_state_dict(found.state_dict())
        x = torch.randn(images, inputs, size, size)
        y = torch.randn(images, 2 * inputs, size // 2, size // 2)
        exact = gradients(expected, x.double(), y.double())
        rounded = gradients(found.to(**layout), x.contiguous(**layout), y.contiguous(**layout))
        for one, other in zip(rounded, exact):
            assert (one - other).abs().max() <= 1e-6 * other.abs().max(), (threads, size, inputs)
"""


def test_gradients_of_the_shapes_that_crash_are_right():
    command = [sys.executable, "-c", GRADIENTS]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_elsewhere_it_is_the_convolution_to_the_bit():
    # Shapes for which the convolution itself is sound: others would damage this process's memory.
    last, first = torch.channels_last, torch.contiguous_format
    for inputs, size, layout in ((16, 56, last), (8, 56, first), (8, 55, last)):
        layer, plain = (
            kind(inputs, 32, 1, 2, bias=False) for kind in (StridedPointwise, nn.Conv2d)
        )
        plain.load_state_dict(layer.state_dict())
        image = torch.randn(3, inputs, size, size).contiguous(memory_format=layout)
        for conv in (layer, plain):
            conv.to(memory_format=layout)(image).square().sum().backward()
        assert torch.equal(layer.weight.grad, plain.weight.grad)
