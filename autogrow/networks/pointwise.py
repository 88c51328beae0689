"""1x1 convolutions with a stride, whose backward pass oneDNN cannot always compute.

If a channels_last image has fewer channels than a vector has numbers, oneDNN writes beyond its
workspace (https://github.com/uxlfoundation/oneDNN/issues/6035): the process dies where an image
is large, where threads share one, and on processors without AVX-512.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

VECTOR = 16  # numbers in AVX-512's; AVX2 has 8


class StridedPointwise(nn.Conv2d):
    """A 1x1 convolution with a stride that takes the pixels it needs first where it must."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        rows, columns = self.stride
        # A trace, which may be trained on other images, takes them always.
        if torch.jit.is_tracing() or (
            torch.is_grad_enabled()
            and x.is_cpu
            and x.is_contiguous(memory_format=torch.channels_last)
            and x.shape[1] < VECTOR
            and x.shape[2] % rows == x.shape[3] % columns == 0  # else oneDNN has another way
        ):
            # A dilation changes nothing in a 1x1 kernel, but without it PyTorch leaves small
            # batches to a library whose sums are less exact. So this is equal to the bit.
            return conv2d(x[:, :, ::rows, ::columns], self.weight, dilation=2)
        return super().forward(x)
