"""Runs the benchmarks and writes what they gave: CSV, and Markdown to read."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from tabulate import tabulate

from autogrow.errors import UserError
from autogrow.files.writing import write_bytes, write_csv
from autogrow.runs.provenance import cpu_model, git_commit
from benchmarks.agreement import agreement
from benchmarks.growth_cost import DEPTHS, growth_seconds
from benchmarks.pairs import Timing
from benchmarks.peak import peaks
from benchmarks.sides import CASES
from benchmarks.startup import startup
from benchmarks.throughput import compare
from benchmarks.whole_runs import DATA, INTERVAL, autogrow_cost, snapshot_cost
from benchmarks.workflow_overhead import overheads

STEPS = 50
"""Steps over which both sides' losses are compared."""
PEAK_SECONDS = 1.0
"""How long each kind of the machine's peak is tried."""


@dataclass(frozen=True)
class Options:
    """How the benchmarks are run.

    Parameters
    ----------
    pairs
        How many pairs are timed.
    device, threads
        Of both sides.
    precision, compiled
        Of the engine.
    scale
        What the part ``workflow`` runs.
    folder
        Gets the CSVs and ``bench.md``.
    """

    pairs: int
    device: str
    threads: int
    precision: str
    compiled: bool
    scale: str
    folder: Path

    @property
    def settings(self) -> dict[str, Any]:
        """What a side's process is told."""
        return {
            "device": self.device,
            "threads": self.threads,
            "precision": self.precision,
            "compiled": self.compiled,
        }


def run_benchmarks(parts: Sequence[str], options: Options) -> str:
    """Run the benchmarks, write their files, and return the Markdown."""
    options.folder.mkdir(parents=True, exist_ok=True)
    device = torch.device(options.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else cpu_model()
    sections = [
        f"# Benchmarks\n\n{name}, {os.cpu_count()} cores, torch {torch.__version__}, "
        f"{options.threads} threads, {options.precision}{', compiled' * options.compiled}, "
        f"{options.pairs} pairs in turn; commit {git_commit()}. Ratios are medians over "
        "the pairs, with the smallest and the largest."
    ]
    for part in parts:
        sections.append(PARTS[part](options))
        # After each part: an interrupted benchmark keeps what it has.
        write_bytes(options.folder / "bench.md", ("\n\n".join(sections) + "\n").encode())
    return "\n\n".join(sections) + "\n"


def _section(
    options: Options,
    file: str,
    title: str,
    text: str,
    header: Sequence[str],
    lines: Sequence[Sequence[str]],
) -> str:
    """Write the lines as CSV and return them as a section of the Markdown."""
    write_csv(options.folder / file, header, lines)
    table = tabulate(lines, header, tablefmt="github", disable_numparse=True)
    return f"## {title}\n\n{text}\n\n{table}"


def _throughput(options: Options) -> str:
    limits = peaks(torch.device(options.device), PEAK_SECONDS)
    header = ["what", "case", "engine", "reference", "ratio", "ratio_min", "ratio_max"]
    header += [f"of_{name.replace(' ', '_')}" for name in limits]
    header += ["memory_mb", "reference_memory_mb"]
    lines = []
    for case in CASES:
        both = compare(case, options.pairs, options.settings)
        for what, timing in (("training", both.training), ("evaluation", both.evaluation)):
            ours, theirs = (case.images / s for s in _medians(timing))
            rate = both.multiply_adds(what) * ours
            memory = [f"{m / 1e6:.0f}" for m in both.memory] if what == "training" else ["", ""]
            shares = [f"{rate / limit:.2f}" for limit in limits.values()]
            numbers = [f"{ours:.0f}", f"{theirs:.0f}", *_ratios(timing), *shares, *memory]
            lines.append([what, case.name, *numbers])
    lines.sort(key=lambda line: line[0], reverse=True)
    told = ", ".join(f"{name} {limit / 1e9:.0f}" for name, limit in limits.items())
    return _section(
        options,
        "throughput.csv",
        "Throughput and memory",
        "Images a second, an epoch with augmentation; the reference loop is torchvision "
        "transforms on PIL images, a DataLoader with 2 workers, default layout. Peaks of this "
        f"device in G multiply-adds a second: {told}. Memory is the peak of training; the "
        "reference's is its main process's, without the workers.",
        header,
        lines,
    )


def _agreement(options: Options) -> str:
    cases = (replace(case, images=1408) for case in (CASES[0], CASES[-1]))
    found = {c.name: agreement(c, STEPS, torch.device(options.device)) for c in cases}
    return _section(
        options,
        "agreement.csv",
        "Agreement",
        f"Largest difference of the two sides' losses over {STEPS} steps on the same images in "
        "the same order, not augmented. In float32 training amplifies rounding: `rounding` is "
        "how far the reference loop is from itself in another memory layout.",
        ["case", "float64", "float32", "rounding"],
        [[name, *(f"{d:.1e}" for d in differences)] for name, differences in found.items()],
    )


def _growing(options: Options) -> str:
    costs = {depth: growth_seconds(depth, 12 * options.pairs) for depth in DEPTHS}
    lines = [
        [f"3 x {depth}", *(f"{1000 * f(c):.2f}" for f in (statistics.median, min, max))]
        for depth, c in costs.items()
    ]
    shallow, deep = (statistics.median(c) for c in costs.values())
    return _section(
        options,
        "growing.csv",
        "Cost of one growth",
        "CPU time: stack, initialize, register, and the first step less a usual one; ratio of "
        f"the medians {deep / shallow:.2f}.",
        ["depth", "ms", "ms_min", "ms_max"],
        lines,
    )


def _autogrow(options: Options) -> str:
    header = ["data", "found", "growing_s", "finetuning_s", "scratch_s", "ratio"]
    lines, left_out = [], []
    for data in DATA:
        try:
            cost = autogrow_cost(data, {"device": options.device, "threads": options.threads})
        except UserError as error:
            left_out.append(f" Left out: {error}.")
            continue
        seconds = (f"{s:.1f}" for s in (cost.growing, cost.finetuning, cost.scratch))
        lines.append([data, cost.found, *seconds, f"{cost.ratio:.2f}"])
    return _section(
        options,
        "autogrow.csv",
        "Cost of AutoGrow",
        "Wall time of an AutoGrow run over training its found net from scratch for as many "
        "epochs as it was fine-tuned." + "".join(left_out),
        header,
        lines,
    )


def _snapshots(options: Options) -> str:
    execution = {"device": options.device, "threads": options.threads}
    timing = snapshot_cost(options.pairs, execution)
    with_, without = _medians(timing)
    return _section(
        options,
        "snapshots.csv",
        "Snapshots",
        f"A run with a snapshot of all parameters every {INTERVAL} epochs against one without "
        "(Basic3ResNet-3-3-3 on digits, epochs of a quarter of a second).",
        ["with_s", "without_s", "ratio"],
        [[f"{with_:.2f}", f"{without:.2f}", f"{1 / timing.ratio:.3f}"]],
    )


def _startup(options: Options) -> str:
    timing = startup(options.pairs)
    ours, theirs = _medians(timing)
    spread = sorted(1 / r for r in timing.ratios)
    line = [ours, theirs, 1 / timing.ratio, spread[0], spread[-1]]
    return _section(
        options,
        "startup.csv",
        "Process start",
        "A whole run of one epoch on 72 images against `import torch`, each a process.",
        ["run_s", "import_torch_s", "ratio", "ratio_min", "ratio_max"],
        [[f"{value:.2f}" for value in line]],
    )


def _workflow(options: Options) -> str:
    cost = overheads(options.scale, os.cpu_count() or 1, options.folder / "snakemake.log")
    cells = {
        "plan_paper_5_seeds_s": f"{cost.plan_paper:.1f}",
        "nothing_to_do_s": f"{cost.nothing:.1f}",
        "scale": cost.scale,
        "cores": str(cost.cores),
        "everything_s": f"{cost.everything:.0f}",
        "training_s": f"{cost.training:.0f}",
        "outside_training": f"{cost.outside:.2f}",
    }
    return _section(
        options,
        "workflow.csv",
        "Workflow",
        "`snakemake -n` at `paper`; everything at a scale, rebuilt; the same call again. Outside "
        "training: share of the core-seconds that neither trained nor evaluated a run.",
        list(cells),
        [list(cells.values())],
    )


def _medians(timing: Timing) -> tuple[float, float]:
    return statistics.median(timing.ours), statistics.median(timing.theirs)


def _ratios(timing: Timing) -> list[str]:
    return [f"{r:.2f}" for r in (timing.ratio, min(timing.ratios), max(timing.ratios))]


PARTS: dict[str, Callable[[Options], str]] = {
    "throughput": _throughput,
    "agreement": _agreement,
    "growing": _growing,
    "autogrow": _autogrow,
    "snapshots": _snapshots,
    "startup": _startup,
    "workflow": _workflow,
}
