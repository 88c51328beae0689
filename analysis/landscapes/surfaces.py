"""The loss surface around the final network of a run (Figure 7), as Li et al. (2018).

The network is moved along two random Gaussian directions in which each filter has the
norm of the network's filter (biases and Batch Normalization do not move), over a square
grid; OUT/surface.csv has the training loss (mean cross-entropy, not clipped) and the
training accuracy (percent) of each point, over images that are not augmented. The surface
of a run that diverged has no losses.

An interrupted command computes the missing blocks when it is repeated. Several processes can
share the work: `--block 1/4` ... `--block 4/4`, one each, then `--gather 4`.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from analysis.landscapes import shared_options as common
from analysis.landscapes.grids import BlockFolder, Grid, axis
from autogrow.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor, nn

RESULT = "surface.csv"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--seed",
        type=common.whole_number(0, 2**31 - 1),
        default=0,
        metavar="K",
        help="of the random directions: networks share them where they share parameters "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--points",
        type=common.whole_number(3, common.MOST_POINTS),
        default=51,
        metavar="N",
        help="N x N points; odd, so that the network itself is one (default: %(default)s)",
    )
    parser.add_argument(
        "--span",
        type=common.number(0, 1e6),
        default=1.0,
        metavar="S",
        help="the grid reaches from -S to S in both directions (default: %(default)s)",
    )
    common.add_shared(parser, parser.add_mutually_exclusive_group(), RESULT)


def run(options: argparse.Namespace) -> int:
    """Compute what the options ask for; return the exit status."""
    if options.points % 2 == 0:
        raise UserError(f"--points: found {options.points}; allowed: an odd number")
    from analysis.landscapes.finished import finished_run

    run = finished_run(options.run)
    values = axis(-options.span, options.span, options.points)
    settings = {
        "network": run.summary.network,
        "weights": run.weights,
        "seed": options.seed,
        "points": options.points,
        "span": options.span,
        "images": options.images,
    }
    folder = BlockFolder(options.out, Grid(values, values), settings, RESULT)

    def directions(network: nn.Module) -> list[dict[str, Tensor]]:
        from analysis.landscapes.landscape import random_direction

        return [random_direction(network, seed=options.seed, axis=name) for name in "xy"]

    common.carry_out(options, run, folder, directions)
    return 0
