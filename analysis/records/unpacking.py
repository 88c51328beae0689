"""Puts runs of an archive where a workflow finds them as finished, and knows them there."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import yaml

from analysis.records.archives import Archive
from autogrow.config.spec import to_json
from autogrow.errors import UserError
from autogrow.files.reading import read_text
from autogrow.files.seals import UNPACKED
from autogrow.files.writing import write_together
from autogrow.files.yaml import yaml_text
from autogrow.process.lock import NAME as LOCK
from autogrow.runs.folder import SPEC, finished, read_spec
from autogrow.training.unfinished import checkpoint_files

MARGIN = 2.0
"""Seconds by which the note of an unpacked run is younger than its records."""


def unpack(archive: Archive, origin: str, folder: Path) -> Counter[str]:
    """Put the runs of an archive into a folder of results, and count what became of them.

    ``unpacked`` are new; ``there`` was a finished run already, and ``unfinished`` one that
    is or was in training: both are left as they are. A run that was unpacked earlier is
    unpacked again if its files are not the archive's. A run's seal is written last, so that
    what an interrupted unpacking leaves is no finished run.

    Parameters
    ----------
    origin
        What the note beside a run's records says of the archive.

    Raises
    ------
    UserError
        If something cannot be written.
    """
    count: Counter[str] = Counter()
    # One time for all: no run looks younger than the one whose found net it takes.
    now = time.time()
    for run, files in archive.runs.items():
        place = folder / "runs" / run / f"seed{archive.seed}"
        if _has(place, files) if is_unpacked(place) else finished(place) is not None:
            count["there"] += 1
        elif checkpoint_files(place) or (place / LOCK).exists():
            count["unfinished"] += 1
        else:
            note = f"The records of this run are from {origin}. It has no weights here.\n"
            contents = {place / UNPACKED: note.encode()}
            contents |= {place / name: content for name, content in files.items()}
            write_together(contents, sync=False)  # what a power cut damages, its seal tells
            for name in files:
                os.utime(place / name, (now - MARGIN, now - MARGIN))
            os.utime(place / UNPACKED, (now, now))
            count["unpacked"] += 1
    return count


def _has(place: Path, files: Mapping[str, bytes]) -> bool:
    """Return whether a folder has these files."""
    return all(
        (place / name).is_file() and (place / name).read_bytes() == content
        for name, content in files.items()
    )


def is_unpacked(place: Path) -> bool:
    """Return whether the run of a folder is from an archive."""
    return (place / UNPACKED).exists()


def has_other_settings(place: Path, wanted: str) -> bool:
    """Return whether the spec of an unpacked run is not the wanted one.

    Snakemake notices changed settings by what it noted when it made a file, and an archive's
    files it has not made.

    Parameters
    ----------
    wanted
        The spec of the run's job as YAML; other runs may give the depth of its network or of its
        policy's target, and its epochs.
    """
    try:
        if wanted in _as_handed_over(read_text(place / SPEC, "a spec", 2**20)):
            return False
        # An older suite's has fewer keys: each has its default.
        spec = to_json(read_spec(place))
        if spec["data_sha256"]:
            spec["data"] = _where_wanted(spec["data"], yaml.safe_load(wanted)["data"])
        return wanted not in _as_handed_over(yaml_text(spec))
    except UserError:
        return True


def _where_wanted(data: str, wanted: str) -> str:
    """Return the place of a file of data whose content is known: its folder does not matter."""
    names = {Path(place.partition(":")[2]).name for place in (data, wanted)}
    return wanted if len(names) == 1 else data


def _as_handed_over(spec: str) -> set[str]:
    """Return a spec with and without the depth, target and epochs that other runs may give."""
    open_epochs = re.sub(r"(?m)^epochs: \d+$", "epochs: null", spec)
    # `autogrow run` adds a target behind the policy's other options.
    aimless = re.sub(r"(?m)^policy_options: \{target: ['\d-]+\}\n", "", spec)
    aimless = re.sub(r"(?m)^(policy_options: \{.*), target: ['\d-]+\}$", r"\1}", aimless)
    return {spec, open_epochs, aimless} | {
        re.sub(r"(?m)^(network: \w+)-[\d-]+$", r"\1", text) for text in (spec, open_epochs)
    }
