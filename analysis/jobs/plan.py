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

from analysis.experiments.catalogue import Catalogue, load_catalogue
from analysis.jobs.estimates import estimate, landscape_flops, measured_throughput
from analysis.jobs.resources import kind_of
from analysis.jobs.spending import kind, ratios, spent
from analysis.results.summaries import Results
from autogrow.errors import UserError
from autogrow.files.seals import read_seal


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
        costs = [spent(run, folder / "runs" / run_id / f"seed{s}") for s in seeds]
        done = [cost for cost in costs if cost is not None]
        lines.append(
            {
                "run": run_id,
                "tables": " ".join(readers[run_id]),
                "network": e.network,
                "epochs": e.epochs * len(seeds),
                "flops": e.flops * len(seeds),
                "hours": e.flops * len(seeds) / throughput / 3600,
                "done": len(done),
                "due_epochs": e.epochs * len(done),
                "due_flops": e.flops * len(done),
                "spent_epochs": sum(cost.epochs for cost in done),
                "spent_flops": sum(cost.flops for cost in done),
                "seconds": sum(cost.seconds for cost in done),
                "kind": kind(run),
                "machine": kind_of(run.spec),
            }
        )
    frame = pd.DataFrame(lines)
    more = ratios(frame, "kind", "spent_flops", "due_flops")
    speed = ratios(frame, "machine", "spent_flops", "seconds")
    left = (frame["flops"] - frame["due_flops"]) * frame["kind"].map(more).fillna(1)
    frame["hours_left"] = left / frame["machine"].map(speed).fillna(throughput) / 3600
    return frame


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
    shown = [
        [
            *(r["run"], r["network"], r["epochs"], *_costs(r["flops"], r["hours"])),
            *(*_spent(r), f"{r['done']}/{n}"),
        ]
        for _, r in frame.iterrows()
    ]
    spending = ["epochs spent/planned", "FLOPs spent/planned"]
    runs = tabulate(
        shown, ["run", "network assumed", "epochs", "FLOPs", "hours", *spending, "done"]
    )
    per_table = []
    for name in catalogue.tables:
        part = frame[frame["tables"].str.split().apply(lambda names, name=name: name in names)]
        per_table.append(_sum(name, part, n))
    per_table.append(_sum("all, each run once", frame, n))
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
    header = ["table", "runs", "epochs", "FLOPs", "device-hours", *spending, "done", "hours left"]
    return (
        f"Scale {catalogue.scale}, {n} seed(s); FLOPs are multiply-adds, throughput {rate}.\n"
        f"The plan assumes for AutoGrow, whose depth is not known beforehand, the paper's found net"
        f"{'' if catalogue.scale == 'paper' else ', made smaller as the scale is'}.\n"
        f"Hours left follow the finished runs of a kind where there are any: what they spent over "
        f"what was planned, and how fast they were.\n\n"
        f"{runs}\n\n{tabulate(per_table, header)}\n\n"
        f"Loss around networks, on top of the runs:\n\n{tabulate(grids, grid_header)}\n"
    )


def _costs(flops: Any, hours: Any) -> list[str]:
    return [f"{flops:.2e}", f"{hours:.3g}"]


def _sum(name: str, part: pd.DataFrame, seeds: int) -> list[Any]:
    sums = part.sum(numeric_only=True)
    runs = len(part) * seeds
    costs = _costs(sums["flops"], sums["hours"])
    done = f"{sums['done']:.0f}/{runs}"
    return [
        name,
        runs,
        int(sums["epochs"]),
        *costs,
        *_spent(sums),
        done,
        f"{sums['hours_left']:.3g}",
    ]


def _spent(line: Any) -> list[str]:
    """Return spent over planned epochs and multiply-adds of the runs that are done."""
    if not line["done"]:
        return ["", ""]
    return [
        f"{line['spent_epochs']:.0f}/{line['due_epochs']:.0f}",
        f"{line['spent_flops']:.2e}/{line['due_flops']:.2e}",
    ]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--scale", default="mini")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--folder", type=Path, help="default: results/out/SCALE")
    parser.add_argument("--device", default="cpu", help="to measure on")
    parser.add_argument(
        "--throughput",
        type=float,
        metavar="FLOPS",
        help="multiply-adds a second of one device (default: measured now, one CPU thread)",
    )


def run(options: argparse.Namespace) -> int:
    """Print the plan; return the exit status."""
    catalogue = load_catalogue(options.scale)
    wanted = options.throughput
    if wanted is not None and not 0 < wanted < float("inf"):
        raise UserError(f"--throughput: found {wanted}; allowed: a number above 0")
    throughput = wanted or measured_throughput(catalogue, options.device)
    rate = f"{throughput:.3g}/s " + ("as given" if wanted else "measured on this machine")
    folder = options.folder or Path("results/out") / options.scale
    given = (catalogue, options.seeds, throughput, folder)
    print(report(plan(*given), plan_landscapes(*given), catalogue, options.seeds, rate))
    return 0
