"""Raw images become a network's input: one way for predictions, evaluation and exports."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import pad

from autogrow.batches.in_memory import normalised
from autogrow.data.photographs import central_square
from autogrow.errors import UserError
from autogrow.runs.description import Description


def raw_images(images: np.ndarray, description: Description) -> Tensor:
    """Return images in the size that :class:`Preparation` takes: uint8, shape (N, S, S, C).

    Images of another size, and photographs, are resized by their shorter side, and their central
    square is taken, as in training.

    Parameters
    ----------
    images
        uint8, shape (N, H, W, C), with the network's channels.
    description
        The description of the network.

    Raises
    ------
    UserError
        If type or shape is another.
    """
    if images.dtype != np.uint8:
        raise UserError(f"images: found type {images.dtype}; allowed: uint8, 0 to 255")
    channels, size = description.channels, description.raw_size
    if images.ndim != 4 or images.shape[3] != channels or 0 in images.shape[1:]:
        raise UserError(
            f"images: found shape {images.shape}; allowed: (N, H, W, {channels})"
            f"{' or (N, H, W)' * (channels == 1)}"
        )
    if images.shape[1:3] == (size, size) and description.shorter_side in (None, size):
        # A new view: strides of a single channel may be anything, and convolutions ask for them.
        return torch.from_numpy(images.reshape(-1)).view(images.shape)
    if channels not in (1, 3):
        raise UserError(
            f"images: found {images.shape[1]}x{images.shape[2]} pixels; allowed: {size}x{size} "
            f"(only images of 1 or 3 channels are resized)"
        )
    pixels = images[..., 0] if channels == 1 else images
    fitted = [fitted_image(Image.fromarray(image), description) for image in pixels]
    return torch.stack(fitted) if fitted else torch.empty(0, size, size, channels).byte()


def fitted_image(image: Image.Image, description: Description) -> Tensor:
    """Return the central square of one image of Pillow's: uint8, shape (S, S, C)."""
    size = description.raw_size
    square = central_square(image, description.shorter_side or size, size)
    return torch.from_numpy(np.array(square)).view(size, size, -1)


class Preparation(nn.Module):
    """Maps raw images to a network's input, as the run's evaluation did.

    Parameters
    ----------
    description
        The description of the network.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, description: Description) -> None:
        super().__init__()
        self.padding = description.zero_padding - description.trim
        self.factor = description.downscale
        for name in ("mean", "std"):
            values = torch.tensor(getattr(description, name), dtype=torch.float32)
            self.register_buffer(name, values.view(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Map uint8 images (N, S, S, C) to normalised float32 images (N, C, H, W)."""
        x = images.permute(0, 3, 1, 2).float()
        if self.padding:
            x = pad(x, (self.padding,) * 4)
        if self.factor > 1:
            blocks = x.unflatten(3, (-1, self.factor)).unflatten(2, (-1, self.factor))
            x = blocks.mean((3, 5)).round()
        return normalised(x, self.mean, self.std)
