"""Pack finished runs into archives, unpack them, and check archives.

``python -m analysis archive pack --scale mini`` packs every finished run of results/out/mini into
results/reference/mini, an archive a seed: spec, metrics, growth, summary and seal of each run, no
weights. ``unpack`` puts them back where the workflow finds them as finished; what is there
already stays. ``check`` reads whole archives and writes nothing.

Exit status: 0; 2 if a run or an archive is damaged, and then nothing is written.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from analysis.experiments.scales import ROOT, SCALES
from analysis.records.archives import archive_files, archive_name, pack, read_archive
from analysis.records.unpacking import unpack
from autogrow.errors import UserError
from autogrow.files.reading import require_folder
from autogrow.files.seals import seal_file
from autogrow.files.writing import write_together
from autogrow.runs.folder import SPEC
from autogrow.runs.summary import SUMMARY


def finished_runs(folder: Path) -> tuple[dict[int, list[str]], int]:
    """Return the ids of all finished runs in a folder of results by seed, and how many are not."""
    require_folder(folder, "a folder of results")
    found: dict[int, list[str]] = {}
    unfinished = 0
    for place in sorted((folder / "runs").glob("**/seed*")):
        seed = re.fullmatch(r"seed(\d+)", place.name)
        if seed is None or not place.is_dir():
            continue
        if seal_file(place / SUMMARY).exists() or (place / SUMMARY).exists():
            run = place.parent.relative_to(folder / "runs").as_posix()
            found.setdefault(int(seed[1]), []).append(run)
        else:
            unfinished += (place / SPEC).exists()
    return dict(sorted(found.items())), unfinished


def _pack(source: Path, target: Path) -> None:
    seeds, unfinished = finished_runs(source)
    if not seeds:
        raise UserError(f"{source}: has no finished run; allowed: results/out/SCALE")
    packed = {}
    for seed, runs in seeds.items():
        file = target / archive_name(seed)
        if file.exists():
            lost = sorted({*read_archive(file).runs} - {*runs})
            if lost:
                raise UserError(
                    f"{file}: has {len(lost)} runs that {source} has not, as {lost[0]}; allowed: "
                    "unpack it first, or pack into another folder"
                )
        packed[file] = pack(source, seed, runs)
    write_together(packed)
    for (seed, runs), content in zip(seeds.items(), packed.values(), strict=True):
        print(f"{target / archive_name(seed)}: {len(runs)} runs, {len(content):,} bytes")
    if unfinished:
        print(f"note: {unfinished} unfinished runs are left out")


def _archives(folder: Path) -> list[Path]:
    require_folder(folder, "a folder of archives")
    files = archive_files(folder)
    if not files:
        raise UserError(f"{folder}: has no archive; allowed: a folder with {archive_name(0)}")
    return files


def _unpack(source: Path, target: Path) -> None:
    # Every archive is read whole before the first file is written.
    for file, archive in [(file, read_archive(file)) for file in _archives(source)]:
        count = unpack(archive, file.name, target)
        message = f"{file}: {count['unpacked']} of {len(archive.runs)} runs unpacked into {target}"
        if count["there"]:
            message += f"; {count['there']} are there already"
        if count["unfinished"]:
            message += f"; {count['unfinished']} are unfinished there, and left as they are"
        print(message)


def _check(source: Path) -> None:
    for file in _archives(source):
        print(f"{file}: {len(read_archive(file).runs)} runs, sound")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("action", choices=("pack", "unpack", "check"))
    parser.add_argument("--scale", required=True, choices=SCALES)
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="DIR",
        help="default: results/out/SCALE to pack, else results/reference/SCALE",
    )
    parser.add_argument(
        "--to",
        dest="target",
        type=Path,
        metavar="DIR",
        help="default: results/reference/SCALE to pack, results/out/SCALE to unpack",
    )


def run(options: argparse.Namespace) -> int:
    """Pack, unpack or check; return the exit status."""
    out, reference = (ROOT / "results" / kind / options.scale for kind in ("out", "reference"))
    if options.action == "pack":
        _pack(options.source or out, options.target or reference)
    elif options.action == "unpack":
        _unpack(options.source or reference, options.target or out)
    elif options.target is not None:
        raise UserError("--to: archive check writes nothing; allowed: --from alone")
    else:
        _check(options.source or reference)
    return 0
