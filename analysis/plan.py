"""What will run, before anything runs: epochs, FLOPs and device-hours, by table.

``python -m analysis.plan --scale paper --throughput 2e12`` or, with the throughput
measured on the spot on this machine, ``python -m analysis.plan --scale mini``.

How deep AutoGrow's nets will be is not known beforehand. Assumed is the paper's found
net, one growth every K epochs and a last stop window of J; at a smaller scale, the
paper's number of growths times (J / K at the scale) / (J / K in the paper), since it is
stop window over period that decides how many growths there are before any stop.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from tabulate import tabulate

from analysis.catalogue import Catalogue, load_catalogue, paper_table
from analysis.rows import Run
from autogrow.config import AutogrowSpec, choose_stem, parse_spec, resolve
from autogrow.data import DATASETS
from autogrow.errors import UserError
from autogrow.names import Architecture, NetworkName, parse_depth, parse_network

BACKWARD = 2
"""Cost of a backward pass in forward passes: two products where the forward has one."""

IMAGES = {
    "digits": (1437, 360),
    "MNIST5000": (4000, 1000),
    "MNIST": (60_000, 10_000),
    "FashionMNIST": (60_000, 10_000),
    "CIFAR10": (50_000, 10_000),
    "CIFAR100": (50_000, 10_000),
    "SVHN": (73_257, 26_032),
    "ImageNet": (1_281_167, 50_000),
}
"""Training and test images."""


@dataclass(frozen=True)
class Estimate:
    """What one run will cost for one seed.

    Attributes
    ----------
    run
        Its id.
    network
        With the depth that is assumed.
    epochs
        All phases together.
    flops
        Multiply-adds of training and evaluation.
    """

    run: str
    network: str
    epochs: int
    flops: float


def estimate(run: Run, catalogue: Catalogue) -> Estimate:
    """Return what a run will cost for one seed.

    Parameters
    ----------
    run
        Of the catalogue.
    catalogue
        For the runs whose found net others take.
    """
    if run.depth_of is not None:
        source = catalogue.runs[run.depth_of]
        architecture = _spec(source).architecture
        depth = _assumed_depth(source, catalogue)
        name = parse_network(f"{run.settings['network']}-" + "-".join(map(str, depth)))
        if name.architecture.residual and not architecture.residual:
            name = NetworkName(name.architecture, tuple(-(-d // 2) for d in depth))
        settings = {**run.settings, "network": str(name)}
        spec = _resolved(settings)
        return Estimate(run.id, str(name), spec.epochs, spec.epochs * _epoch(spec, name))
    spec = _spec(run)
    if spec.kind == "scratch":
        name = parse_network(spec.network)
        return Estimate(run.id, str(name), spec.epochs, spec.epochs * _epoch(spec, name))
    if spec.kind == "morph":
        names = [parse_network(n) for n in (spec.from_network, spec.to_network)]
        flops = sum(spec.epochs * _epoch(spec, name) for name in names)
        return Estimate(run.id, str(names[1]), 2 * spec.epochs, flops)
    name = NetworkName(spec.architecture, _assumed_depth(run, catalogue))
    growths = sum(name.depth) - sum(spec.seed_network.depth)
    window = spec.J if spec.policy == "periodic" else spec.K * spec.architecture.sub_networks
    growing = max(growths * spec.K, 0)
    # FLOPs rise evenly from the seed network's to the found net's.
    rising = growing * (_epoch(spec, spec.seed_network) + _epoch(spec, name)) / 2
    flops = rising + (window + spec.finetune_epochs) * _epoch(spec, name)
    return Estimate(run.id, str(name), growing + window + spec.finetune_epochs, flops)


def _spec(run: Run) -> Any:
    return _resolved(run.settings)


def _resolved(settings: Mapping[str, Any]) -> Any:
    spec = parse_spec(dict(settings), "plan")
    return resolve(spec, _images(spec)[0])


def _images(spec: Any) -> tuple[int, int, int]:
    """Return size, channels and classes of the images a run sees."""
    if spec.data == "ImageNet":
        return 224, 3, 1000
    info = DATASETS[spec.data]
    return info.image_size // spec.downscale, info.channels, info.n_classes


def _epoch(spec: Any, name: NetworkName) -> float:
    """Return multiply-adds of one epoch: training, and evaluation of the test set."""
    train, test = IMAGES[spec.data]
    size, channels, classes = _images(spec)
    stem = choose_stem(name.architecture, spec.stem, size)
    base, each = _per_sub_module(name.architecture, size, channels, classes, stem, spec.width)
    forward = base + sum((d - 1) * e for d, e in zip(name.depth, each, strict=True))
    return forward * ((1 + BACKWARD) * train * spec.data_fraction + test)


@cache
def _per_sub_module(
    architecture: Architecture, size: int, channels: int, classes: int, stem: str, width: int
) -> tuple[int, list[int]]:
    """Return multiply-adds of the 1-1-1 network and of one more sub-module in each sub-network."""
    from autogrow.flops import network_costs

    one, two = (
        network_costs(
            NetworkName(architecture, (d,) * architecture.sub_networks),
            image_size=size,
            image_channels=channels,
            classes=classes,
            stem=stem,
            width=width,
        )
        for d in (1, 2)
    )
    return one[-1].flops, [b.flops - a.flops for a, b in zip(one[1:-2], two[1:-2], strict=True)]


def _assumed_depth(run: Run, catalogue: Catalogue) -> tuple[int, ...]:
    """Return the paper's found net of a run, made smaller as the scale is."""
    spec: AutogrowSpec = _spec(run)
    found, K = _paper_found_net(run.id, catalogue)
    depth = parse_depth(found, spec.architecture)
    if catalogue.scale == "paper":
        return depth
    if spec.policy == "convergent":
        return depth  # K = J at every scale
    paper_J = 30 if spec.stem == "imagenet" else 100
    ratio = (spec.J / spec.K) / (paper_J / K)
    seed = spec.seed_network.depth
    return tuple(s + max(round((d - s) * ratio), 1) for d, s in zip(depth, seed, strict=True))


def _paper_found_net(run: str, catalogue: Catalogue) -> tuple[str, int]:
    """Return the paper's found net, and its K, of a run that is a row of a table."""
    fallback = None
    for table in catalogue.tables.values():
        for row in table.rows:
            if row.runs["main"] != run:
                continue
            K = int(row.key.get("K") or 3)
            if table.name.startswith("figure"):
                fallback = row.key["network"], row.key.get("K", "3")
                continue
            paper = pd.read_csv(paper_table(table.name), dtype=str, keep_default_na=False)
            paper.index = paper[list(row.key)].agg("/".join, axis=1)
            column = "found_net" if "found_net" in paper.columns else "depth"
            return paper.loc[row.name, column], K
    # Figure 3's K = 50 points are in no table but for two: take Table 5's or Table 9's.
    network, K = fallback
    nets = {"Basic3ResNet": "6-5-3", "Plain3Net": "11-11-10"}
    return nets.get(network, "6-6-6-6"), int(K)


def measured_throughput(catalogue: Catalogue, device: str = "cpu") -> float:
    """Return multiply-adds a second of training this scale's runs on this machine.

    The median over the architectures of a short measurement each: three sub-modules
    in each sub-network, the scale's batch, width and the images of its CIFAR10, one
    thread on a CPU.
    """
    import time

    import torch

    from autogrow.engine import train_epoch
    from autogrow.networks import build_network
    from autogrow.optimizer import SGD

    torch.set_num_threads(1)
    rates = []
    for name in ("Basic3ResNet", "Plain3Net", "Basic4ResNet", "Plain4Net"):
        run = catalogue.runs[_any_run(name, catalogue)]
        spec = _spec(run)
        size, channels, classes = _images(spec)
        network_name = NetworkName(spec.architecture, (3,) * spec.architecture.sub_networks)
        shape = {"image_channels": channels, "classes": classes, "width": spec.width}
        network = build_network(network_name, stem=spec.stem, **shape).to(
            device, memory_format=torch.channels_last
        )
        optimizer = SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=0)
        images = torch.randn(spec.batch_size, channels, size, size, device=device)
        labels = torch.zeros(spec.batch_size, dtype=torch.long, device=device)
        batch = (images.contiguous(memory_format=torch.channels_last), labels)
        train_epoch(network, optimizer, [batch] * 2)
        start = time.perf_counter()
        train_epoch(network, optimizer, [batch] * 3)
        seconds = time.perf_counter() - start
        base, each = _per_sub_module(
            spec.architecture, size, channels, classes, spec.stem, spec.width
        )
        flops = (1 + BACKWARD) * 3 * spec.batch_size * (base + 2 * sum(each))
        rates.append(flops / seconds)
    return float(pd.Series(rates).median())


def _any_run(network: str, catalogue: Catalogue) -> str:
    return next(
        id for id, r in catalogue.runs.items()
        if r.kind == "autogrow" and r.settings["network"] == network
    )  # fmt: skip


def plan(
    catalogue: Catalogue, seeds: Sequence[int], throughput: float, folder: Path
) -> pd.DataFrame:
    """Return a line for each run: tables, network assumed, epochs, FLOPs, hours, done.

    ``epochs``, ``flops`` and ``hours`` are over all seeds; ``done`` counts the seeds
    whose summary is there. ``tables`` names every table that reads the run.
    """
    readers: dict[str, list[str]] = {}
    for table in catalogue.tables.values():
        for run in table.runs:
            readers.setdefault(run, []).append(table.name)
    lines = []
    for run_id in sorted(catalogue.runs):
        e = estimate(catalogue.runs[run_id], catalogue)
        done = sum((folder / "runs" / run_id / f"seed{s}/summary.json").exists() for s in seeds)
        lines.append(
            {
                "run": run_id,
                "tables": " ".join(readers[run_id]),
                "network": e.network,
                "epochs": e.epochs * len(seeds),
                "flops": e.flops * len(seeds),
                "hours": e.flops * len(seeds) / throughput / 3600,
                "done": done,
            }
        )
    return pd.DataFrame(lines)


def report(frame: pd.DataFrame, catalogue: Catalogue, seeds: Sequence[int], rate: str) -> str:
    """Return the plan to read: every run, then each table, then the whole."""
    n = len(seeds)
    shown = [
        [r.run, r.network, r.epochs, f"{r.flops:.2e}", f"{r.hours:.3g}", f"{r.done}/{n}"]
        for r in frame.itertuples()
    ]
    runs = tabulate(shown, ["run", "network assumed", "epochs", "FLOPs", "hours", "done"])
    per_table = []
    for name in catalogue.tables:
        part = frame[frame["tables"].str.split().apply(lambda names, name=name: name in names)]
        per_table.append(_sum(name, part, n))
    per_table.append(_sum("all, each run once", frame, n))
    header = ["table", "runs", "epochs", "FLOPs", "device-hours", "done", "hours left"]
    return (
        f"Scale {catalogue.scale}, {n} seed(s); FLOPs are multiply-adds, throughput {rate}.\n"
        f"AutoGrow's depth is not known beforehand: assumed is the paper's found net"
        f"{'' if catalogue.scale == 'paper' else ', made smaller as the scale is'}.\n\n"
        f"{runs}\n\n{tabulate(per_table, header)}\n"
    )


def _sum(name: str, part: pd.DataFrame, seeds: int) -> list[Any]:
    left = (part["hours"] * (1 - part["done"] / seeds)).sum()
    return [
        name,
        len(part) * seeds,
        int(part["epochs"].sum()),
        f"{part['flops'].sum():.2e}",
        f"{part['hours'].sum():.3g}",
        f"{part['done'].sum()}/{len(part) * seeds}",
        f"{left:.3g}",
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the plan; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m analysis.plan", description=__doc__)
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
    options = parser.parse_args(arguments)
    try:
        catalogue = load_catalogue(options.scale)
        given = options.throughput
        if given is not None and not 0 < given < float("inf"):
            raise UserError(f"--throughput: found {given}; allowed: a number above 0")
        throughput = given or measured_throughput(catalogue, options.device)
        rate = f"{throughput:.3g}/s " + ("as given" if given else "measured on this machine")
        folder = options.folder or Path("results/out") / options.scale
        frame = plan(catalogue, options.seeds, throughput, folder)
        print(report(frame, catalogue, options.seeds, rate))
    except UserError as error:
        print(f"analysis.plan: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
