"""An archive of finished runs: the records of one seed, without weights.

It is a tar file, compressed with xz. Its first member, ``manifest.json``, has size and SHA-256 of
each further one; these are in the order of their names. No member has a time, an owner or other
rights than usual, so that the same runs give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field

from autogrow.config.pydantic_errors import validated
from autogrow.errors import UserError
from autogrow.files.reading import parse_json, printable, read_bytes
from autogrow.files.seals import RECORDS, RUN, parse_seal, seal_file
from autogrow.files.writing import json_bytes
from autogrow.runs.folder import require_finished

MANIFEST = "manifest.json"
SEAL = seal_file(Path(RUN)).name
MOST_PACKED = 2**26
MOST = 2**28
"""Bytes of an archive, packed and unpacked: no more are read of one that claims to have more."""
LONGEST_NAME = 1000
"""Characters of a member's name that a message shows; those of runs are shorter."""
_CHUNK = 2**16
_PART = r"[A-Za-z0-9_][\w.+=,-]*"
_MEMBER = re.compile(
    rf"runs/({_PART}(?:/{_PART})*)/seed(\d{{1,10}})/({'|'.join(map(re.escape, [*RECORDS, SEAL]))})",
    re.ASCII,
)
AGAIN = "an archive as it was packed; get or pack it again"


class _Member(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    bytes: int = Field(ge=0)
    sha256: str


class _Manifest(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    format: Literal["autogrow records 1"]
    folder: str
    seed: int = Field(ge=0)
    members: dict[str, _Member]


@dataclass(frozen=True)
class Archive:
    """The runs of one seed.

    Attributes
    ----------
    folder
        Name of the folder of results that they are from, as ``mini``.
    runs
        For each run, by its id, the content of its files by their names; its seal is the last.
    """

    folder: str
    seed: int
    runs: Mapping[str, Mapping[str, bytes]]


def archive_name(seed: int) -> str:
    """Return the name of the file of a seed's archive."""
    return f"runs-seed{seed}.tar.xz"


def archive_files(folder: Path) -> list[Path]:
    """Return the archives of a folder, in the order of their seeds."""
    found = {f: re.fullmatch(r"runs-seed(\d+)\.tar\.xz", f.name) for f in folder.glob("runs-*")}
    return sorted((f for f, name in found.items() if name), key=lambda f: int(found[f][1]))  # type: ignore[index]


def pack(folder: Path, seed: int, runs: Iterable[str]) -> bytes:
    """Return the archive of finished runs of one seed in a folder of results.

    Raises
    ------
    UserError
        If one is not finished, or naming the file that is not as it was sealed.
    """
    contents: dict[str, bytes] = {}
    for run in sorted(runs):
        place = folder / "runs" / run / f"seed{seed}"
        sealed = require_finished(place, RUN)
        names = [name for name in sealed.files if name in RECORDS]
        sealed.check(*names)
        for name in (*names, SEAL):
            member = f"runs/{run}/seed{seed}/{name}"
            if not _MEMBER.fullmatch(member):
                raise UserError(f"{place}: cannot be packed: allowed: letters, digits, . _ and -")
            contents[member] = read_bytes(place / name, "a file of a finished run", MOST)
    members = {
        name: _Member(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in contents.items()
    }
    manifest = _Manifest(
        format="autogrow records 1", folder=folder.resolve().name, seed=seed, members=members
    )
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in {MANIFEST: json_bytes(manifest.model_dump()), **contents}.items():
            member_of_tar = tarfile.TarInfo(name)
            member_of_tar.size = len(content)
            tar.addfile(member_of_tar, io.BytesIO(content))
    return lzma.compress(packed.getvalue(), preset=6)


def read_archive(file: Path) -> Archive:
    """Return the runs of an archive, all of whose members were checked.

    Raises
    ------
    UserError
        Naming the file, and the member that is missing, cut off, changed or not allowed.
    """

    def refuse(member: str, found: str) -> NoReturn:
        place = printable(Path(member[:LONGEST_NAME]))
        raise UserError(f"{printable(file)}: {place}: {found}; allowed: {AGAIN}")

    data, ended = _decompressed(file)
    members = _members(data)
    name, content = next(members, (MANIFEST, None))
    if name != MANIFEST or content is None:
        refuse(MANIFEST, "is missing or cut off")
    where = f"{printable(file)}: {MANIFEST}"
    manifest = validated(_Manifest, parse_json(content, where), where)
    runs: dict[str, dict[str, bytes]] = {}
    for wanted, known in manifest.members.items():
        name, content = next(members, (wanted, None))
        if name != wanted:
            refuse(name, f"found in the place of {wanted}")
        if content is None:
            refuse(wanted, "is missing or cut off")
        matched = _MEMBER.fullmatch(wanted)
        if matched is None or int(matched[2]) != manifest.seed or ".." in matched[1]:
            refuse(wanted, f"is no file of a run of seed {manifest.seed}")
        if len(content) != known.bytes:
            refuse(wanted, f"found {len(content)} bytes, not {known.bytes}")
        digest = hashlib.sha256(content).hexdigest()
        if digest != known.sha256:
            refuse(wanted, f"found SHA-256 {digest}, not {known.sha256}")
        runs.setdefault(matched[1], {})[matched[3]] = content
    for name, _ in members:
        refuse(name, "is not in the manifest")
    if not ended:
        raise UserError(f"{printable(file)}: is damaged or cut off at its end; allowed: {AGAIN}")
    for run, files in runs.items():
        differing = _differs_from_seal(files)
        if differing:
            refuse(f"runs/{run}/seed{manifest.seed}/{differing}", "is not what the seal says")
    return Archive(manifest.folder, manifest.seed, runs)


def _differs_from_seal(files: Mapping[str, bytes]) -> str | None:
    """Return the first file of a run that is not as its seal says, or None."""
    try:
        sealed = parse_seal(files[SEAL])
    except (KeyError, ValueError):
        return SEAL
    if RUN not in sealed:
        return SEAL
    for name in sorted({*files, *sealed} - {SEAL}):
        if name not in RECORDS and name not in files:
            continue  # weights and snapshots stay where they were trained
        content = files.get(name)
        if content is None or sealed.get(name) != (
            len(content),
            hashlib.sha256(content).hexdigest(),
        ):
            return name
    return None


def _decompressed(file: Path) -> tuple[bytes, bool]:
    """Return what can be decompressed of a file, and whether that is all of it.

    Raises
    ------
    UserError
        If it cannot be read, or has too many bytes.
    """
    packed = read_bytes(file, AGAIN, MOST_PACKED)
    decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=2**27)
    found = bytearray()
    try:
        for at in range(0, len(packed), _CHUNK):
            found += decompressor.decompress(packed[at : at + _CHUNK], MOST + 1 - len(found))
            if len(found) > MOST:
                raise UserError(f"{printable(file)}: has more than {MOST} bytes; allowed: {AGAIN}")
        ended = decompressor.eof and not decompressor.unused_data
    except (lzma.LZMAError, EOFError):
        ended = False
    return bytes(found), ended


def _members(data: bytes) -> Iterator[tuple[str, bytes | None]]:
    """Yield name and content of each member of a tar; None for what is no whole regular file."""
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            for member in tar:
                whole = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not member.sparse
                end = member.offset_data + member.size
                content = data[member.offset_data : end] if whole else b""
                yield member.name, content if whole and len(content) == member.size else None
    except (tarfile.TarError, ValueError, EOFError, OverflowError):
        return
