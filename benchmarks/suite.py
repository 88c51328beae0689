"""Runs the benchmarks and writes what they measured: CSV, and Markdown to read."""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from tabulate import tabulate

from autogrow.errors import UserError
from autogrow.files.writing import write_bytes, write_csv
from autogrow.runs.provenance import cpu_model, git_commit
from benchmarks import whole_runs
from benchmarks.agreement import agreement
from benchmarks.growth_cost import DEPTHS, growth_seconds
from benchmarks.peak import peaks
from benchmarks.sides import CASES
from benchmarks.throughput import compare, multiply_adds
from benchmarks.workflow_overhead import overheads

STEPS = 50
"""Steps over which both sides' losses are compared."""
PEAK_SECONDS = 1.0
"""How long each kind of the machine's peak is tried."""

Measured = tuple[list[list[str]], str]
"""The rows of a table, and a sentence that follows its text."""


@dataclass(frozen=True)
class Section:
    """A part of the report; its table is also a CSV, named after the part."""

    title: str
    text: str
    header: str
    measure: Callable[[argparse.Namespace], Measured]


def run_benchmarks(options: argparse.Namespace) -> str:
    """Run the parts that the options name, write their files, and return the Markdown."""
    device = options.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else cpu_model()
    report = (
        f"# Benchmarks\n\n{name}, {os.cpu_count()} cores, torch {torch.__version__}, "
        f"{options.threads} threads, {options.precision}{', compiled' * options.compile}, "
        f"{options.pairs} pairs in turn; commit {git_commit()}. Ratios are medians over "
        "the pairs, with the smallest and the largest.\n"
    )
    for part in options.parts:
        section = SECTIONS[part]
        lines, note = section.measure(options)
        header = section.header.split()
        write_csv(options.out / f"{part}.csv", header, lines)
        table = tabulate(lines, header, tablefmt="github", disable_numparse=True)
        report += f"\n## {section.title}\n\n{section.text}{note}\n\n{table}\n"
        # After each part, so that an interrupted benchmark keeps what it has.
        write_bytes(options.out / "bench.md", report.encode())
    return report


def _throughput(options: argparse.Namespace) -> Measured:
    limits = peaks(options.device, PEAK_SECONDS)
    lines = []
    for case in CASES:
        timings, memory = compare(case, options)
        for what, timing in timings.items():
            ours, theirs = (case.images / seconds for seconds in timing.medians)
            rate = multiply_adds(case, what) * ours
            shares = [f"{rate / limit:.2f}" for limit in limits.values()]
            peak = [f"{m / 1e6:.0f}" for m in memory] if what == "training" else ["", ""]
            speeds = [f"{ours:.0f}", f"{theirs:.0f}"]
            lines.append([what, case.name, *speeds, *timing.spread, *shares, *peak])
    lines.sort(key=lambda line: line[0], reverse=True)
    found = ", ".join(f"{name} {limit / 1e9:.0f}" for name, limit in limits.items())
    return lines, f" Peaks of this device in G multiply-adds a second: {found}."


def _agreement(options: argparse.Namespace) -> Measured:
    cases = [replace(case, images=1408) for case in (CASES[0], CASES[-1])]
    found = {case.name: agreement(case, STEPS, options.device) for case in cases}
    return [[name, *(f"{d:.1e}" for d in distances)] for name, distances in found.items()], ""


def _growing(options: argparse.Namespace) -> Measured:
    costs = {depth: growth_seconds(depth, 12 * options.pairs) for depth in DEPTHS}
    lines = [
        [f"3 x {depth}", *(f"{1000 * f(c):.2f}" for f in (statistics.median, min, max))]
        for depth, c in costs.items()
    ]
    shallow, deep = map(statistics.median, costs.values())
    return lines, f" The ratio of the medians is {deep / shallow:.2f}."


def _autogrow(options: argparse.Namespace) -> Measured:
    lines, left_out = [], ""
    for data in whole_runs.DATA:
        try:
            cost = whole_runs.autogrow_cost(data, options)
        except UserError as error:
            left_out += f" Left out: {error}."
            continue
        seconds = (f"{s:.1f}" for s in (cost.growing, cost.finetuning, cost.scratch))
        lines.append([data, cost.found, *seconds, f"{cost.ratio:.2f}"])
    return lines, left_out


def _snapshots(options: argparse.Namespace) -> Measured:
    timing = whole_runs.snapshot_cost(options)
    return [[*(f"{s:.2f}" for s in timing.medians), f"{timing.ratio:.3f}"]], ""


def _startup(options: argparse.Namespace) -> Measured:
    timing = whole_runs.startup_cost(options)
    return [[*(f"{s:.2f}" for s in timing.medians), *timing.spread]], ""


def _workflow(options: argparse.Namespace) -> Measured:
    return [overheads(options.scale, options.out / "snakemake.log")], ""


SECTIONS = {
    "throughput": Section(
        "Throughput and memory",
        "Images a second, an epoch with augmentation. The reference loop is torchvision "
        "transforms on PIL images, a DataLoader with 2 workers, default layout. Memory is the "
        "peak of training; the reference's is its main process's, without the workers.",
        "what case engine reference ratio ratio_min ratio_max of_matrix_product of_convolution "
        "memory_mb reference_memory_mb",
        _throughput,
    ),
    "agreement": Section(
        "Agreement",
        f"Largest difference of the two sides' losses over {STEPS} steps on the same images in "
        "the same order, not augmented. In float32 training amplifies rounding: `rounding` is "
        "how far the reference loop is from itself in another memory layout.",
        "case float64 float32 rounding",
        _agreement,
    ),
    "growing": Section(
        "Cost of one growth",
        "CPU time: stack, initialize, register, and the first step less a usual one.",
        "depth ms ms_min ms_max",
        _growing,
    ),
    "autogrow": Section(
        "Cost of AutoGrow",
        "Wall time of an AutoGrow run over training its found net from scratch for as many "
        "epochs as it was fine-tuned.",
        "data found growing_s finetuning_s scratch_s ratio",
        _autogrow,
    ),
    "snapshots": Section(
        "Snapshots",
        f"A run with a snapshot of all parameters every {whole_runs.INTERVAL} epochs against one "
        "without (Basic3ResNet-3-3-3 on digits, epochs of a quarter of a second).",
        "without_s with_s ratio",
        _snapshots,
    ),
    "startup": Section(
        "Process start",
        "A whole run of one epoch on 72 images against `import torch`, each a process.",
        "import_torch_s run_s ratio ratio_min ratio_max",
        _startup,
    ),
    "workflow": Section(
        "Workflow",
        "`snakemake -n` at `paper`; everything at a scale, rebuilt; the same call again. Outside "
        "training: share of the core-seconds that neither trained nor evaluated a run.",
        "plan_paper_5_seeds_s nothing_to_do_s scale cores everything_s training_s outside_training",
        _workflow,
    ),
}
