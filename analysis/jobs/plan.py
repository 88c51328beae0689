"""List what the workflow would run, table by table: epochs, FLOPs and device-hours.

``python -m analysis plan --scale paper --throughput 2e12`` or, with the throughput
measured on the spot on this machine, ``python -m analysis plan --scale mini``.
analysis/jobs/estimates.py says which depth it assumes for AutoGrow. Finished runs correct what is
left: by what their kind spent over what was planned, and by how fast their network was.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from tabulate import tabulate

from analysis.commandline import add_campaign, data_source, seeds
from analysis.experiments.catalogue import Catalogue, load_catalogue
from analysis.experiments.planned_runs import Run
from analysis.jobs.estimates import epoch_flops, estimate, landscape_flops, measured_throughput
from analysis.jobs.resources import kind_of
from analysis.results.csvfiles import check_columns, read_csv
from analysis.results.summaries import Results
from autogrow.errors import UserError
from autogrow.files.seals import read_seal
from autogrow.networks.names import NetworkName, parse_depth
from autogrow.runs.folder import SPEC, finished
from autogrow.runs.summary import SUMMARY, read_summary
from autogrow.training.metrics import METRICS


def plan(
    catalogue: Catalogue, seeds: Sequence[int], throughput: float, folder: Path
) -> pd.DataFrame:
    """Return a line for each run, with the sums over all seeds.

    ``tables`` names every table that reads the run; ``done`` counts the finished seeds, which
    took ``spent_epochs`` and ``spent_flops``. ``hours`` are those planned, ``hours_left`` those
    that the runs not done will take, as far as finished ones tell.
    """
    readers: dict[str, list[str]] = {}
    for table in catalogue.tables.values():
        for run_id in table.runs:
            readers.setdefault(run_id, []).append(table.name)
    lines: list[dict[str, Any]] = []
    for run_id in sorted(catalogue.runs):
        run = catalogue.runs[run_id]
        e = estimate(run, catalogue)
        costs = [_spent(run, folder / "runs" / run_id / f"seed{s}") for s in seeds]
        done = [cost for cost in costs if cost is not None]
        epochs, flops, seconds = (sum(c) for c in zip((0, 0.0, 0.0), *done, strict=True))
        lines.append(
            {
                "run": run_id,
                "tables": " ".join(readers.get(run_id, [])),
                "network": e.network,
                "epochs": e.epochs * len(seeds),
                "flops": e.flops * len(seeds),
                "hours": e.flops * len(seeds) / throughput / 3600,
                "done": len(done),
                "due_epochs": e.epochs * len(done),
                "due_flops": e.flops * len(done),
                "spent_epochs": epochs,
                "spent_flops": flops,
                "seconds": seconds,
                "kind": (kind_of(run.spec), run.spec.kind, run.depth_of is None),
                "machine": kind_of(run.spec),
            }
        )
    frame = pd.DataFrame(lines)
    left = (frame["flops"] - frame["due_flops"]) * _learned(frame, "kind", "due_flops", 1)
    frame["hours_left"] = left / _learned(frame, "machine", "seconds", throughput) / 3600
    return frame


def _spent(run: Run, folder: Path) -> tuple[int, float, float] | None:
    """Return epochs (AdamInit's too), multiply-adds and device-seconds of a finished run."""
    seal = finished(folder)
    if seal is None:
        return None
    seal.check(SPEC, SUMMARY, METRICS)
    summary, architecture = read_summary(folder / SUMMARY), run.spec.architecture
    header, epochs = read_csv(folder / METRICS)
    check_columns(folder / METRICS, header, ["depth"])
    depths = [parse_depth(epoch["depth"], architecture) for epoch in epochs]
    flops = sum(epoch_flops(run.spec, NetworkName(architecture, depth)) for depth in depths)
    seconds = summary.seconds_growing + summary.seconds_finetuning
    return len(epochs), flops, seconds * summary.processes


def _learned(frame: pd.DataFrame, by: str, under: str, default: float) -> pd.Series[float]:
    """Return multiply-adds spent over another column, both summed where ``by`` is the same."""
    sums = frame.groupby(by)[["spent_flops", under]].transform("sum")
    return (sums["spent_flops"] / sums[under]).where((sums > 0).all(axis=1), default)


def plan_landscapes(
    catalogue: Catalogue, seeds: Sequence[int], throughput: float, folder: Path
) -> pd.DataFrame:
    """Return a line for each panel that shows the loss around a network (Figures 5 to 7).

    ``points`` counts those along each axis; only the lowest seed is shown.
    """
    sizes = catalogue.settings.figures
    results = Results(folder, seeds, "best")
    lines = []
    for figure in catalogue.tables.values():
        for row in (row for row in figure.rows if row.panel.landscape):
            run = row.runs["main"]
            trajectory = row.panel.snapshots is not None
            points = sizes.contour_points if trajectory else sizes.surface_points
            name = "trajectory/contour.csv" if trajectory else "surface/surface.csv"
            file = results.landscape_folder(run, min(seeds)) / name
            done = file.exists()
            if done:
                read_seal(file).check()
            flops = landscape_flops(catalogue.runs[run], points**2, catalogue)
            lines.append(
                {
                    "figure": figure.name,
                    "panel": row.panel.letter,
                    "run": run,
                    "points": points,
                    "flops": flops,
                    "hours": flops / throughput / 3600,
                    "done": done,
                }
            )
    return pd.DataFrame(lines)


def report(
    frame: pd.DataFrame,
    landscapes: pd.DataFrame,
    catalogue: Catalogue,
    seeds: Sequence[int],
    rate: str,
) -> str:
    """Return the plan as text: every run, each table, the whole, and the landscapes."""
    n = len(seeds)
    shown = [[line["run"], line["network"], *_cells(line, n)] for _, line in frame.iterrows()]
    header = ["epochs", "FLOPs", "device-hours", "epochs spent/planned", "FLOPs spent/planned"]
    header += ["done", "hours left"]
    runs = tabulate(shown, ["run", "network assumed", *header])
    per_table = []
    for name in catalogue.tables:
        part = frame[frame["tables"].str.split().apply(lambda names, name=name: name in names)]
        per_table.append(_sum(name, part, n))
    per_table.append(_sum("all, each run once", frame, n))
    tables = tabulate(per_table, ["table", "runs", *header])
    grids = [
        [
            *(f"{r.figure}{r.panel}", r.run, f"{r.points} x {r.points}"),
            *(*_costs(r.flops, r.hours), f"{r.done:d}/1"),
        ]
        for r in landscapes.itertuples()
    ]
    flops, hours, done = (landscapes[c].sum() for c in ("flops", "hours", "done"))
    grids.append(["all panels", "", "", *_costs(flops, hours), f"{done}/{len(landscapes)}"])
    grid_header = ["panel", "run", "points", "FLOPs", "device-hours", "done"]
    return (
        f"Scale {catalogue.scale}, {n} seed(s); FLOPs are multiply-adds, throughput {rate}.\n"
        f"The plan assumes for AutoGrow, whose depth is not known beforehand, the paper's found net"
        f"{'' if catalogue.scale == 'paper' else ', made smaller as the scale is'}.\n"
        f"Hours left follow finished runs: what their kind spent over what was planned, and how "
        f"fast their network was.\n\n"
        f"{runs}\n\n{tables}\n\n"
        f"Loss around networks, on top of the runs:\n\n{tabulate(grids, grid_header)}\n"
    )


def _costs(flops: Any, hours: Any) -> list[str]:
    return [f"{flops:.2e}", f"{hours:.3g}"]


def _sum(name: str, part: pd.DataFrame, seeds: int) -> list[Any]:
    runs = len(part) * seeds
    return [name, runs, *_cells(part.sum(numeric_only=True), runs)]


def _cells(line: Any, runs: int) -> list[str]:
    spent = ["", ""]
    if line["done"]:
        spent = [f"{line['spent_epochs']:.0f}/{line['due_epochs']:.0f}"]
        spent.append(f"{line['spent_flops']:.2e}/{line['due_flops']:.2e}")
    done, left = f"{line['done']:.0f}/{runs}", f"{line['hours_left']:.3g}"
    return [f"{line['epochs']:.0f}", *_costs(line["flops"], line["hours"]), *spent, done, left]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--scale", default="mini")
    add_campaign(parser)
    parser.add_argument("--device", default="cpu", help="to measure on")
    parser.add_argument(
        "--throughput",
        type=float,
        metavar="FLOPS",
        help="multiply-adds a second of one device (default: measured now, one CPU thread)",
    )


def run(options: argparse.Namespace) -> int:
    """Print the plan; return the exit status."""
    catalogue = load_catalogue(
        options.scale, sources=data_source(options), protocol=options.protocol
    )
    wanted = options.throughput
    if wanted is not None and not 0 < wanted < float("inf"):
        raise UserError(f"--throughput: found {wanted}; allowed: a number above 0")
    throughput = wanted or measured_throughput(catalogue, options.device)
    rate = f"{throughput:.3g}/s " + ("as given" if wanted else "measured on this machine")
    folder = options.folder or Path("results/out") / options.scale
    given = (catalogue, seeds(options), throughput, folder)
    print(report(plan(*given), plan_landscapes(*given), catalogue, seeds(options), rate))
    return 0
