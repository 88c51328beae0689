"""Where numbers come from: the commit, the machine, the versions, the command."""

from __future__ import annotations

import os
import platform
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.experiments.catalogue import Catalogue
from autogrow.errors import UserError
from autogrow.runs.provenance import git
from autogrow.runs.summary import Summary


def clean_commit(repository: Path) -> str:
    """Return the commit of a repository; refuse one that has changes or untracked files."""
    # Named, as a user's own setting may hide untracked files.
    status = git("status", "--porcelain", "--untracked-files=normal", folder=repository)
    if status:
        first, *others = status.splitlines()
        more = f" and {len(others)} more" if others else ""
        raise UserError(f"{repository}: git has uncommitted changes: {first.strip()}{more}")
    # Unpacked inside a repository that ignores it, the folder has no commit of its own.
    if not git("ls-files", "--", ".", folder=repository):
        raise UserError(f"{repository}: not in a git repository: none of its files is tracked")
    return git("rev-parse", "--verify", "HEAD", folder=repository)


def describe_runs(
    catalogue: Catalogue, seeds: Sequence[int], summaries: Sequence[Summary]
) -> dict[str, Any]:
    """Return what the summaries of all runs say: commits, hardware, versions, seconds.

    What agrees between the runs is a single value, else a list or a count of each.
    """

    def counted(key: str) -> dict[str, int]:
        found = Counter(str(s[key] or "unknown") for s in summaries)
        return dict(sorted(found.items()))

    versions: list[Any] = []
    for summary in summaries:
        if summary.versions not in versions:
            versions.append(summary.versions)
    seconds = sum(s.seconds_growing + s.seconds_finetuning for s in summaries)
    return {
        "description": catalogue.settings.description,
        "tables": catalogue.table_names,
        "seeds": list(seeds),
        "protocol": one(counted("protocol")),
        "runs": len(summaries),
        "run_statuses": counted("status"),
        "run_commits": counted("git_commit"),
        "device_seconds": round(seconds, 1),
        "hardware": {
            "devices": counted("device"),
            "threads": one(dict.fromkeys(s.threads for s in summaries)),
            # The summaries do not say how many cores there were beside the run's own.
            "promoted_on": {"machine": platform.machine(), "cores": os.cpu_count()},
        },
        "versions": one(versions),
    }


def one(values: Iterable[Any]) -> Any:
    """Return the only value, or a list if they are several."""
    found = list(values)
    return found[0] if len(found) == 1 else found


def repeat_command(known: Mapping[str, Any], scale: str) -> str:
    """Return the command that makes the runs and tables of this provenance again."""
    config = [f"scale={scale}", f"seeds={known['seeds']}".replace(" ", "")]
    for key in ("conventions", "protocol", "accuracy"):
        if isinstance(known[key], str) and known[key] != "unknown":
            config.append(f"{key}={known[key]}")
    if known["data_source"]:
        sources = [f"{name}: {of['data']}" for name, of in known["data_source"].items()]
        config.append(f"data_source={{{', '.join(sources)}}}")
    kinds = {"cpu" if d.startswith("cpu") else "cuda" for d in known["hardware"]["devices"]}
    config.append(f"device={kinds.pop() if len(kinds) == 1 else 'auto'}")
    return shlex.join(["snakemake", "--cores", "all", "--config", *config])
