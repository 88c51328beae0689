"""Write the numbers behind a figure of the paper in long form, which is all that plotting reads.

``python -m analysis figure-data figure6 --scale mini --folder results/out/mini`` writes
``figures/figure6.csv`` and, for Figures 5 and 6, ``figures/figure6_contour.csv``, from
what finished runs have recorded and the landscapes computed around their networks.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import pandas as pd

from analysis.commandline import add_results
from analysis.experiments.catalogue import Catalogue, Table, load_catalogue
from analysis.experiments.row_files import from_json
from analysis.experiments.rows import Row
from analysis.figures.frames import COMMON
from analysis.figures.labelling import labelled, ways_trained
from analysis.figures.method_data import methods_and_depths
from analysis.figures.null_data import depths_against_nulls
from analysis.landscapes.planefiles import FACTS, read_facts
from analysis.results.csvfiles import check_columns, grid_sides, read_csv, read_numbers
from analysis.results.published import FOUND, found_nets, manual_search, published_resnets
from analysis.results.summaries import CountedSummary, Results
from autogrow.errors import UserError, allowed, shown
from autogrow.files.seals import read_seal
from autogrow.files.writing import write_together
from autogrow.networks.names import LAYERS, parse_depth, parse_network
from autogrow.runs.folder import require_finished
from autogrow.training.metrics import BESIDE, METRICS

EPOCH_VALUES = ["train_accuracy", "val_accuracy", "best_val_accuracy", "train_loss", "val_loss"]
CONTOUR = "_contour"
CIFAR10, IMAGENET = "CIFAR10", "ImageNet"  # of the paper's Figures 3 and 4


def build_figure(figure: Table, catalogue: Catalogue, results: Results) -> dict[str, pd.DataFrame]:
    """Return the CSVs of a figure by what their names add to the figure's: ``""`` and others.

    Every row says scale, its description, panel, title, dataset (really used),
    paper_dataset, run and seed. Then

    * Figures 2 and 8: a row for each epoch of each seed: accuracies in percent, losses, layers;
    * Figure 3: a row for each run and seed: parameters, multiply-adds, accuracy, the found nets
      from scratch at equal compute among them; then the manual search that the released code lists,
      and the nets that the paper found;
    * Figure 4: the same, and the published ResNets; ours are left out if none was run;
    * Figures 5 and 6: a row for each point of the lowest seed's trajectory; in
      ``_contour`` for each point of the grid: training loss;
    * Figure 7: a row for each point of the lowest seed's surface: training loss and
      training accuracy;
    * Figure 9: a row for each run and seed: its found depth, and that of its schedule alone;
    * Figure 10: a row for each run and seed: all multiply-adds of its training, and its accuracy.

    If any run that is shown diverged, ``diverged_after`` has the first epoch whose loss was
    not finite, in every row of that run. Such a run has no accuracy in Figures 3, 4 and 7.
    """
    if any(row.panel.landscape for row in figure.rows):
        results = replace(results, seeds=[min(results.seeds)])
    frames = _BUILDERS[figure.name](figure, catalogue, results)
    for name, frame in frames.items():
        if frame["diverged_after"].eq("").all():
            frames[name] = frame.drop(columns="diverged_after")
    return frames


def _curves(figure: Table, catalogue: Catalogue, results: Results) -> dict[str, pd.DataFrame]:
    parts = []
    for row in figure.rows:
        run = row.runs["main"]
        title = f"{row.key['network']}, {_period(row)}"
        for seed, summary in zip(results.seeds, results.summaries(run), strict=True):
            require_finished(results.run_folder(run, seed), METRICS)
            metrics = _metrics(results.run_folder(run, seed) / METRICS, summary)
            parts.append(labelled(metrics, catalogue, row, title, seed, summary))
    return {"": pd.concat(parts)}


def _metrics(file: Path, summary: CountedSummary) -> pd.DataFrame:
    """Return the epochs of a run with the layers that the network had."""
    frame = _read(file, ["phase", "depth"], ["epoch", *EPOCH_VALUES])
    frame = frame.loc[~frame["phase"].isin(BESIDE), ["epoch", "phase", "depth", *EPOCH_VALUES]]
    epochs = summary.own_epochs
    if list(frame["epoch"]) != [str(n + 1) for n in range(epochs)]:
        raise UserError(f"{file}: not what the figure needs: allowed: the epochs 1 to {epochs}")
    architecture = parse_network(summary.network).architecture
    try:
        sub_modules = [sum(parse_depth(d, architecture)) for d in frame["depth"]]
    except UserError as error:
        raise UserError(f"{file}: {error}") from None
    # Stem and head are a layer each.
    layers = [2 + n * LAYERS[architecture.block] for n in sub_modules]
    frame.insert(3, "layers", layers)
    return frame


def _against_parameters(
    figure: Table, catalogue: Catalogue, results: Results
) -> dict[str, pd.DataFrame]:
    """Return every run; the paper's panels have no letters, so they get them in their order."""
    parts = []
    networks = dict.fromkeys(row.key["network"] for row in figure.rows)
    letters = dict(zip(networks, ascii_lowercase, strict=False))
    for row in figure.rows:
        network = row.key["network"]
        for own, method in ways_trained(row):
            for seed, s in zip(results.seeds, results.summaries(own.runs["main"]), strict=True):
                line = {"network": network, "method": method}
                line |= {"K": row.values.get("K", ""), "paper_K": row.key.get("K", ""), **_found(s)}
                part = labelled(pd.DataFrame([line]), catalogue, own, network, seed, s)
                parts.append(part.assign(panel=letters[network]))
    dataset = CIFAR10
    comparable = all(row.values["dataset"] == dataset for row in figure.rows)
    listed = pd.concat([manual_search(), found_nets().assign(method=FOUND)])
    listed = listed[listed["dataset"] == dataset].drop(columns=["dataset", "reference"])
    listed = listed.assign(run="", seed="", K=listed["K"].fillna(""))
    listed["paper_K"] = listed["K"]
    searched = manual_search()["network"].iloc[0]
    for network in dict.fromkeys(listed["network"]):
        rows = listed[listed["network"] == network]
        panel, title = letters.get(network, ""), network
        if not (panel and comparable):
            # Where other data stands in, the searched network has a panel of its own.
            panel = ascii_lowercase[len(letters) + (network != searched)]
            named = searched if network == searched else "other networks"
            title = f"Published, {named} on {dataset}"
        parts.append(_published(rows, catalogue, panel, title, dataset))
    return {"": pd.concat(parts)}


def _against_published(
    figure: Table, catalogue: Catalogue, results: Results
) -> dict[str, pd.DataFrame]:
    """Return ours beside the published; in a panel of their own where other data stands in."""
    dataset = IMAGENET
    comparable = all(row.values["dataset"] == dataset for row in figure.rows)
    parts = []
    for row in figure.rows if results.any_finished(figure.runs) else ():
        title = f"AutoGrow on {row.values['dataset']}"
        for seed, s in zip(results.seeds, results.summaries(row.runs["main"]), strict=True):
            line = {"network": row.key["network"], "method": "AutoGrow", "source": "this run"}
            line |= {"K": row.values["K"], **_found(s)}
            part = labelled(pd.DataFrame([line]), catalogue, row, title, seed, s)
            parts.append(part.assign(panel="" if comparable else "a"))
    published = published_resnets().rename(columns={"block": "method", "top1": "accuracy"})
    found = found_nets().assign(method="AutoGrow", source="the paper")
    columns = ["network", "method", "source", "K", "depth", "layers", "parameters", "flops"]
    columns += ["accuracy"]
    panel, title = "" if comparable else "b", f"Published, on {dataset}"
    for others in (published, found[found["dataset"] == dataset]):
        rows = others.reindex(columns=columns)
        parts.append(_published(rows, catalogue, panel, title, dataset))
    frame = pd.concat(parts).reindex(columns=[*COMMON, "seed", *columns, "diverged_after"])
    if comparable:
        frame["title"] = dataset
    return {"": frame}


def _published(
    frame: pd.DataFrame, catalogue: Catalogue, panel: str, title: str, dataset: str
) -> pd.DataFrame:
    """Return numbers of others with the columns that every figure has, but for run and seed."""
    common = {"scale": catalogue.scale, "description": catalogue.settings.description}
    common |= {"panel": panel, "title": title, "dataset": dataset, "paper_dataset": dataset}
    return frame.assign(**common, diverged_after="")


def _trajectories(figure: Table, catalogue: Catalogue, results: Results) -> dict[str, pd.DataFrame]:
    trajectories, contours = [], []
    [seed] = results.seeds
    for row in figure.rows:
        run = row.runs["main"]
        [summary] = results.summaries(run)
        folder = results.landscape_folder(run, seed) / "trajectory"
        file = folder / FACTS
        plane = read_facts(file)
        trajectory = _read(
            folder / "trajectory.csv",
            ["step", "epoch", "phase", "depth", "grown", "x", "y"],
            ["step", "epoch", "x", "y"],
        )
        for component in ("explained_1", "explained_2"):
            # Of a run that diverged there may be no plane.
            share = getattr(plane, component)
            trajectory[component] = "" if share is None else f"{share:.4f}"
        if len(trajectory) != plane.snapshots + (not summary.diverged):
            raise UserError(
                f"{folder / 'trajectory.csv'}: does not belong to {file}; make it again"
            )
        title = _trajectory_title(row)
        trajectories.append(labelled(trajectory, catalogue, row, title, seed, summary))
        contour = _read_grid(folder / "contour.csv", ["x", "y", "loss"])
        contours.append(labelled(contour, catalogue, row, title, seed, summary))
    return {"": pd.concat(trajectories), CONTOUR: pd.concat(contours)}


def _trajectory_title(row: Row) -> str:
    key, used = row.key, row.values
    if key.get("method") == "Network Morphism":
        return f"{key['network']}-{used['shallower']} morphed to {used['deeper']}"
    if key.get("method") == "baseline":
        return f"{key['network']}-{used['depth']} from scratch"
    if key.get("policy") == "convergent":
        rate = [f"{key['learning_rate']} rate"] if "learning_rate" in key else []
        return ", ".join(["c-AutoGrow", *rate, key.get("initializer", "GauInit")])
    return f"p-AutoGrow, {_period(row)}" if "K" in key else "p-AutoGrow"


def _surfaces(figure: Table, catalogue: Catalogue, results: Results) -> dict[str, pd.DataFrame]:
    parts = []
    [seed] = results.seeds
    for row in figure.rows:
        run = row.runs["main"]
        [summary] = results.summaries(run)
        folder = results.landscape_folder(run, seed) / "surface"
        surface = _read_grid(folder / "surface.csv", ["x", "y", "loss", "accuracy"])
        surface = surface.rename(columns={"accuracy": "train_accuracy"})
        network, method = summary.network, row.key["method"]
        # The surface lies around the weights of the last epoch, whichever accuracy tables show.
        accuracy = "" if summary.diverged else f"{summary.final_accuracy:.4f}"
        own = {"network": network, "method": method, "K": row.values["K"]}
        own |= {"paper_K": row.key["K"], "accuracy": accuracy}
        surface = surface.assign(**own)[[*own, *surface.columns]]
        parts.append(labelled(surface, catalogue, row, f"{network}, {method}", seed, summary))
    return {"": pd.concat(parts)}


_BUILDERS: dict[str, Callable[[Table, Catalogue, Results], dict[str, pd.DataFrame]]] = {
    "figure2": _curves,
    "figure3": _against_parameters,
    "figure4": _against_published,
    "figure5": _trajectories,
    "figure6": _trajectories,
    "figure7": _surfaces,
    "figure8": _curves,
    "figure9": depths_against_nulls,
    "figure10": methods_and_depths,
}


def _found(summary: CountedSummary) -> dict[str, Any]:
    found = {key: summary[key] for key in ("depth", "layers", "parameters", "flops")}
    return {**found, "accuracy": "" if summary.diverged else f"{summary.accuracy:.4f}"}


def _period(row: Row) -> str:
    """Return K as really used, and the paper's where that is another."""
    used, paper = row.values["K"], row.key["K"]
    return f"K = {used}" if used == paper else f"K = {used} (paper: {paper})"


def _read(file: Path, columns: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
    """Return columns of a CSV as the text that was written; ``numbers`` must be some."""
    header, lines = read_csv(file)
    wanted = list(dict.fromkeys([*columns, *numbers]))
    check_columns(file, header, wanted)
    for column in numbers:
        read_numbers(file, lines, column)
    return pd.DataFrame(lines)[wanted]


def _read_grid(file: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Return columns of a CSV, all of them numbers, that has every point of a square grid."""
    read_seal(file).check()
    frame = _read(file, columns, columns)
    sides = grid_sides(zip(frame["x"], frame["y"], strict=True))
    if sides is None or sides[0] != sides[1]:
        raise UserError(f"{file}: has {len(frame)} points; allowed: all of a square grid, once")
    return frame


def write_figure(figure: Table, catalogue: Catalogue, results: Results) -> None:
    """Write the CSVs of a figure into the folder ``figures`` of the results."""
    frames = build_figure(figure, catalogue, results)
    folder = results.folder / "figures"
    files = {s: frame.to_csv(index=False).encode() for s, frame in frames.items()}
    write_together({folder / f"{figure.name}{s}.csv": f for s, f in files.items()})


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("figure", help="figure2 to figure10")
    add_results(parser)


def run(options: argparse.Namespace) -> int:
    """Write a figure's CSVs; return the exit status."""
    catalogue = from_json(options.rows) if options.rows else load_catalogue(options.scale)
    if options.figure not in _BUILDERS:
        raise UserError(f"figure: found {shown(options.figure)}; allowed: {allowed(_BUILDERS)}")
    results = Results(options.folder, options.seeds, options.accuracy)
    write_figure(catalogue.tables[options.figure], catalogue, results)
    return 0
