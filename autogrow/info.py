"""What ``autogrow info`` prints."""

from __future__ import annotations

from typing import NamedTuple

from tabulate import tabulate

from autogrow import data
from autogrow.config import choose_stem
from autogrow.flops import network_costs
from autogrow.names import NetworkName


class Images(NamedTuple):
    """What a network must know of a data set: side in pixels, channels, classes."""

    size: int
    channels: int
    classes: int


def images_of(name: str) -> Images:
    """Return size, channels and classes of a data set's images.

    Raises
    ------
    UserError
        If there is no data set of this name.
    """
    info = data.info(name)
    return Images(info.image_size, info.channels, info.n_classes)


def describe(
    name: NetworkName, images: Images, stem: str = "auto", width: int | None = None
) -> str:
    """Return a table of layers, parameters and FLOPs per sub-network and in all.

    Parameters
    ----------
    name
        The network.
    images
        What it is for.
    stem
        ``auto``, ``small`` or ``imagenet``.
    width
        Channels of the first sub-network; None: the paper's.

    Raises
    ------
    UserError
        If the architecture has no such stem.
    """
    costs = network_costs(
        name,
        image_size=images.size,
        image_channels=images.channels,
        classes=images.classes,
        stem=choose_stem(name.architecture, stem, images.size),
        width=width,
    )
    header = ["part", "sub-modules", "layers", "parameters", "FLOPs"]
    rows = [
        [c.part, c.sub_modules or "", c.layers, f"{c.parameters:,}", f"{c.flops:,}"] for c in costs
    ]
    table = tabulate(rows, header, disable_numparse=True, colalign=("left", *("right",) * 4))
    total = costs[-1]
    return (
        f"{name} for {images.size}x{images.size}x{images.channels} images "
        f"of {images.classes} classes\n\n{table}\n\n"
        f"{total.layers} layers, {total.parameters / 1e6:.2f} M parameters, "
        f"{total.flops / 1e9:.3f} GFLOPs an image (a FLOP is one multiply-add)"
    )
