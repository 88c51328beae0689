"""Time from process start to the end of a tiny run, against ``import torch`` alone."""

from __future__ import annotations

import subprocess
import sys
import tempfile

from benchmarks.pairs import Timing, time_pairs

TINY = "--network Basic3ResNet-1-1-1 --data digits --data-fraction 0.05 --width 2 --epochs 1"


def startup(pairs: int) -> Timing:
    """Time a run of a single epoch of 72 images, and ``import torch``, each as a process."""
    with tempfile.TemporaryDirectory() as folder:
        tiny = f"train {TINY} --threads 1 --quiet --restart --out {folder}/run".split()
        return time_pairs(
            lambda: _process("-m", "autogrow", *tiny), lambda: _process("-c", "import torch"), pairs
        )


def _process(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True)
