"""Data sets on a machine's own disk: copied there once, then read from there.

On a cluster the data root is on a shared file system, which many jobs that read
a million small files every epoch would wait for.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tarfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from pathlib import Path

from autogrow.errors import UserError
from autogrow.files.reading import printable
from autogrow.process.lock import locked

VARIABLE = "AUTOGROW_SCRATCH"
SMALL = 64 * 2**20  # bytes
COPIERS = 16  # threads: on a network file system most of the time is waiting

Facts = tuple[int, int] | None  # size and time of a file; None: a folder


def staged(place: Path, folder: str, files: Sequence[str]) -> Path:
    """Return the place of a data set's files: its copy below AUTOGROW_SCRATCH, if that is set.

    The copy is compared with them whenever it is used: names, sizes and times. A ``.tar`` of
    `folder` beside it is unpacked first, to read one large file and not many small ones.
    Processes that want the same copy wait for the first one to make it.
    """
    scratch = os.environ.get(VARIABLE)
    if not scratch:
        return place
    # Data roots of several users or versions must not be mixed up.
    name = sha256(str(place.resolve()).encode()).hexdigest()[:12]
    target = Path(scratch).expanduser() / f"autogrow-{name}"
    wanted = [str(Path(folder) / file) for file in files]
    with locked(target, _say, wait=True):
        try:
            _stage(place, target, wanted)
        except (OSError, tarfile.TarError) as error:
            reason = printable(str(getattr(error, "strerror", None) or error))
            raise UserError(
                f"{VARIABLE}: {printable(place / folder)} cannot be copied to "
                f"{printable(target)}: {reason}; allowed: files that can be read, and room for them"
            ) from None
    return target


def _stage(place: Path, target: Path, wanted: Sequence[str]) -> None:
    """Make the copy of the wanted files and folders equal to them; links are followed."""
    folders = [name for name in wanted if (place / name).is_dir()]
    # Small files that lie beside folders of images: labels, names of classes.
    beside = {(place / name).parent for name in folders}
    small = [str(f.relative_to(place)) for b in beside for f in b.iterdir() if _is_small(f)]
    names = [*wanted, *small]
    there, here = _listing(place, names), _listing(target, names)
    if here == there:
        return
    listed = ", ".join(printable(place / name) for name in wanted)
    _say(f"{listed}: copying to {printable(target)}")
    missing = [name for name in folders if name not in here]
    if missing:
        home = (place / missing[0]).parent
        tar = home.with_name(f"{home.name}.tar")
        if tar.is_file():
            _unpack(tar, {Path(name).name: target / name for name in missing})
            here = _listing(target, names)
    for name, facts in here.items():
        if name not in there or (facts is None) != (there[name] is None):
            _remove(target / name)
    for name, facts in there.items():
        if facts is None:
            (target / name).mkdir(parents=True, exist_ok=True)
    stale = [name for name, facts in there.items() if facts and here.get(name) != facts]
    with ThreadPoolExecutor(COPIERS) as pool:
        for _ in pool.map(lambda name: _copy_file(place / name, target / name), stale):
            pass
    if _listing(target, names) != there:
        raise OSError("the copy differs from what was there when it began")


def _listing(place: Path, names: Sequence[str]) -> dict[str, Facts]:
    """Return facts of those files and folders that exist, of folders in them, and their files."""
    found = {name: _facts((place / name).stat()) for name in names if (place / name).exists()}
    level = [name for name, facts in found.items() if facts is None]
    with ThreadPoolExecutor(COPIERS) as pool:
        for _ in ("the classes", "their images"):
            inside = {k: v for part in pool.map(partial(_inside, place), level) for k, v in part}
            found |= inside
            level = [name for name, facts in inside.items() if facts is None]
    return found


def _inside(place: Path, name: str) -> list[tuple[str, Facts]]:
    with os.scandir(place / name) as entries:
        shown = [entry for entry in entries if not entry.name.startswith(".")]
        return [(f"{name}/{entry.name}", _facts(entry.stat())) for entry in shown]


def _facts(status: os.stat_result) -> Facts:
    return None if stat.S_ISDIR(status.st_mode) else (status.st_size, int(status.st_mtime))


def _is_small(file: Path) -> bool:
    return file.is_file() and file.stat().st_size <= SMALL


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)  # it may have been in a folder that is gone


def _copy_file(source: Path, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.unlink(missing_ok=True)  # whoever reads it keeps what it opened
    shutil.copy2(source, copy)


def _unpack(tar: Path, folders: Mapping[str, Path]) -> None:
    """Unpack folders of NAME.tar, in which they are NAME/FOLDER, reading it from start to end."""
    with tarfile.open(tar, "r|") as archive:
        for member in archive:
            home, _, rest = member.name.removeprefix("./").partition("/")
            folder, _, file = rest.partition("/")
            if home == tar.stem and folder in folders and member.isfile():
                member.name = file
                archive.extract(member, folders[folder], filter="data")
    for name, unpacked in folders.items():
        if not unpacked.exists():
            raise OSError(f"{tar} has no {tar.stem}/{name} in it")


def _say(message: str) -> None:
    print(message, file=sys.stderr)  # noqa: T201
