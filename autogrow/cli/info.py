"""What ``autogrow info`` prints."""

from __future__ import annotations

import argparse
from typing import NamedTuple

from tabulate import tabulate

from autogrow.cli.options import positive
from autogrow.errors import UserError
from autogrow.networks.names import NetworkName, choose_stem


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
    from autogrow.data import info as about

    info = about(name)
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
    from autogrow.networks.flops import network_costs

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


def add_info(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``autogrow info``."""
    parser.add_argument("network", help="network with its depth, as Basic3ResNet-3-3-3")
    parser.add_argument("--data", metavar="NAME", help="take size, channels, classes from it")
    parser.add_argument("--image-size", type=positive, metavar="S", help="pixels (default: 32)")
    parser.add_argument("--channels", type=positive, metavar="C", help="default: 3")
    parser.add_argument("--classes", type=positive, metavar="N", help="default: 10")
    parser.add_argument("--stem", choices=("auto", "small", "imagenet"), default="auto")
    parser.add_argument("--width", type=positive, metavar="N", help="default: the paper's")
    parser.set_defaults(command=_info)


def _info(options: argparse.Namespace) -> None:
    from autogrow.networks.names import parse_network

    name = parse_network(options.network)  # before torch is loaded: a slip is told at once
    given = (options.image_size, options.channels, options.classes)
    if options.data is not None and any(value is not None for value in given):
        raise UserError("--data: allowed: --data, or --image-size, --channels and --classes")

    images = Images(options.image_size or 32, options.channels or 3, options.classes or 10)
    if options.data is not None:
        images = images_of(options.data)
    print(describe(name, images, options.stem, options.width))
