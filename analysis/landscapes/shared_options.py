"""Options that ``trajectory`` and ``surface`` share, and the order in which blocks are computed."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.landscapes.grids import Block, BlockFolder
from autogrow.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from analysis.landscapes.finished import FinishedRun
    from analysis.landscapes.landscape import Landscape

MOST_POINTS = 10_000


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return what argparse reads a whole number from ``low`` to ``high`` by."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(
                f"found {text!r}; allowed: a whole number from {low} to {high}"
            )
        return int(text)

    return read


def number(low: float, high: float) -> Callable[[str], float]:
    """Return what argparse reads a number above ``low`` and up to ``high`` by."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low < value <= high:
            raise argparse.ArgumentTypeError(
                f"found {text!r}; allowed: a number above {low:g}, up to {high:g}"
            )
        return value

    return read


def block(text: str) -> Block:
    """Read a block as ``2/5`` for argparse."""
    try:
        return Block.parse(text)
    except UserError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_shared(
    parser: argparse.ArgumentParser, parts: argparse._MutuallyExclusiveGroup, result: str
) -> None:
    """Add the options of both commands.

    Parameters
    ----------
    parser
        Gets them.
    parts
        Its group of options that ask for a part of the work.
    result
        The file that gathering writes.
    """
    parser.add_argument(
        "--run", type=Path, required=True, metavar="RUN", help="folder of a finished run"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="OUT", help="folder for the results"
    )
    parser.add_argument(
        "--restart",
        action="store_true",
        help="discard blocks in OUT that were computed with other settings or for another run",
    )
    group = parser.add_argument_group("evaluation")
    group.add_argument(
        "--images",
        type=whole_number(1, 10**9),
        metavar="N",
        help="evaluate on at most N of the run's training images, drawn at random, always the "
        "same ones (default: all of them)",
    )
    group.add_argument("--device", default="auto", help="auto (default), cpu, cuda or cuda:N")
    group.add_argument("--threads", type=whole_number(1, 100_000), metavar="N", help="CPU threads")
    group.add_argument(
        "--data-root",
        type=Path,
        metavar="DIR",
        help="where data sets are looked for first (default: $AUTOGROW_DATA_ROOT, else ./data)",
    )
    parts.add_argument(
        "--block",
        type=block,
        metavar="I/N",
        help="compute only block I, from 1, of the grid's rows cut into N: OUT/blocks/I-of-N.csv; "
        "a block that is there already is kept",
    )
    parts.add_argument(
        "--gather",
        type=whole_number(1, MOST_POINTS),
        metavar="N",
        help=f"only put N blocks together: OUT/{result}",
    )


class Undefined:
    """The landscape of a run that diverged: its network has no loss, and none is around it."""

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return loss and accuracy at (x, y)."""
        return math.nan, math.nan


def carry_out(
    options: argparse.Namespace,
    folder: BlockFolder,
    landscape: Callable[[], Landscape | Undefined],
) -> None:
    """Compute one block, or compute all and gather them, or only gather, as the options say.

    Parameters
    ----------
    options
        With ``block``, ``gather`` and ``restart``.
    folder
        Where blocks go.
    landscape
        Returns what is evaluated; called only if a block is missing.
    """
    count = options.block.count if options.block else options.gather or len(folder.grid.y)
    folder.grid.points(Block(1, count))  # a count that is not allowed leaves no folder
    if options.gather is None:
        blocks = [options.block] if options.block else [Block(i + 1, count) for i in range(count)]
        folder.open(restart=options.restart)
        at = None
        for b in (b for b in blocks if folder.rows(b) is None):
            at = at or landscape().at
            begin = time.perf_counter()
            folder.compute(b, at)
            rate = len(folder.grid.points(b)) / (time.perf_counter() - begin)
            print(f"{folder.file(b)}: block {b}, {rate:.3g} points/s", flush=True)
    if options.block is None:
        folder.gather(count)
        print(folder.result)


def open_landscape(
    run: FinishedRun,
    options: argparse.Namespace,
    directions: Callable[[nn.Module], Sequence[Mapping[str, Tensor]]],
) -> Landscape | Undefined:
    """Return the landscape around a run's final network; undefined if the run diverged.

    Parameters
    ----------
    run
        The run.
    options
        Of :func:`add_evaluation`.
    directions
        Returns the two directions for the network.
    """
    if run.diverged_after is not None:
        print(f"{run.folder}: diverged in epoch {run.diverged_after}: no loss around its network")
        return Undefined()
    from analysis.landscapes import trained
    from analysis.landscapes.landscape import Landscape
    from autogrow.training.epoch import evaluate

    device = trained.device_for(options.device, options.threads)
    network = trained.final_network(run, device)
    images = trained.training_images(run, device, options.data_root, options.images)
    dx, dy = directions(network)
    return Landscape(network, dx, dy, lambda moved: evaluate(moved, images)[0])
