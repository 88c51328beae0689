"""What produced a run: commit, versions and processor."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

from autogrow import __version__
from autogrow.config.shared_settings import RunSpec
from autogrow.data.plugin import DATA
from autogrow.errors import UserError
from autogrow.growth.registry import POLICIES
from autogrow.networks.initializer_names import INITIALIZERS
from autogrow.networks.names import LIBRARIES, NETWORKS


def git(*arguments: str, folder: Path) -> str:
    """Return what git says of a folder; a UserError if it refuses, as outside a repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"git: cannot be started: {error}") from None
    if done.returncode:
        reasons = done.stderr.splitlines() or [f"git {arguments[0]} failed"]
        raise UserError(f"{folder}: {reasons[0]}")
    return done.stdout.strip()


@cache
def git_commit() -> str | None:
    """Return the commit of this source tree, with ``+`` for changes; None outside git."""
    here = Path(__file__).resolve()
    try:
        commit = git("rev-parse", "HEAD", folder=here.parent)
        git("ls-files", "--error-unmatch", here.name, folder=here.parent)
        changed = git("status", "--porcelain", "--untracked-files=no", folder=here.parent)
    except UserError:
        return None
    return commit + ("+" if changed else "")


def versions(spec: RunSpec) -> dict[str, str]:
    """Return the versions that a result depends on; a library's that has built its network.

    And those of the packages that add what the run uses.
    """
    import numpy
    import torch

    network = spec.architecture.name
    library = {network.partition(":")[0]} & {*LIBRARIES}
    plugins = {
        **NETWORKS.versions(network),
        **DATA.versions(spec.data),
        **POLICIES.versions(getattr(spec, "policy", "periodic")),
        **INITIALIZERS.versions(getattr(spec, "initializer", "GauInit")),
    }
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "autogrow": __version__,
        **{name: metadata.version(name) for name in library},
        **plugins,
    }


def cpu_model() -> str:
    """Return the name of this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
