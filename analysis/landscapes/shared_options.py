"""Options that ``trajectory`` and ``surface`` share, and the order in which blocks are computed."""

from __future__ import annotations

import argparse
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.landscapes.grids import Block, BlockFolder
from autogrow.errors import shown

if TYPE_CHECKING:
    from torch import Tensor, nn

    from analysis.landscapes.finished import FinishedRun

MOST_POINTS = 10_000


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return what argparse reads a whole number from ``low`` to ``high`` by."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(
                f"found {shown(text)}; allowed: a whole number from {low} to {high}"
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
                f"found {shown(text)}; allowed: a number above {low:g}, up to {high:g}"
            )
        return value

    return read


def block(text: str) -> Block:
    """Read a block as ``2/5`` for argparse."""
    match = re.fullmatch(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})", text)
    if match is None or int(match[1]) > int(match[2]):
        raise argparse.ArgumentTypeError(
            f"found {shown(text)}; allowed: I/N with I from 1 to N, as 2/5"
        )
    return Block(int(match[1]), int(match[2]))


def add_shared(
    parser: argparse.ArgumentParser, parts: argparse._MutuallyExclusiveGroup, result: str
) -> None:
    """Add the options of both commands; ``parts`` gets those that ask for a part of the work."""
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


def carry_out(
    options: argparse.Namespace,
    run: FinishedRun,
    folder: BlockFolder,
    directions: Callable[[nn.Module], Sequence[Mapping[str, Tensor]]],
) -> None:
    """Compute one block, or compute all and gather them, or only gather, as the options say.

    ``directions`` returns the two directions for the run's network; it and the network are
    needed only if a block is missing.
    """
    count = options.block.of if options.block else options.gather or len(folder.grid.y)
    folder.grid.points(Block(1, count))  # a count that is not allowed leaves no folder
    if options.gather is None:
        blocks = [options.block] if options.block else [Block(i + 1, count) for i in range(count)]
        folder.open(restart=options.restart)
        score = None
        for b in (b for b in blocks if folder.rows(b) is None):
            score = score or _score(run, options, directions)
            begin = time.perf_counter()
            folder.compute(b, score)
            rate = len(folder.grid.points(b)) / (time.perf_counter() - begin)
            print(f"{folder.file(b)}: block {b}, {rate:.3g} points/s", flush=True)
    if options.block is None:
        folder.gather(count)
        print(folder.result)


def _score(
    run: FinishedRun,
    options: argparse.Namespace,
    directions: Callable[[nn.Module], Sequence[Mapping[str, Tensor]]],
) -> Callable[[float, float], tuple[float, float]]:
    """Return what gives loss and accuracy at a point around the run's final network.

    The network of a run that diverged has no loss, and none is around it.
    """
    diverged_after = run.summary.diverged_after
    if diverged_after is not None:
        print(f"{run.folder}: diverged in epoch {diverged_after}: no loss around its network")
        return lambda x, y: (math.nan, math.nan)
    from analysis.landscapes import trained
    from analysis.landscapes.landscape import Landscape
    from autogrow.process.device import find_device
    from autogrow.training.epoch import evaluate, set_precision

    device = find_device(options.device, options.threads)
    set_precision("fp32", device)
    network = trained.final_network(run, device)
    images = trained.training_images(run, device, options.data_root, options.images)
    dx, dy = directions(network)
    return Landscape(network, dx, dy, lambda moved: evaluate(moved, images)[0]).at
