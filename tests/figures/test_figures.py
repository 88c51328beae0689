"""The figures' CSVs from made-up runs and landscapes."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest
from diverged import diverge
from made_up_runs import GRID, PLANE, SEEDS, make_results

from analysis.__main__ import main
from analysis.experiments.catalogue import load_catalogue
from analysis.figures import figure_data as figures
from analysis.results.published import FOUND, manual_search, published_resnets
from autogrow.files.seals import seal
from autogrow.files.writing import write_csv
from autogrow.networks.flops import network_costs
from autogrow.networks.names import parse_network

COMMON = ["scale", "description", "panel", "title", "dataset", "paper_dataset", "run", "seed"]
NAN = ["nan", "nan"]


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue("mini")


@pytest.fixture
def write_figure(tmp_path):
    """Write a figure's CSVs by the command; return them by name."""

    def call(name, *options):
        arguments = [name, "--scale", "mini", "--folder", str(tmp_path), *options]
        assert main(["figure-data", *arguments, "--seeds", *map(str, SEEDS)]) == 0
        files = sorted((tmp_path / "figures").iterdir())
        return {f.name: pd.read_csv(f, dtype=str, keep_default_na=False) for f in files}

    return call


@pytest.fixture
def build(tmp_path, catalogue, write_figure):
    """Write a figure of made-up runs; return its CSVs."""

    def call(name, *options):
        make_results(tmp_path, catalogue, [name])
        frames = write_figure(name, *options)
        for frame in frames.values():
            assert list(frame.columns[: len(COMMON)]) == COMMON
            assert set(frame["scale"]) == {"mini"}
            assert set(frame["description"]) == {catalogue.settings.description}
        return frames

    return call


def test_curves_have_every_epoch_but_adaminits_and_count_layers(build):
    frame = build("figure8")["figure8.csv"]
    assert list(frame.columns[len(COMMON) :]) == [
        *("epoch", "phase", "depth", "layers"),
        *("train_accuracy", "val_accuracy", "best_val_accuracy", "train_loss", "val_loss"),
    ]
    assert set(frame["train_loss"] + " " + frame["val_loss"]) == {"0.5 0.75"}
    one = frame[(frame["panel"] == "a") & (frame["seed"] == "1")]
    assert list(one["epoch"]) == ["1", "2", "3", "4"]
    assert "adaminit" not in set(frame["phase"])
    assert list(one["layers"]) == ["10", "10", "12", "12"]  # two a residual sub-module
    plain = frame[(frame["panel"] == "b") & (frame["seed"] == "1")]
    assert list(plain["layers"]) == ["6", "6", "7", "7"]
    assert list(one["val_accuracy"]) == ["40.0", "55.0", "54.0", "65.1234"]
    assert set(frame["title"]) == {"Basic4ResNet, K = 2 (paper: 5)", "Plain4Net, K = 2"}
    assert set(frame["paper_dataset"]) == {"ImageNet"}
    assert set(frame["dataset"]) == {IMAGENET}


def test_counted_layers_are_those_of_the_network(build):
    from autogrow.networks.growable import build_network
    from autogrow.networks.names import parse_network

    frame = build("figure2")["figure2.csv"]
    name = parse_network("Basic3ResNet-2-1-1")
    assert int(frame["layers"].iloc[-1]) == build_network(name, image_channels=1, classes=10).layers


def test_every_run_and_seed_against_its_parameters(build, catalogue):
    frame = build("figure3", "--accuracy", "final")["figure3.csv"]
    listed, frame = frame[frame["run"] == ""], frame[frame["run"] != ""]
    assert set(listed["panel"] + listed["network"] + listed["dataset"]) == {
        *("eBasic3ResNetCIFAR10", "fPlain3NetCIFAR10", "fBasic4ResNetCIFAR10", "fPlain4NetCIFAR10")
    }
    depths = (3, 5, 7, 9, 11, 13, 15, 18, 24, 48)
    of_the_paper = listed["method"] == FOUND
    assert list(listed.loc[~of_the_paper, "depth"]) == [f"{n}-{n}-{n}" for n in depths]
    assert list(listed.loc[of_the_paper, "K"]) == ["3", "50", "3", "50", "3", "3"]
    assert dict(listed[["layers", "accuracy"]].to_numpy())["290"] == "94.54"
    equal = frame[frame["method"] == "equal compute"]
    assert len(equal) == 8 * len(SEEDS)
    assert equal["run"].str.endswith("-equal-compute").all()
    assert len(frame) == len(catalogue.tables["figure3"].rows) * len(SEEDS) + len(equal)
    assert dict(frame[["panel", "network"]].drop_duplicates().to_numpy()) == {
        **{"a": "Basic3ResNet", "b": "Plain3Net", "c": "Basic4ResNet", "d": "Plain4Net"}
    }
    for _, rows in frame.groupby("network"):
        assert rows.loc[rows["method"] == "baseline", "run"].nunique() >= 4
    grown = frame[frame["method"] == "AutoGrow"]
    assert set(grown["K"] + " " + grown["paper_K"]) == {"2 3", "2 50"}
    assert dict(frame[["seed", "accuracy"]].drop_duplicates().to_numpy()) == {
        **{"1": "81.0000", "2": "82.0000"}
    }


def test_on_cifar10_the_released_search_is_among_the_runs_and_baselines_are_deeper(tmp_path):
    paper = load_catalogue("paper")
    frame = figures.build_figure(
        paper.tables["figure3"], paper, make_results(tmp_path, paper, ["figure3"])
    )[""]
    found = frame[frame["method"] == FOUND]
    assert list(found["panel"] + found["title"]) == [
        *("aBasic3ResNet", "aBasic3ResNet", "bPlain3Net", "bPlain3Net"),
        *("cBasic4ResNet", "dPlain4Net"),
    ]
    listed = frame[(frame["run"] == "") & (frame["method"] != FOUND)]
    assert set(listed["panel"] + listed["title"]) == {"aBasic3ResNet"}
    for row in manual_search().itertuples():
        total = network_costs(
            parse_network(f"{row.network}-{row.depth}"),
            image_size=32,
            image_channels=3,
            classes=10,
        )[-1]
        assert (int(row.layers), row.parameters) == (total.layers, total.parameters)
        assert row.flops == total.flops
    grown = pd.read_csv("results/paper/table6.csv").query("dataset == 'CIFAR10'")
    for network, found in zip(grown["network"], grown["found_net"], strict=True):
        rows = [r for r in paper.tables["figure3"].rows if r.key["network"] == network]
        deepest = max(int(r.key["depth"].partition("-")[0]) for r in rows if "depth" in r.key)
        assert deepest > int(found.partition("-")[0])


def test_on_stand_in_data_ours_and_the_published_have_panels_of_their_own(build, catalogue):
    frame = build("figure4")["figure4.csv"]
    ours, published = frame[frame["panel"] == "a"], frame[frame["panel"] == "b"]
    assert len(ours) == 6 * len(SEEDS)
    assert set(ours["dataset"]) == {IMAGENET}
    assert set(ours["source"]) == {"this run"}
    assert set(published["dataset"]) == {"ImageNet"}
    assert set(published["source"]) == {"He et al. 2016", "torchvision", "the paper"}
    found = published[published["source"] == "the paper"]
    assert list(found["K"] + " " + found["depth"])[:2] == ["2 12-12-11-11", "5 9-3-6-4"]
    published = published[published["source"] != "the paper"]
    wanted = published_resnets()
    assert list(published["accuracy"].astype(float)) == list(wanted["top1"])
    assert list(published["method"]) == list(wanted["block"])


def test_published_resnets_stand_alone_where_nothing_was_run(tmp_path, call):
    told = call(main, "figure-data", "figure4", "--scale", "paper", "--folder", tmp_path)
    frame = pd.read_csv(tmp_path / "figures/figure4.csv")
    assert (told.status, len(frame)) == (0, len(published_resnets()) + 6)
    assert "this run" not in set(frame["source"])


def test_on_the_papers_data_ours_and_the_published_share_a_panel(tmp_path):
    paper = load_catalogue("paper")
    results = make_results(tmp_path, paper, ["figure4"])
    frame = figures.build_figure(paper.tables["figure4"], paper, results)[""]
    assert set(frame["method"]) == {"AutoGrow", "basic", "bottleneck"}
    assert set(frame["panel"]) == {""}
    assert set(frame["title"]) == {"ImageNet"}
    one = next(iter(paper.tables["figure4"].runs))
    shutil.rmtree(tmp_path / "runs" / one / "seed1")
    with pytest.raises(figures.UserError, match="no summary"):
        figures.build_figure(paper.tables["figure4"], paper, replace(results))


def test_found_depths_stand_beside_those_of_the_schedule_alone(build, catalogue):
    """The made-up curves have four epochs: no schedule stops there, K = 1 grows four times."""
    frame = build("figure9")["figure9.csv"]
    assert len(frame) == len(catalogue.tables["figure9"].rows) * len(SEEDS)
    assert set(frame["panel"] + frame["title"]) == {
        *("aby growing period K", "bby fraction of the training set")
    }
    assert (frame["fraction"] == "")[frame["panel"] == "a"].all()
    one = frame[(frame["paper_K"] == "1") & (frame["paper_dataset"] == "CIFAR10")].iloc[0]
    told = one[["found_depth", "found_sub_modules", "null_depth", "null_stopped"]]
    assert list(told) == ["2-1-1", "4", ">=3-2-2", "no"]
    assert one["null_sub_modules"] == "7"


def test_ways_to_grow_and_fixed_depths_have_what_their_training_spent(build, catalogue):
    frame = build("figure10")["figure10.csv"]
    rows = catalogue.tables["figure10"].rows
    equal = [row for row in rows if "equal_compute" in row.runs]
    assert [row.key["method"] for row in equal] == ["baseline"] * len(equal)
    assert len(frame) == (len(rows) + len(equal)) * len(SEEDS)
    assert list(frame["method"].drop_duplicates()) == [
        *dict.fromkeys(row.key["method"] for row in rows),
        "equal compute",
    ]
    assert set(frame.loc[frame["method"] == "equal compute", "run"]) == {
        row.runs["equal_compute"] for row in equal
    }
    assert set(frame["title"]) == set(frame["network"]) == {"Basic3ResNet"}
    one = frame[(frame["method"] == "p-AutoGrow") & (frame["seed"] == "2")]
    assert list(one["initializer"]) == ["GauInit", "Net2DeeperNet", "Duplication"]
    assert set(one["accuracy"]) == {"92.0000"}
    assert (frame["flops_training"].astype(int) > 0).all()


IMAGENET = "MNIST5000 without 4 pixels on each side, 20 % of its training set, 3,500 test images"
MORPHING = ["Basic3ResNet-1-1-1 morphed to 2-2-2", "Basic3ResNet-2-2-2 from scratch"]
GROWING = ["c-AutoGrow, staircase rate, ZeroInit", "c-AutoGrow, constant rate, GauInit"]
GROWING += ["p-AutoGrow, K = 2 (paper: 50)", "p-AutoGrow, K = 2 (paper: 3)"]


@pytest.mark.parametrize(("name", "titles"), [("figure5", MORPHING), ("figure6", GROWING)])
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
        *("network", "method", "K", "paper_K", "accuracy", "x", "y", "loss", "train_accuracy")
    ]
    panels = frame[["panel", "network", "method", "K", "paper_K"]].drop_duplicates()
    networks = ["Plain3Net-2-1-1", "Plain4Net-2-1-1-1", "Plain3Net-2-1-1"]
    periods = [("2", "3"), ("2", "3"), ("2", "50")]
    pairs = [
        (network, method, *K)
        for network, K in zip(networks, periods, strict=True)
        for method in ("baseline", "AutoGrow")
    ]
    assert [*panels.itertuples(index=False)] == [
        (panel, *pair) for panel, pair in zip("abcdef", pairs, strict=True)
    ]
    assert set(frame["accuracy"]) == {"81.0000"}
    assert set(frame["train_accuracy"]) == {"51"}
    assert len(frame) == 6 * len(GRID)


def test_the_smoke_stamp_is_in_every_row(tmp_path):
    smoke = load_catalogue("smoke")
    results = make_results(tmp_path, smoke, ["figure4", "figure6"])
    for name in ("figure4", "figure6"):
        for frame in figures.build_figure(smoke.tables[name], smoke, results).values():
            assert frame["description"].str.contains("NO SCIENTIFIC MEANING").all()


@pytest.fixture
def build_diverged(tmp_path, catalogue, write_figure):
    """Write and draw a figure whose first run diverged for the lowest seed; return its CSVs too."""

    def call(name, epoch):
        results = make_results(tmp_path, catalogue, [name])
        row = catalogue.tables[name].rows[0]
        diverge(results.run_folder(row.runs["main"], min(SEEDS)), epoch)
        if row.panel.landscape:
            for file in results.landscape_folder(row.runs["main"], min(SEEDS)).rglob("*.csv"):
                if file.name == "trajectory.csv":
                    point = [0, 0, "seed", "1-1-1", 0, *NAN]
                    write_csv(file, file.read_text().split("\n")[0].split(","), [point])
                    plane = {**PLANE, "explained_1": None, "explained_2": None}
                    file = file.with_name("plane.json")
                    file.write_text(json.dumps(plane))
                else:
                    write_csv(file, ["x", "y", "loss", "accuracy"], [[*p, *NAN] for p in GRID])
                seal(file)
        frames = write_figure(name)
        assert main(["figure", name, "--folder", str(tmp_path)]) == 0
        return row.runs["main"], frames

    return call


@pytest.mark.parametrize("epoch", [1, 4])
def test_curves_of_a_run_that_diverged(build_diverged, epoch):
    run, frames = build_diverged("figure2", epoch)
    frame = frames["figure2.csv"]
    lost = frame[(frame["run"] == run) & (frame["seed"] == "1")]
    assert set(lost["diverged_after"]) == {str(epoch)}
    assert list(lost["epoch"]) == [str(n + 1) for n in range(epoch)]
    assert list(lost["val_accuracy"])[-1] == "nan"
    assert set(frame.loc[frame["seed"] == "2", "diverged_after"]) == {""}


@pytest.mark.parametrize("name", ["figure3", "figure4"])
def test_a_run_that_diverged_has_no_accuracy(build_diverged, catalogue, name):
    run, frames = build_diverged(name, 4)
    lost = frames[f"{name}.csv"].query("diverged_after != ''")
    wanted = {"run": run, "diverged_after": "4", "accuracy": "", "parameters": "1001"}
    shown = [row for row in catalogue.tables[name].rows if row.runs["main"] == run]
    assert lost[list(wanted)].to_dict("records") == [wanted] * len(shown)


@pytest.mark.parametrize("name", ["figure5", "figure6", "figure7"])
def test_landscapes_of_a_run_that_diverged(build_diverged, name):
    run, frames = build_diverged(name, 4)
    for frame in frames.values():
        assert set(frame.loc[frame["run"] == run, "diverged_after"]) == {"4"}
        assert set(frame.loc[frame["run"] != run, "diverged_after"]) == {""}
    if name == "figure7":
        frame = frames["figure7.csv"]
        assert set(frame.loc[frame["run"] == run, "accuracy"]) == {""}


def test_an_unknown_figure_is_told(tmp_path, capsys):
    for name in ("figure1", "table5"):
        assert main(["figure-data", name, "--scale", "mini", "--folder", str(tmp_path)]) == 2
        assert "allowed: figure2, figure3" in capsys.readouterr().err
