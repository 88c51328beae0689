"""Runs the benchmarks and writes what they gave: CSV, and Markdown to read."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from pathlib import Path

import torch
from tabulate import tabulate

from autogrow import records
from autogrow.bench.growing import DEPTHS, growth_seconds
from autogrow.bench.pairs import Timing
from autogrow.bench.startup import startup
from autogrow.bench.throughput import CASES, Pair, Result, matrix_multiply_peak
from autogrow.files import write_bytes, write_csv
from autogrow.summary import cpu_model

BACKWARD = 2  # forward passes that a backward pass costs

_SPEED = ["what", "case", "ours", "reference", "ratio", "ratio_min", "ratio_max", "of_peak"]


def run_benchmarks(parts: Sequence[str], pairs: int, folder: Path) -> str:
    """Run the benchmarks, write their files, and return the Markdown.

    Parameters
    ----------
    parts
        Of ``training``, ``evaluation``, ``growing`` and ``startup``.
    pairs
        How many pairs each is timed.
    folder
        Gets ``throughput.csv``, ``growing.csv``, ``startup.csv`` and ``bench.md``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sections = [
        f"# Benchmarks\n\n{cpu_model()}, {os.cpu_count()} cores, torch {torch.__version__}, "
        f"{torch.get_num_threads()} threads, fp32, {pairs} pairs in turn; "
        f"commit {records.git_commit()}. Ratios are medians over the pairs."
    ]
    speed = [part for part in ("training", "evaluation") if part in parts]
    if speed:
        sections.append(_throughput(speed, pairs, folder))
    if "growing" in parts:
        sections.append(_growing(pairs, folder))
    if "startup" in parts:
        sections.append(_startup(pairs, folder))
    text = "\n\n".join(sections) + "\n"
    write_bytes(folder / "bench.md", text.encode())
    return text


def _throughput(parts: Sequence[str], pairs: int, folder: Path) -> str:
    peak = matrix_multiply_peak()
    lines = []
    for case in CASES:
        pair = Pair(case)
        lines += [_line(getattr(pair, part)(pairs), peak) for part in parts]
    write_csv(folder / "throughput.csv", _SPEED, lines)
    return (
        f"## Throughput\n\nImages a second; the reference loop is torchvision transforms on PIL "
        f"images, a DataLoader with 2 workers, default layout. Matrix-multiply peak: "
        f"{peak / 1e9:.0f} G multiply-adds a second.\n\n"
        f"{tabulate(lines, _SPEED, tablefmt='github')}"
    )


def _line(result: Result, peak: float) -> list[str]:
    images, timing = result.case.images, result.timing
    passes = 1 + BACKWARD if result.what == "training" else 1
    seconds = statistics.median(timing.ours)
    return [
        result.what,
        result.case.name,
        f"{images / seconds:.0f}",
        f"{images / statistics.median(timing.theirs):.0f}",
        *_ratios(timing),
        f"{passes * result.flops * images / seconds / peak:.2f}",
    ]


def _ratios(timing: Timing) -> list[str]:
    return [f"{r:.2f}" for r in (timing.ratio, min(timing.ratios), max(timing.ratios))]


def _growing(pairs: int, folder: Path) -> str:
    medians = {}
    lines = []
    for depth in DEPTHS:
        costs = growth_seconds(depth, pairs)
        medians[depth] = statistics.median(costs)
        cells = (medians[depth], min(costs), max(costs))
        lines.append([f"3 x {depth}", *(f"{1000 * c:.2f}" for c in cells)])
    header = ["depth", "ms", "ms_min", "ms_max"]
    write_csv(folder / "growing.csv", header, lines)
    ratio = medians[DEPTHS[1]] / medians[DEPTHS[0]]
    return (
        "## Cost of one growth\n\nStack, initialize, register, and the first step after it less "
        f"a usual step; ratio of the medians {ratio:.2f}.\n\n"
        f"{tabulate(lines, header, tablefmt='github')}"
    )


def _startup(pairs: int, folder: Path) -> str:
    timing = startup(pairs)
    ours, theirs = (statistics.median(side) for side in (timing.ours, timing.theirs))
    line = [f"{ours:.2f}", f"{theirs:.2f}", f"{1 / timing.ratio:.2f}"]
    header = ["run_seconds", "import_torch_seconds", "ratio"]
    write_csv(folder / "startup.csv", header, [line])
    return (
        "## Process start\n\nA whole run of one epoch on 72 images against `import torch`, each a "
        f"process.\n\n{tabulate([line], header, tablefmt='github')}"
    )
