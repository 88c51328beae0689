"""Photographs of any size and shape, made squares of one size as evaluation on ImageNet does."""

from __future__ import annotations

from typing import Any

IMAGENET_RESIZE = 256 / 224
"""Shorter side that evaluation on ImageNet resizes to, in units of the square."""


def central_square(image: Any, shorter_side: int, size: int) -> Any:
    """Return the central square of an image of Pillow's.

    Parameters
    ----------
    image
        The image.
    shorter_side
        Pixels that its shorter side is resized to first, at least ``size``.
    size
        Height and width of the square in pixels.
    """
    from torchvision.transforms import v2

    resized = v2.functional.resize(image, [shorter_side])
    return v2.functional.center_crop(resized, [size])
