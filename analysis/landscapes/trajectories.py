"""The trajectory of a run's parameters on a plane (Figures 5 and 6), as Li et al. (2018).

The run must have been trained with snapshots. A shallower network is put into the final
network's parameter space with zeros for what it does not have; the plane is spanned by
the first two principal components of the points' differences to the final one. Only points
evenly spaced in epochs are in that fit: those right before and after a growth are projected.

OUT/trajectory.csv has the points, OUT/plane.json explained variances (percent) and ranges,
OUT/plane.safetensors the two components, and OUT/contour.csv the training loss (mean
cross-entropy, not clipped) and training accuracy (percent) around the final point, over
images that are not augmented. The statistics of Batch Normalization are the final network's.
The trajectory of a run that diverged ends at the last snapshot before it did, and there are
no losses around it.

An interrupted command computes the missing blocks when it is repeated. Several processes can
share the work: `--part plane`, then `--block 1/4` ... `--block 4/4`, one each, then `--gather 4`.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from analysis.landscapes import shared_options as common
from analysis.landscapes.grids import BlockFolder, Grid, axis, block_files
from autogrow.errors import UserError

if TYPE_CHECKING:
    from analysis.landscapes.finished import FinishedRun
    from analysis.landscapes.planefiles import PlaneFacts

RESULT = "contour.csv"
POINTS, MARGIN = 31, 0.15


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--points",
        type=common.whole_number(2, common.MOST_POINTS),
        metavar="N",
        help=f"N x N points of the contour (default: {POINTS})",
    )
    parser.add_argument(
        "--margin",
        type=common.number(0, 100),
        metavar="M",
        help=f"room around the trajectory on each side, relative to its extent (default: {MARGIN})",
    )
    parts = parser.add_mutually_exclusive_group()
    parts.add_argument(
        "--part", choices=["plane"], help="only the plane: all files but OUT/contour.csv"
    )
    common.add_shared(parser, parts, RESULT)


def run(options: argparse.Namespace) -> int:
    """Compute what the options ask for; return the exit status."""
    from analysis.landscapes import planefiles as files
    from analysis.landscapes.finished import finished_run

    run = finished_run(options.run)
    facts = _plane_there(run, options) if options.block or options.gather else _plane(run, options)
    if options.part:
        return 0
    settings = {
        "network": run.summary.network,
        "weights": run.weights,
        "plane": facts.directions,
        "x": list(facts.x),
        "y": list(facts.y),
        "points": facts.points,
        "images": options.images,
    }
    grid = Grid(*(axis(low, high, facts.points) for low, high in (facts.x, facts.y)))
    folder = BlockFolder(options.out, grid, settings, RESULT)
    common.carry_out(
        options, run, folder, lambda network: files.read_directions(facts, options.out)
    )
    return 0


def _plane_there(run: FinishedRun, options: argparse.Namespace) -> PlaneFacts:
    """Return the plane that --part plane has made; options that say otherwise are mistakes."""
    from analysis.landscapes.planefiles import FACTS, facts_of

    facts = facts_of(run, options.out)
    for key in ("points", "margin"):
        given, there = getattr(options, key), getattr(facts, key)
        if given not in (None, there):
            raise UserError(
                f"--{key}: found {given}, {options.out / FACTS} has {there}; "
                "allowed: the same; another one with --part plane"
            )
    return facts


def _plane(run: FinishedRun, options: argparse.Namespace) -> PlaneFacts:
    """Return the plane, computed unless the folder has it."""
    from analysis.landscapes.planefiles import FACTS, kept_facts, write_plane

    points, margin = options.points or POINTS, options.margin or MARGIN
    facts = kept_facts(run, options.out, points=points, margin=margin)
    if facts is None:
        # A plane alone may change: the blocks' own settings tell that they are of another.
        if not (options.part or options.restart) and block_files(options.out):
            raise UserError(
                f"{options.out}: holds blocks of another plane; "
                "use another folder, or discard those blocks with --restart"
            )
        facts = write_plane(run, options.out, points=points, margin=margin)
    message = "no plane: too few points before the run diverged"
    if facts.explained_1 is not None:
        message = f"explained variance {facts.explained_1:.2f} % and {facts.explained_2:.2f} %"
    print(f"{options.out / FACTS}: {message}")
    return facts
