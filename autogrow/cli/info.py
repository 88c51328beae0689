"""What ``autogrow info`` prints."""

from __future__ import annotations

import argparse

from autogrow.cli.options import positive
from autogrow.errors import UserError
from autogrow.networks.names import choose_stem, known, parse_network


def add_info(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``autogrow info``."""
    parser.add_argument("network", help="network with its depth, as Basic3ResNet-3-3-3")
    parser.add_argument("--data", metavar="NAME", help="take size, channels, classes from it")
    parser.add_argument("--image-size", type=positive, metavar="S", help="pixels (default: 32)")
    parser.add_argument("--channels", type=positive, metavar="C", help="default: 3")
    parser.add_argument("--classes", type=positive, metavar="N", help="default: 10")
    parser.add_argument("--stem", choices=("auto", "small", "imagenet"), default="auto")
    parser.add_argument("--width", type=positive, metavar="N", help="default: the paper's")
    parser.add_argument("--shortcut", choices=("B", "A"), default="B", help="as for training")
    parser.set_defaults(command=_info)


def _info(options: argparse.Namespace) -> None:
    # A mistake in the name is reported before torch is loaded.
    name = known(parse_network(options.network))
    size, channels, classes = options.image_size, options.channels, options.classes
    if options.data is not None:
        if size or channels or classes:
            raise UserError("--data: allowed: --data, or --image-size, --channels and --classes")
        from autogrow.data import info

        facts = info(options.data)
        size, channels, classes = facts.image_size, facts.channels, facts.n_classes
    size, channels, classes = size or 32, channels or 3, classes or 10
    from tabulate import tabulate

    from autogrow.networks.flops import network_costs

    costs = network_costs(
        name,
        image_size=size,
        image_channels=channels,
        classes=classes,
        stem=choose_stem(name.architecture, options.stem, size),
        width=options.width,
        shortcut=options.shortcut,
    )
    header = ["part", "sub-modules", "layers", "parameters", "FLOPs"]
    rows = [
        [c.part, c.sub_modules or "", c.layers, f"{c.parameters:,}", f"{c.flops:,}"] for c in costs
    ]
    table = tabulate(rows, header, disable_numparse=True, colalign=("left", *("right",) * 4))
    total = costs[-1]
    print(
        f"{name} for {size}x{size}x{channels} images of {classes} classes\n\n{table}\n\n"
        f"{total.layers} layers, {total.parameters / 1e6:.2f} M parameters, "
        f"{total.flops / 1e9:.3f} GFLOPs an image (a FLOP is one multiply-add)"
    )
