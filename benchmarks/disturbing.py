"""Commands that are started to be disturbed, damaged files, and what must stay equal."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis.experiments.scales import ROOT

TINY = "--data digits --data-fraction 0.2 --width 4 --batch-size 64 --threads 1 --device cpu"
RUNS = {
    "grow": "grow --network Basic3ResNet --K 1 --J 2 --tau 10 --finetune-epochs 4 --snapshots 2",
    "train": "train --network Basic3ResNet-1-2-1 --epochs 5",
    "morph": "morph --from Basic3ResNet-1-1-1 --to Basic3ResNet-2-1-2 --epochs 3",
}
TRAINED = [*RUNS]
RUNS["deep"] = "train --network Basic3ResNet --epochs 1"
LONGEST = 300
"""Seconds after which a command hangs."""


def command(kind: str, out: Path) -> list[object]:
    """Return the command line of a run."""
    return [*f"-m autogrow {RUNS[kind]} {TINY} --quiet --out".split(), out]


def start(arguments: Sequence[object]) -> subprocess.Popen[str]:
    """Start a command of Python's."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str], *, stopped: bool = False) -> int:
    """Wait for a command, check what it tells, and return its status."""
    try:
        output = process.communicate(timeout=LONGEST)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        raise RuntimeError("it hangs") from None
    status = process.returncode
    if "Traceback" in output or (status < 0 and not stopped):
        raise RuntimeError(f"status {status}: {output[-500:]}")
    if status == 2 and sum("passed over" not in line for line in output.splitlines()) != 1:
        raise RuntimeError(f"not one line: {output[-500:]}")
    return status


def changed(content: bytes, rng: random.Random) -> bytes:
    """Return bytes that are changed, cut off, longer or others."""
    at, flipped = rng.randrange(max(len(content), 1)), bytearray(content or b" ")
    flipped[at] ^= rng.randrange(1, 256)
    other = [content[:at], content[:at] + content[at + 1 :], content + b"0", b"{}", b""]
    return rng.choice([o for o in [*other, bytes(flipped), bytes(flipped)] if o != content])


def damage(file: Path, rng: random.Random) -> None:
    """Damage a file, or delete it."""
    content = changed(file.read_bytes(), rng)
    file.unlink()
    if rng.random() < 0.9:
        file.write_bytes(content)


def results(out: Path) -> dict[Path, Any]:
    """Return all that must be equal between two runs of one spec."""
    files = [out / "spec.yaml", out / "weights.safetensors", *out.glob("growth.csv")]
    found: dict[Path, Any] = {f.relative_to(out): f.read_bytes() for f in files}
    for f in out.glob("snapshots/*"):  # in their headers the library keeps no order
        content = f.read_bytes()
        data = 8 + int.from_bytes(content[:8], "little")
        found[f.relative_to(out)] = json.loads(content[8:data]), content[data:]
    with (out / "metrics.csv").open(newline="") as file:
        found[Path("metrics.csv")] = [{**row, "seconds": ""} for row in csv.DictReader(file)]
    summary = json.loads((out / "summary.json").read_text())
    others = dict.fromkeys(("seconds_growing", "seconds_finetuning", "git_commit"))
    return {**found, Path("summary.json"): summary | others}
