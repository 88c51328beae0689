"""A scale's runs and landscapes, made up: what their files hold, without any training."""

import json

from made_up_summaries import made_up_summary, write_result, write_spec

from analysis.results.summaries import Results
from autogrow.files.seals import seal
from autogrow.files.writing import write_csv
from autogrow.training.metrics import METRICS_HEADER

SEEDS = [2, 1]
GROWN = [
    # epoch, phase, depth, train, val and best val accuracy
    (1, "growing", "1-1-1", "50.0", "40.0", "40.0"),
    (2, "growing", "1-1-1", "60.0", "55.0", "55.0"),
    (2, "adaminit", "2-1-1", "58.0", "", "55.0"),
    (3, "growing", "2-1-1", "61.0", "54.0", "55.0"),
    (4, "finetuning", "2-1-1", "70.0", "65.1234", "65.1234"),
]
GRID = [(x, y) for y in (-1.0, 0.0, 1.0) for x in (-2.0, 0.0, 2.0)]

PLANE = {
    **{"network": "Basic3ResNet-2-1-1", "explained_1": 34.06, "explained_2": 12.5},
    **{
        "x": [-2.0, 2.0],
        "y": [-1.0, 1.0],
        "points": 3,
        "margin": 0.15,
        "snapshots": 1,
        "fitted": 2,
    },
    **{"weights": "0" * 64, "directions": "0" * 64},
}


def make_run(folder, run, seed):
    """A finished run whose accuracy is 90 + seed at best and 80 + seed at the end."""
    architecture = run.spec.architecture.name
    depth = "2-1-1" if "3" in architecture else "2-1-1-1"
    scores = {"best_accuracy": 90.0 + seed, "final_accuracy": 80.0 + seed}
    summary = made_up_summary(
        f"{architecture}-{depth}", parameters=1000 + seed, seed=seed, **scores
    )
    folder = folder / "runs" / run.id / f"seed{seed}"
    rows = []
    for epoch, phase, depth, train, val, best in GROWN:
        if "4" in architecture:
            depth += "-1"
        cells = {"epoch": epoch, "phase": phase, "depth": depth, "train_accuracy": train}
        cells |= {"val_accuracy": val, "best_val_accuracy": best}
        cells |= {"train_loss": "0.5", "val_loss": "0.75" if val else ""}
        rows.append([cells.get(column, "") for column in METRICS_HEADER])
    write_csv(folder / "metrics.csv", METRICS_HEADER, rows)
    write_spec(folder, run, seed)
    write_result(folder, summary)


def make_landscape(folder, row, seed):
    folder = folder / "landscapes" / row.runs["main"] / f"seed{seed}"
    grid = [[x, y, x * x + 10 * y, 50 + seed] for x, y in GRID]
    if row.panel.snapshots is not None:
        header = ["step", "epoch", "phase", "depth", "grown", "x", "y"]
        points = [[0, 0, "seed", "1-1-1", 0, 3.5, -1], [1, 2, "growing", "2-1-1", 1, 0, 0]]
        write_csv(folder / "trajectory/trajectory.csv", header, points)
        (folder / "trajectory/plane.json").write_text(json.dumps(PLANE))
        seal(folder / "trajectory/plane.json")
        file = folder / "trajectory/contour.csv"
    else:
        file = folder / "surface/surface.csv"
    write_csv(file, ["x", "y", "loss", "accuracy"], grid)
    seal(file)


def make_results(folder, catalogue, names):
    runs = dict.fromkeys(run for name in names for run in catalogue.tables[name].runs)
    for run in runs:
        for seed in SEEDS:
            make_run(folder, catalogue.runs[run], seed)
    for name in names:
        for row in catalogue.tables[name].rows:
            if row.panel.landscape:
                make_landscape(folder, row, min(SEEDS))
    return Results(folder, SEEDS, "best")
