"""What families of networks timm and torchvision have: their stages, and how depth is passed.

One line a family, by the name of its class in the library.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

Options = dict[str, Any]
"""Arguments by which a library builds a network."""


def _unchanged(size: int) -> Options:
    return {}


def _strides(size: int) -> Options:
    """Keep the maps of the last sub-network from four pixels a side up, by dilation."""
    return {"output_stride": 8 if size < 64 else 16}


def _small_patches(size: int) -> Options:
    return {"patch_size": 2 if size >= 64 and size % 2 == 0 else 1}


def _eight_patches(size: int) -> Options:
    """Cut an image into about 8 x 8 patches."""
    sides = [p for p in range(1, size + 1) if size % p == 0]
    return {"patch_size": min(sides, key=lambda p: abs(math.log(size / (8 * p))))}


@dataclass(frozen=True)
class Family:
    """A family of a library's networks.

    Parameters
    ----------
    stages
        A pattern (re) that the dotted names of its stages match.
    depth
        The argument that takes the depth; where ``replaces`` is set, the library has no argument
        for it, and this is the function of its module that decides on the blocks.
    small
        Returns the library's own arguments for images below 96 pixels, by their size.
    sized
        Whether the network is built for one image size, by ``img_size``.
    replaces
        Whether ``depth`` names a function.
    """

    stages: str
    depth: str
    small: Callable[[int], Options] = _unchanged
    sized: bool = False
    replaces: bool = False


_VIT = Family("blocks", "depth", _eight_patches, sized=True)
_SWIN = Family(r"layers\.\d\.blocks", "depths", _small_patches, sized=True)
_EFFICIENT = Family(r"blocks\.\d+", "decode_arch_def", _strides, replaces=True)

FAMILIES: dict[str, dict[str, Family]] = {
    "timm": {
        "ResNet": Family(r"layer\d", "layers", _strides),
        "ResNetV2": Family(r"stages\.\d\.blocks", "layers", _strides),
        "ConvNeXt": Family(r"stages\.\d\.blocks", "depths", _small_patches),
        "RegNet": Family(r"s\d", "generate_regnet", _strides, replaces=True),
        "EfficientNet": _EFFICIENT,
        "MobileNetV3": replace(_EFFICIENT, small=_unchanged),
        "VisionTransformer": _VIT,
        "Eva": _VIT,
        "SwinTransformer": _SWIN,
        "SwinTransformerV2": _SWIN,
    },
    "torchvision": {
        "ResNet": Family(r"layer\d", "layers"),
        "ConvNeXt": Family(r"features\.[1357]", "block_setting"),
        "SwinTransformer": Family(r"features\.[1357]", "depths"),
    },
}

UNSTACKABLE = {
    "DenseNet": "a dense layer adds its channels to those below it, so a further one does not "
    "keep the shape, and what follows would not fit",
}
"""Why networks of a class cannot be grown."""
