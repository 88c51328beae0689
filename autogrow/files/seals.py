"""Seals: what the files of a finished result held when it was done.

The seal of ``summary.json`` is ``summary.json.seal``: for each file of the run a line with its
SHA-256, size and name, then the SHA-256 of these lines. It is written last. Whoever reads a
result asks its seal first: what was damaged, deleted or exchanged since gives one clear line.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from autogrow.errors import UserError
from autogrow.files.reading import read_bytes, reading, require_digest, require_file
from autogrow.files.writing import write_bytes

SUFFIX = ".seal"
MOST = 2**24
"""Bytes of a seal: more lines than a run has snapshots."""
RUN = "summary.json"
RECORDS = ("spec.yaml", "metrics.csv", "growth.csv", "measurements.json", "frontier.csv", RUN)
"""Those of a run that are kept in archives."""
COVERED = {
    RUN: (*RECORDS, "frontier.svg", "weights.safetensors", "snapshots/*.safetensors"),
    "plane.json": ("trajectory.csv", "plane.safetensors", "plane.json"),
    "contour.csv": ("settings.json", "contour.csv"),
    "surface.csv": ("settings.json", "surface.csv"),
}
"""The files of a result, as far as it has them, by its main file."""
OPTIONAL = ("growth.csv", "measurements.json", "frontier.csv", "frontier.svg")
"""Those of a run that only some runs have."""
UNPACKED = "unpacked.txt"
"""It says which archive the records of a run are from; the run has no weights and no snapshots."""


@dataclass(frozen=True)
class Seal:
    """The sizes and SHA-256 of a result's files, by their names in the folder of ``main``."""

    main: Path
    files: Mapping[str, tuple[int, str]]

    @property
    def expected(self) -> list[str]:
        """The files that have to be there: of a run that was unpacked, its records."""
        unpacked = self.main.with_name(UNPACKED).exists()
        return [name for name in self.files if name in RECORDS or not unpacked]

    def check(self, *names: str) -> None:
        """Check the named files, by default all of them.

        Raises
        ------
        UserError
            Naming the first that is not what was sealed, and what makes it right again.
        """
        for name in names or self.files:
            path = self.main.parent / name
            with suppress(OSError):
                if _measured(path) == self.files.get(name):
                    continue
            # Only now, for it takes longer: what is wrong, and what to do.
            allowed = f"the file as it was sealed; {_remedy(self.main, name)}"
            if name not in self.files:
                raise UserError(f"{path}: is not sealed; allowed: {allowed}")
            if name not in self.expected and not path.exists():
                problem = "is not there: the run is from an archive, which has its records alone"
                raise UserError(f"{path}: {problem}; {_remedy(self.main, name)}")
            require_file(path, allowed)
            with reading(path, allowed):
                (size, digest), sealed = _measured(path), self.files[name]
            if size != sealed[0]:
                raise UserError(f"{path}: found {size} bytes; allowed: {sealed[0]}, {allowed}")
            require_digest(path, "SHA-256", digest, sealed[1], allowed)


def seal_file(main: Path) -> Path:
    """Return where the seal of a result is, by its main file."""
    return main.with_name(main.name + SUFFIX)


def seal(main: Path) -> None:
    """Seal a result whose files are all written.

    What has no line in ``COVERED`` is a block of a grid, sealed with its settings.
    """
    lines = []
    for pattern in COVERED.get(main.name, (main.name, "../settings.json")):
        for path in sorted(main.parent.glob(pattern)):
            name = path.relative_to(main.parent)
            with reading(path, "a file of the result"):
                size, digest = _measured(path)
            lines.append(f"{digest} {size} {name}\n")
    body = os.fsencode("".join(lines))
    write_bytes(seal_file(main), body + _last_line(body))


def read_seal(main: Path) -> Seal:
    """Return the seal of a result.

    Raises
    ------
    UserError
        If it is not there or damaged.
    """
    file = seal_file(main)
    try:
        with _opened(file) as opened:
            return Seal(main, parse_seal(opened.read(MOST)))
    except (OSError, ValueError):
        pass
    remedy = _remedy(main, main.name)
    if not file.exists():
        command = shlex.join(["autogrow", "verify", "--seal", str(main.parent)])
        raise UserError(
            f"{main}: is unsealed: nothing tells whether it is damaged; {remedy}; "
            f"or trust it as it is: {command}"
        )
    require_file(file, f"a seal; {remedy}")
    read_bytes(file, f"a seal; {remedy}", MOST)
    raise UserError(f"{file}: is damaged; {remedy}")


def parse_seal(content: bytes) -> dict[str, tuple[int, str]]:
    """Return size and SHA-256 of each file by the content of a seal; ValueError if damaged."""
    body = content[: content[:-1].rfind(b"\n") + 1]
    if content != body + _last_line(body):
        raise ValueError("the last line is not the SHA-256 of the others")
    lines = [line.split(" ", 2) for line in os.fsdecode(body).splitlines()]
    return {name: (int(size), digest) for digest, size, name in lines}


def _last_line(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode() + b"\n"


def _opened(path: Path) -> FileIO:
    """Open a regular file; OSError if it is anything else: to open a pipe would block."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(f"{path} is not a regular file")
    return os.fdopen(handle, "rb", buffering=0)


def _measured(path: Path) -> tuple[int, str]:
    """Return size and SHA-256 of a regular file."""
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        # A small file is read thousands of times; a large one would fill the memory.
        small = size < 2**16
        digest = hashlib.sha256(file.read()) if small else hashlib.file_digest(file, "sha256")
        return size, digest.hexdigest()


def _remedy(main: Path, name: str) -> str:
    """Return what makes a result right again of which one file is damaged."""
    if main.name != RUN:
        return f"delete {main}, and repeat what made it"
    spec = main.with_name("spec.yaml")
    if name == spec.name:  # a run is known by it
        return "train the run again: repeat its command with --replace"
    command = ["autogrow", "run", str(spec), "--out", str(main.parent), "--restart"]
    first = ""
    if name in RECORDS and main.with_name(UNPACKED).exists():
        first = "unpack its archive again, or "
    return f"{first}train the run again: {shlex.join(command)}"
