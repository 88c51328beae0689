"""Data sets on a machine's own disk: copied there once, then read from there.

On a cluster the data root is on a shared file system, which many jobs that read
a million small files every epoch would wait for.
"""

from __future__ import annotations

import os
import shutil
import sys
import tarfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from autogrow.errors import UserError
from autogrow.files.reading import printable
from autogrow.process.lock import locked

VARIABLE = "AUTOGROW_SCRATCH"
SMALL = 64 * 2**20  # bytes
COPIERS = 16  # threads: on a network file system most of the time is waiting


def staged(place: Path, folder: str, files: Sequence[str]) -> Path:
    """Return the place of a data set's files: its copy below AUTOGROW_SCRATCH, if that is set.

    A ``.tar`` of `folder` beside it is unpacked instead of copying the folder's files.
    Processes that want the same copy wait for the first one to make it.
    """
    scratch = os.environ.get(VARIABLE)
    if not scratch:
        return place
    # Data roots of several users or versions must not be mixed up.
    name = sha256(str(place.resolve()).encode()).hexdigest()[:12]
    target = Path(scratch).expanduser() / f"autogrow-{name}"
    wanted = [Path(folder) / file for file in files]
    with locked(target, _say, wait=True):
        try:
            _stage(place, target, wanted)
        except (OSError, tarfile.TarError) as error:
            told = printable(str(getattr(error, "strerror", None) or error))
            raise UserError(
                f"{VARIABLE}: {printable(place / folder)} cannot be copied to "
                f"{printable(target)}: {told}; allowed: a folder with room for it"
            ) from None
    return target


def _stage(place: Path, target: Path, wanted: Sequence[Path]) -> None:
    folders = [file for file in wanted if (place / file).is_dir()]
    # Small files that lie beside folders of images: labels, names of classes.
    beside = {file.parent for file in folders}
    small = [f.relative_to(place) for b in beside for f in (place / b).iterdir() if _is_small(f)]
    for file in (*(file for file in wanted if file not in folders), *small):
        if not _same(place / file, target / file):
            _say(f"{printable(place / file)}: copying to {printable(target / file)}")
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(place / file, target / file)
    missing = [file for file in folders if not (target / file).exists()]
    if not missing:
        return
    _say(f"{', '.join(printable(place / f) for f in missing)}: copying to {printable(target)}")
    parts = {file.name: (target / file).with_name(f"{file.name}.part") for file in missing}
    for part in parts.values():  # of a process that was killed, perhaps
        shutil.rmtree(part, ignore_errors=True)
    home = place / missing[0].parent
    tar = home.with_name(f"{home.name}.tar")
    if tar.is_file():
        _unpack(tar, parts)
    else:
        for name, part in parts.items():
            _copy_folder(home / name, part)
    for file in missing:  # whole, or not there
        parts[file.name].replace(target / file)


def _is_small(file: Path) -> bool:
    return file.is_file() and file.stat().st_size <= SMALL


def _same(source: Path, copy: Path) -> bool:
    if not copy.exists():
        return False
    one, two = source.stat(), copy.stat()
    return (one.st_size, int(one.st_mtime)) == (two.st_size, int(two.st_mtime))


def _unpack(tar: Path, parts: Mapping[str, Path]) -> None:
    """Unpack folders of NAME.tar, in which they are NAME/FOLDER, reading it from start to end."""
    with tarfile.open(tar, "r|") as archive:
        for member in archive:
            home, _, rest = member.name.removeprefix("./").partition("/")
            folder, _, file = rest.partition("/")
            if home == tar.stem and folder in parts and member.isfile():
                member.name = file
                archive.extract(member, parts[folder], filter="data")
    for name, part in parts.items():
        if not part.exists():
            raise OSError(f"{tar} has no {tar.stem}/{name} in it")


def _copy_folder(source: Path, part: Path) -> None:
    files = []
    for folder, _, names in os.walk(source):
        to = part / Path(folder).relative_to(source)
        to.mkdir(parents=True)
        files += [(Path(folder) / name, to / name) for name in names]
    with ThreadPoolExecutor(COPIERS) as pool:
        for _ in pool.map(lambda pair: shutil.copyfile(*pair), files):
            pass


def _say(message: str) -> None:
    print(message, file=sys.stderr)  # noqa: T201
