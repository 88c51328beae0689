"""Sub-modules of the paper's networks, and their first layer (section 2.1).

Each is a stack of convolutions with Batch Normalization (BN) and ReLU.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

from autogrow.networks.names import Block, Shortcut, Stem
from autogrow.networks.pointwise import StridedPointwise


def _conv_bn(
    inputs: int, outputs: int, kernel: int, stride: int = 1
) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    layer = StridedPointwise if kernel == 1 and stride > 1 else nn.Conv2d
    conv = layer(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return conv, nn.BatchNorm2d(outputs)


def conv_bn(conv: nn.Conv2d, bn: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Return ``bn(conv(x))``; without training, by a convolution with BN folded into it.

    BN is folded in evaluation mode without gradients, at each call, so no copy of the weights
    can be out of date: folding costs as much as reading them once. A trace is never folded, so
    that it is the same with gradients and without, as ``torch.jit.trace`` checks.
    """
    if bn.training or torch.is_grad_enabled() or bn.running_mean is None or bn.running_var is None:
        return bn(conv(x))
    if torch.jit.is_tracing():
        return bn(conv(x))
    scale = bn.weight * (bn.running_var + bn.eps).rsqrt()
    weight = conv.weight * scale.view(-1, 1, 1, 1)
    return conv2d(x, weight, bn.bias - bn.running_mean * scale, conv.stride, conv.padding)


class Projection(nn.Module):
    """1x1 convolution + BN where the residual block changes the shape (He et al., option B)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv, self.bn = _conv_bn(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        return conv_bn(self.conv, self.bn, x)


class PaddedShortcut(nn.Module):
    """Identity where the residual block changes the shape: no parameters (He et al., option A)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.missing, self.stride = outputs - inputs, stride

    def forward(self, x: Tensor) -> Tensor:
        """Take each stride-th pixel; channels of zeros follow the inputs'."""
        return pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.missing))


def _shortcut(inputs: int, outputs: int, stride: int, kind: Shortcut) -> nn.Module:
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return (Projection if kind == "B" else PaddedShortcut)(inputs, outputs, stride)


class SubModule(nn.Module):
    """What the sub-modules of the paper's networks have in common."""

    expansion = 1
    """Output channels in units of the channels that it is built with."""

    def __init__(self, inputs: int, channels: int, stride: int, shortcut: Shortcut = "B") -> None:
        super().__init__()

    @property
    def last_bn(self) -> nn.BatchNorm2d | None:
        """The Batch Normalization before the addition; None in a plain sub-module."""
        return None


class BasicBlock(SubModule):
    """Residual sub-module of two 3x3 convolutions (He et al. 2016)."""

    def __init__(self, inputs: int, channels: int, stride: int, shortcut: Shortcut = "B") -> None:
        super().__init__(inputs, channels, stride, shortcut)
        self.conv1, self.bn1 = _conv_bn(inputs, channels, 3, stride)
        self.conv2, self.bn2 = _conv_bn(channels, channels, 3)
        self.shortcut = _shortcut(inputs, channels, stride, shortcut)

    @property
    def last_bn(self) -> nn.BatchNorm2d:
        """The Batch Normalization before the addition."""
        return self.bn2

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, channels, H / stride, W / stride)."""
        out = conv_bn(self.conv1, self.bn1, x).relu_()
        out = conv_bn(self.conv2, self.bn2, out)
        # In place: neither BN nor the addition needs this output for its gradient.
        return out.add_(self.shortcut(x)).relu_()


class BottleneckBlock(SubModule):
    """Residual sub-module of 1x1, 3x3 and 1x1 convolutions; the stride is on the 3x3."""

    expansion = 4

    def __init__(self, inputs: int, channels: int, stride: int, shortcut: Shortcut = "B") -> None:
        super().__init__(inputs, channels, stride, shortcut)
        outputs = channels * self.expansion
        self.conv1, self.bn1 = _conv_bn(inputs, channels, 1)
        self.conv2, self.bn2 = _conv_bn(channels, channels, 3, stride)
        self.conv3, self.bn3 = _conv_bn(channels, outputs, 1)
        self.shortcut = _shortcut(inputs, outputs, stride, shortcut)

    @property
    def last_bn(self) -> nn.BatchNorm2d:
        """The Batch Normalization before the addition."""
        return self.bn3

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, 4 * channels, H / stride, W / stride)."""
        out = conv_bn(self.conv1, self.bn1, x).relu_()
        out = conv_bn(self.conv2, self.bn2, out).relu_()
        out = conv_bn(self.conv3, self.bn3, out)
        return out.add_(self.shortcut(x)).relu_()


class PlainLayer(SubModule):
    """Plain sub-module: 3x3 convolution, Batch Normalization, ReLU."""

    def __init__(self, inputs: int, channels: int, stride: int, shortcut: Shortcut = "B") -> None:
        super().__init__(inputs, channels, stride, shortcut)
        self.conv, self.bn = _conv_bn(inputs, channels, 3, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, channels, H / stride, W / stride)."""
        return conv_bn(self.conv, self.bn, x).relu_()


BLOCKS: dict[Block, type[SubModule]] = {
    "basic": BasicBlock,
    "bottleneck": BottleneckBlock,
    "plain": PlainLayer,
}


class StemLayer(nn.Module):
    """First layer: convolution, BN, ReLU, and for ImageNet a 3x3/2 max-pooling."""

    def __init__(self, image_channels: int, channels: int, stem: Stem) -> None:
        super().__init__()
        imagenet = stem == "imagenet"
        kernel, stride = (7, 2) if imagenet else (3, 1)
        self.conv, self.bn = _conv_bn(image_channels, channels, kernel, stride)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1) if imagenet else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, image_channels, H, W) to the first sub-network's input."""
        return self.pool(conv_bn(self.conv, self.bn, x).relu_())
