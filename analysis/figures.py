"""The numbers behind a figure of the paper, long form: all that plotting reads.

``python -m analysis.figures figure6 --scale mini --folder results/out/mini`` writes
``figures/figure6.csv`` and, for Figures 5 and 6, ``figures/figure6_contour.csv``, from
what finished runs have recorded and the landscapes computed around their networks.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import pandas as pd

from analysis.catalogue import Catalogue, Table, load_catalogue
from analysis.commandline import Parser, add_results, exit_status, write_files
from analysis.published import published_resnets
from analysis.rows import Row
from analysis.runs import Results
from autogrow.errors import UserError, allowed
from autogrow.files import read_json
from autogrow.names import LAYERS, parse_depth, parse_network

CURVES = ["epoch", "phase", "depth", "train_accuracy", "val_accuracy", "best_val_accuracy"]
CONTOUR = "_contour"


def build_figure(figure: Table, catalogue: Catalogue, results: Results) -> dict[str, pd.DataFrame]:
    """Return the CSVs of a figure by what their names add to the figure's: ``""`` and others.

    Every row says scale, its description, panel, title, dataset (really used),
    paper_dataset, run and seed. Then

    * Figures 2 and 8: a row for each epoch of each seed: accuracies in percent, layers;
    * Figure 3: a row for each run and seed: parameters, multiply-adds, accuracy;
    * Figure 4: the same, and the published ResNets; ours are left out if none was run;
    * Figures 5 and 6: a row for each point of the lowest seed's trajectory; in
      ``_contour`` for each point of the grid: training loss;
    * Figure 7: a row for each point of the lowest seed's surface: training loss and
      training accuracy.

    Parameters
    ----------
    figure
        Which figure.
    catalogue
        Its scale's runs.
    results
        Where runs and landscapes are.

    Raises
    ------
    UserError
        If something that the figure shows is missing or damaged.
    """
    if any(row.panel.landscape for row in figure.rows):
        results = replace(results, seeds=[min(results.seeds)])
    return _BUILDERS[figure.name](figure, catalogue, results)


def _curves(figure: Table, catalogue: Catalogue, results: Results) -> dict[str, pd.DataFrame]:
    parts = []
    for row in figure.rows:
        run = row.runs["main"]
        title = f"{row.key['network']}, {_period(row)}"
        for seed, summary in zip(results.seeds, results.summaries(run), strict=True):
            file = results.run_folder(run, seed) / "metrics.csv"
            metrics = _read(file, ["phase", *CURVES])
            # AdamInit trains no epochs of its own: its rows repeat the epoch before.
            metrics = metrics.loc[metrics["phase"] != "adaminit", CURVES]
            architecture = parse_network(summary["network"]).architecture
            sub_modules = [sum(parse_depth(d, architecture)) for d in metrics["depth"]]
            # Stem and head are a layer each.
            layers = [2 + n * LAYERS[architecture.block] for n in sub_modules]
            metrics.insert(CURVES.index("depth") + 1, "layers", layers)
            parts.append(_labelled(metrics, catalogue, row, title, seed))
    return {"": pd.concat(parts)}


def _against_parameters(
    figure: Table, catalogue: Catalogue, results: Results
) -> dict[str, pd.DataFrame]:
    """Return every run; the paper's panels have no letters, so they get them in their order."""
    parts = []
    letters = dict(
        zip(dict.fromkeys(r.key["network"] for r in figure.rows), ascii_lowercase, strict=False)
    )
    for row in figure.rows:
        network = row.key["network"]
        for seed, s in zip(results.seeds, results.summaries(row.runs["main"]), strict=True):
            line = {"network": network, "method": row.key["method"]}
            line |= {"K": row.values.get("K", ""), "paper_K": row.key.get("K", ""), **_found(s)}
            labelled = _labelled(pd.DataFrame([line]), catalogue, row, network, seed)
            parts.append(labelled.assign(panel=letters[network]))
    return {"": pd.concat(parts)}


def _against_published(
    figure: Table, catalogue: Catalogue, results: Results
) -> dict[str, pd.DataFrame]:
    """Return ours beside the published; in a panel of their own where other data stands in."""
    comparable = all(row.values["dataset"] == row.paper_dataset for row in figure.rows)
    parts = []
    for row in figure.rows if results.any_finished(figure.runs) else ():
        title = f"AutoGrow on {row.values['dataset']}"
        for seed, s in zip(results.seeds, results.summaries(row.runs["main"]), strict=True):
            line = {"network": row.key["network"], "method": "AutoGrow", "source": "this run"}
            line |= {"K": row.values["K"], **_found(s)}
            labelled = _labelled(pd.DataFrame([line]), catalogue, row, title, seed)
            parts.append(labelled.assign(panel="" if comparable else "a"))
    dataset = figure.rows[0].paper_dataset
    published = published_resnets().rename(columns={"block": "method", "top1": "accuracy"})
    columns = ["network", "method", "source", "parameters", "flops", "accuracy"]
    common = {
        "scale": catalogue.scale,
        "description": catalogue.settings.description,
        "panel": "" if comparable else "b",
        "title": f"Published, on {dataset}",
        "dataset": dataset,
        "paper_dataset": dataset,
    }
    parts.append(published[columns].assign(**common))
    frame = pd.concat(parts).reindex(
        columns=[*common, "run", "seed", *columns[:3], "K", "depth", "layers", *columns[3:]]
    )
    if comparable:
        frame["title"] = dataset
    return {"": frame}


def _trajectories(figure: Table, catalogue: Catalogue, results: Results) -> dict[str, pd.DataFrame]:
    trajectories, contours = [], []
    [seed] = results.seeds
    for row in figure.rows:
        folder = results.landscape_folder(row.runs["main"], seed) / "trajectory"
        points = ["step", "epoch", "phase", "depth", "grown", "x", "y"]
        trajectory = _read(folder / "trajectory.csv", points)
        plane = read_json(folder / "plane.json")
        for axis in ("explained_1", "explained_2"):
            try:
                trajectory[axis] = f"{plane[axis]:.4f}"
            except (KeyError, TypeError, ValueError) as error:
                raise UserError(f"{folder / 'plane.json'}: {axis}: {error!r}") from None
        title = _trajectory_title(row)
        trajectories.append(_labelled(trajectory, catalogue, row, title, seed))
        contour = _read(folder / "contour.csv", ["x", "y", "loss"])
        contours.append(_labelled(contour, catalogue, row, title, seed))
    return {"": pd.concat(trajectories), CONTOUR: pd.concat(contours)}


def _trajectory_title(row: Row) -> str:
    key, used = row.key, row.values
    if key.get("method") == "Network Morphism":
        return f"{key['network']}-{used['shallower']} morphed to {used['deeper']}"
    if key.get("method") == "baseline":
        return f"{key['network']}-{used['depth']} from scratch"
    if key["policy"] == "convergent":
        return f"c-AutoGrow, {key['learning_rate']} rate, {key['initializer']}"
    return f"p-AutoGrow, {_period(row)}"


def _surfaces(figure: Table, catalogue: Catalogue, results: Results) -> dict[str, pd.DataFrame]:
    parts = []
    [seed] = results.seeds
    for row in figure.rows:
        run = row.runs["main"]
        [summary] = results.summaries(run)
        folder = results.landscape_folder(run, seed) / "surface"
        surface = _read(folder / "surface.csv", ["x", "y", "loss", "accuracy"])
        surface = surface.rename(columns={"accuracy": "train_accuracy"})
        network, method = summary["network"], row.key["method"]
        surface.insert(0, "network", network)
        surface.insert(1, "method", method)
        # Of the last epoch, whatever the tables show: those are the weights it is around.
        surface.insert(2, "accuracy", f"{summary['final_accuracy']:.4f}")
        parts.append(_labelled(surface, catalogue, row, f"{network}, {method}", seed))
    return {"": pd.concat(parts)}


_BUILDERS: dict[str, Callable[[Table, Catalogue, Results], dict[str, pd.DataFrame]]] = {
    "figure2": _curves,
    "figure3": _against_parameters,
    "figure4": _against_published,
    "figure5": _trajectories,
    "figure6": _trajectories,
    "figure7": _surfaces,
    "figure8": _curves,
}


def _found(summary: dict[str, Any]) -> dict[str, Any]:
    found = {key: summary[key] for key in ("depth", "layers", "parameters", "flops")}
    return {**found, "accuracy": f"{summary['accuracy']:.4f}"}


def _period(row: Row) -> str:
    """Return K as really used, and the paper's where that is another."""
    used, paper = row.values["K"], row.key["K"]
    return f"K = {used}" if used == paper else f"K = {used} (paper: {paper})"


def _labelled(
    frame: pd.DataFrame, catalogue: Catalogue, row: Row, title: str, seed: int
) -> pd.DataFrame:
    """Return the frame behind the columns that every figure has."""
    common = {
        "scale": catalogue.scale,
        "description": catalogue.settings.description,
        "panel": row.panel.letter,
        "title": title,
        "dataset": row.values["dataset"],
        "paper_dataset": row.paper_dataset,
        "run": row.runs["main"],
        "seed": seed,
    }
    return frame.assign(**common)[[*common, *frame.columns]]


def _read(file: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Return columns of a CSV as the text that was written."""
    try:
        frame = pd.read_csv(file, dtype=str, keep_default_na=False)
        return frame[list(dict.fromkeys(columns))]
    except (OSError, KeyError, ValueError) as error:
        raise UserError(f"{file}: not what the figure needs: {error}") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a figure's CSVs; return the exit status."""
    parser = Parser(
        prog="python -m analysis.figures",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("figure", help="figure2 to figure8")
    add_results(parser)
    return exit_status("analysis.figures", lambda: _main(parser.parse_args(arguments)))


def _main(options: argparse.Namespace) -> int:
    catalogue = load_catalogue(options.scale)
    if options.figure not in _BUILDERS:
        raise UserError(f"figure: found {options.figure!r}; allowed: {allowed(_BUILDERS)}")
    results = Results(options.folder, options.seeds, options.accuracy)
    frames = build_figure(catalogue.tables[options.figure], catalogue, results)
    files = {f"figures/{options.figure}{s}.csv": f.to_csv(index=False) for s, f in frames.items()}
    write_files(options.folder, files)
    return 0


if __name__ == "__main__":
    sys.exit(main())
