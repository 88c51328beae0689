"""The figures' CSVs from made-up runs and landscapes."""

import csv
import json
import subprocess
import sys

import pandas as pd
import pytest

from analysis import figures
from analysis.catalogue import load_catalogue
from analysis.published import published_resnets
from analysis.runs import Results
from autogrow.records import METRICS_HEADER

SEEDS = [2, 1]
COMMON = ["scale", "description", "panel", "title", "dataset", "paper_dataset", "run", "seed"]
GROWN = [
    # epoch, phase, depth, train, val and best val accuracy
    (1, "growing", "1-1-1", "50.0", "40.0", "40.0"),
    (2, "growing", "1-1-1", "60.0", "55.0", "55.0"),
    (2, "adaminit", "2-1-1", "58.0", "", "55.0"),
    (3, "growing", "2-1-1", "61.0", "54.0", "55.0"),
    (4, "finetuning", "2-1-1", "70.0", "65.1234", "65.1234"),
]
GRID = [(x, y) for y in (-1.0, 0.0, 1.0) for x in (-2.0, 2.0)]


def write_csv(file, header, rows):
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as content:
        csv.writer(content).writerows([header, *rows])


def make_run(folder, run, seed):
    """A finished run whose accuracy is 90 + seed at best and 80 + seed at the end."""
    architecture = run.settings.get("network", run.settings.get("to")).partition("-")[0]
    depth = "2-1-1" if "3" in architecture else "2-1-1-1"
    summary = {
        "network": f"{architecture}-{depth}",
        "depth": depth,
        "layers": 10,
        "parameters": 1000 + seed,
        "flops": 5000,
        "best_accuracy": 90.0 + seed,
        "final_accuracy": 80.0 + seed,
        "best_top5": 99.0,
        "final_top5": 98.0,
    }
    folder = folder / "runs" / run.id / f"seed{seed}"
    folder.mkdir(parents=True)
    (folder / "summary.json").write_text(json.dumps(summary))
    rows = []
    for epoch, phase, depth, train, val, best in GROWN:
        if "4" in architecture:
            depth += "-1"
        cells = {"epoch": epoch, "phase": phase, "depth": depth, "train_accuracy": train}
        cells |= {"val_accuracy": val, "best_val_accuracy": best}
        rows.append([cells.get(column, "") for column in METRICS_HEADER])
    write_csv(folder / "metrics.csv", METRICS_HEADER, rows)


def make_landscape(folder, row, seed):
    folder = folder / "landscapes" / row.runs["main"] / f"seed{seed}"
    grid = [[x, y, x * x + 10 * y, 50 + seed] for x, y in GRID]
    if row.panel.snapshots is not None:
        header = ["step", "epoch", "phase", "depth", "grown", "x", "y"]
        points = [[0, 0, "seed", "1-1-1", 0, 3.5, -1], [1, 2, "growing", "2-1-1", 1, 0, 0]]
        write_csv(folder / "trajectory/trajectory.csv", header, points)
        plane = {"explained_1": 34.06, "explained_2": 12.5, "x": [-2, 2], "y": [-1, 1]}
        (folder / "trajectory/plane.json").write_text(json.dumps(plane))
        write_csv(folder / "trajectory/contour.csv", ["x", "y", "loss", "accuracy"], grid)
    else:
        write_csv(folder / "surface/surface.csv", ["x", "y", "loss", "accuracy"], grid)


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue("mini")


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


@pytest.fixture
def build(tmp_path, catalogue):
    """Write a figure from its made-up runs by the command; return its CSVs."""

    def call(name, *options):
        make_results(tmp_path, catalogue, [name])
        arguments = [name, "--scale", "mini", "--folder", str(tmp_path), *options]
        if "--seeds" not in options:
            arguments += ["--seeds", *map(str, SEEDS)]
        assert figures.main(arguments) == 0
        files = sorted((tmp_path / "figures").iterdir())
        frames = [pd.read_csv(file, dtype=str, keep_default_na=False) for file in files]
        for frame in frames:
            assert list(frame.columns[: len(COMMON)]) == COMMON
            assert set(frame["scale"]) == {"mini"}
            assert set(frame["description"]) == {catalogue.settings.description}
        return dict(zip((file.name for file in files), frames, strict=True))

    return call


def test_curves_have_every_epoch_but_adaminits_and_count_layers(build):
    frame = build("figure8")["figure8.csv"]
    assert list(frame.columns[len(COMMON) :]) == [
        *("epoch", "phase", "depth", "layers"),
        *("train_accuracy", "val_accuracy", "best_val_accuracy"),
    ]
    one = frame[(frame["panel"] == "a") & (frame["seed"] == "1")]
    assert list(one["epoch"]) == ["1", "2", "3", "4"]
    assert "adaminit" not in set(frame["phase"])
    assert list(one["layers"]) == ["10", "10", "12", "12"]  # two a residual sub-module
    plain = frame[(frame["panel"] == "b") & (frame["seed"] == "1")]
    assert list(plain["layers"]) == ["6", "6", "7", "7"]
    assert list(one["val_accuracy"]) == ["40.0", "55.0", "54.0", "65.1234"]
    assert set(frame["title"]) == {"Basic4ResNet, K = 3 (paper: 5)", "Plain4Net, K = 2"}
    assert set(frame["paper_dataset"]) == {"ImageNet"}
    assert set(frame["dataset"]) == {"MNIST5000, 15 % of its training set"}


def test_counted_layers_are_those_of_the_network(build):
    from autogrow.names import parse_network
    from autogrow.networks import build_network

    frame = build("figure2")["figure2.csv"]
    name = parse_network("Basic3ResNet-2-1-1")
    assert int(frame["layers"].iloc[-1]) == build_network(name, image_channels=1, classes=10).layers


def test_every_run_and_seed_against_its_parameters(build, catalogue):
    frame = build("figure3", "--accuracy", "final")["figure3.csv"]
    assert len(frame) == len(catalogue.tables["figure3"].rows) * len(SEEDS)
    assert dict(frame[["panel", "network"]].drop_duplicates().to_numpy()) == {
        **{"a": "Basic3ResNet", "b": "Plain3Net", "c": "Basic4ResNet", "d": "Plain4Net"}
    }
    for _, rows in frame.groupby("network"):
        assert rows.loc[rows["method"] == "baseline", "run"].nunique() >= 6
    grown = frame[frame["method"] == "AutoGrow"]
    assert set(grown["K"] + " " + grown["paper_K"]) == {"2 3", "6 50"}
    assert dict(frame[["seed", "accuracy"]].drop_duplicates().to_numpy()) == {
        **{"1": "81.0000", "2": "82.0000"}
    }


def test_on_stand_in_data_ours_and_the_published_have_panels_of_their_own(build, catalogue):
    frame = build("figure4")["figure4.csv"]
    ours, published = frame[frame["panel"] == "a"], frame[frame["panel"] == "b"]
    assert len(ours) == 6 * len(SEEDS)
    assert set(ours["dataset"]) == {"MNIST5000, 15 % of its training set"}
    assert set(ours["source"]) == {"this run"}
    assert set(published["dataset"]) == {"ImageNet"}
    assert set(published["source"]) == {"He et al. 2016", "torchvision"}
    wanted = published_resnets()
    assert list(published["accuracy"].astype(float)) == list(wanted["top1"])
    assert list(published["method"]) == list(wanted["block"])


def test_published_resnets_stand_alone_where_nothing_was_run(tmp_path, capsys):
    arguments = ["figure4", "--scale", "paper", "--folder", str(tmp_path)]
    assert figures.main(arguments) == 0
    frame = pd.read_csv(tmp_path / "figures/figure4.csv")
    assert len(frame) == len(published_resnets())
    assert "AutoGrow" not in set(frame["method"])


def test_on_the_papers_data_ours_and_the_published_share_a_panel(tmp_path):
    paper = load_catalogue("paper")
    results = make_results(tmp_path, paper, ["figure4"])
    frame = figures.build_figure(paper.tables["figure4"], paper, results)[""]
    assert set(frame["method"]) == {"AutoGrow", "basic", "bottleneck"}
    assert set(frame["panel"]) == {""}
    assert set(frame["title"]) == {"ImageNet"}
    one = next(iter(paper.tables["figure4"].runs))
    (tmp_path / "runs" / one / "seed1/summary.json").unlink()
    with pytest.raises(figures.UserError, match="no summary"):
        figures.build_figure(paper.tables["figure4"], paper, results)


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        (
            "figure5",
            ["Basic3ResNet-1-1-1 morphed to 2-2-2", "Basic3ResNet-2-2-2 from scratch"],
        ),
        (
            "figure6",
            [
                "c-AutoGrow, staircase rate, ZeroInit",
                "c-AutoGrow, constant rate, GauInit",
                "p-AutoGrow, K = 6 (paper: 50)",
                "p-AutoGrow, K = 2 (paper: 3)",
            ],
        ),
    ],
)
def test_trajectories_and_contours_of_the_lowest_seed(build, name, titles):
    frames = build(name)
    trajectory, contour = frames[f"{name}.csv"], frames[f"{name}_contour.csv"]
    assert list(trajectory["title"].drop_duplicates()) == titles
    assert list(trajectory["panel"].drop_duplicates()) == list("abcd"[: len(titles)])
    assert set(trajectory["seed"]) == set(contour["seed"]) == {"1"}
    one = trajectory[trajectory["panel"] == "b"]
    assert one[["step", "grown", "x", "y"]].to_numpy().tolist() == [
        ["0", "0", "3.5", "-1"],
        ["1", "1", "0", "0"],
    ]
    assert set(one["explained_1"] + " " + one["explained_2"]) == {"34.0600 12.5000"}
    losses = contour.loc[contour["panel"] == "b", ["x", "y", "loss"]].astype(float)
    assert [tuple(point) for point in losses.to_numpy()] == [
        (x, y, x * x + 10 * y) for x, y in GRID
    ]


def test_surfaces_have_the_networks_accuracy_and_each_points(build):
    frame = build("figure7")["figure7.csv"]
    assert list(frame.columns[len(COMMON) :]) == [
        *("network", "method", "accuracy", "x", "y", "loss", "train_accuracy")
    ]
    panels = frame[["panel", "network", "method"]].drop_duplicates()
    assert panels.to_numpy().tolist() == [
        ["a", "Plain3Net-2-1-1", "baseline"],
        ["b", "Plain3Net-2-1-1", "AutoGrow"],
        ["c", "Plain4Net-2-1-1-1", "baseline"],
        ["d", "Plain4Net-2-1-1-1", "AutoGrow"],
    ]
    assert set(frame["accuracy"]) == {"81.0000"}
    assert set(frame["train_accuracy"]) == {"51"}
    assert len(frame) == 4 * len(GRID)


def test_the_smoke_stamp_is_in_every_row(tmp_path):
    smoke = load_catalogue("smoke")
    results = make_results(tmp_path, smoke, ["figure4", "figure6"])
    for name in ("figure4", "figure6"):
        for frame in figures.build_figure(smoke.tables[name], smoke, results).values():
            assert frame["description"].str.contains("NO SCIENTIFIC MEANING").all()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("figure2", "runs/*/*/*/seed1/metrics.csv"),
        ("figure3", "runs/*/*/*/seed2/summary.json"),
        ("figure6", "landscapes/*/*/*/seed1/trajectory/trajectory.csv"),
        ("figure6", "landscapes/*/*/*/seed1/trajectory/plane.json"),
        ("figure6", "landscapes/*/*/*/seed1/trajectory/contour.csv"),
        ("figure7", "landscapes/*/*/*/seed1/surface/surface.csv"),
    ],
)
@pytest.mark.parametrize("content", [None, "", "{}", "x,y\n1,2\n"])
def test_what_is_missing_or_damaged_is_named(tmp_path, catalogue, capsys, name, file, content):
    make_results(tmp_path, catalogue, [name])
    damaged = sorted(tmp_path.glob(file))[0]
    damaged.unlink()
    if content is not None:
        damaged.write_text(content)
    arguments = [name, "--scale", "mini", "--folder", str(tmp_path), "--seeds", "1", "2"]
    assert figures.main(arguments) == 2
    told = capsys.readouterr().err
    assert str(damaged) in told
    assert told.count("\n") == 1
    assert not (tmp_path / "figures").exists()


def test_an_unknown_figure_is_told(tmp_path, capsys):
    for name in ("figure1", "table5"):
        assert figures.main([name, "--scale", "mini", "--folder", str(tmp_path)]) == 2
        assert "allowed: figure2, figure3" in capsys.readouterr().err


def test_no_torch_is_imported():
    code = "import analysis.figures, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
