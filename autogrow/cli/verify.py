"""``autogrow verify``: whether finished results are what they were when they were sealed."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from autogrow.errors import UserError
from autogrow.files.reading import printable, require_file, require_folder
from autogrow.files.seals import COVERED, OPTIONAL, RUN, SUFFIX, read_seal, seal, seal_file
from autogrow.runs.folder import check_older
from autogrow.training.unfinished import checkpoint_files

DAMAGE = 1
STATES = ("sound", "damaged", "unsealed", "unfinished")


def add_verify(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``autogrow verify``."""
    parser.add_argument(
        "folders",
        type=Path,
        nargs="+",
        metavar="DIR",
        help="folder of a run or a landscape, or one with many of them below",
    )
    parser.add_argument(
        "--seal",
        action="store_true",
        help="seal results of an older suite, which have no seal, as they are",
    )
    parser.set_defaults(command=_verify)


def _verify(options: argparse.Namespace) -> int:
    """Print the state of each result; return 1 if one is damaged."""
    count: Counter[str] = Counter()
    for root in options.folders:
        require_folder(root, "a folder of results")
        found = list(_results(root))
        if not found:
            raise UserError(f"{root}: found no finished results; allowed: a folder of them")
        for main in found:
            state, lines = _state(main, seal_older=options.seal)
            count[state] += 1
            print("\n".join(f"{state:10} {line}" for line in lines))
    print(", ".join(f"{count[state]} {state}" for state in STATES if count[state]))
    return DAMAGE if count["damaged"] else 0


def _results(root: Path) -> Iterator[Path]:
    """Yield the main file of each result from ``root`` down, whether it is sealed or not."""

    def refused(error: OSError) -> None:
        raise error

    for place, folders, names in os.walk(root, onerror=refused):
        folders.sort()
        sealed = {name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)}
        if Path(place).name == "blocks":  # one that is not there is computed again
            sealed &= set(names)
        yield from (Path(place, name) for name in sorted(sealed | COVERED.keys() & {*names}))


def _state(main: Path, *, seal_older: bool) -> tuple[str, list[str]]:
    """Return the state of a result, and a line for it or for each of its damaged files."""
    here = [printable(main.parent if main.name == RUN else main)]
    damaged = []
    try:
        if not seal_file(main).exists():
            if main.name == RUN and checkpoint_files(main.parent):
                return "unfinished", here
            if not seal_older:
                return "unsealed", here
            _seal_as_it_is(main)
        kept = read_seal(main)
    except UserError as error:
        return "damaged", [str(error)]
    for name in kept.expected:
        try:
            kept.check(name)
        except UserError as error:
            damaged.append(str(error))
    if damaged:
        return "damaged", damaged
    without = "" if kept.expected == list(kept.files) else " (unpacked: without weights)"
    return "sound", [here[0] + without]


def _seal_as_it_is(main: Path) -> None:
    """Seal a result of an older suite, if it has all files that a result has."""
    if main.name == RUN:
        check_older(main.parent)
    for name in COVERED[main.name]:
        if "*" not in name and name not in OPTIONAL:
            require_file(main.with_name(name), "a file of a finished result")
    seal(main)
