"""Copies of the workflow in temporary folders, as a fresh clone has them."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = ["Snakefile", "workflow", "config", "analysis", "autogrow", "profiles", "slurm"]
PARTS += ["environment.yml", "results/paper", "Makefile"]


def clone(folder):
    """Copy what the workflow needs into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part)
        else:
            shutil.copy(ROOT / part, folder / part)
    return folder
