"""What a run, and the loss around its network, will cost.

The estimate assumes that AutoGrow finds the paper's net, with one growth every K epochs and
a last stop window of J. At a smaller scale it assumes the paper's number of growths times
(J / K at the scale) / (J / K in the paper): J / K decides how many growths precede a stop.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from functools import cache

from analysis.experiments.catalogue import Catalogue, paper_table
from analysis.experiments.planned_runs import Run
from analysis.results.csvfiles import read_csv
from autogrow.config.resolved import (
    ResolvedAutogrow,
    ResolvedMorph,
    ResolvedScratch,
    ResolvedSpec,
)
from autogrow.data import DATASETS
from autogrow.networks.names import (
    Architecture,
    NetworkName,
    Stem,
    choose_stem,
    parse_depth,
    parse_network,
)

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
    """What one run will cost for one seed: its epochs and its multiply-adds.

    The network has the depth that is assumed.
    """

    network: str
    epochs: int
    flops: float


def estimate(run: Run, catalogue: Catalogue) -> Estimate:
    """Return what a run of the catalogue will cost for one seed."""
    spec = run.spec
    if run.depth_of is not None:
        source = catalogue.runs[run.depth_of]
        depth = _assumed_depth(source, catalogue)
        if spec.architecture.residual and not source.spec.architecture.residual:
            depth = tuple(-(-d // 2) for d in depth)
        return _from_scratch(spec, NetworkName(spec.architecture, depth))
    if isinstance(spec, ResolvedScratch):
        return _from_scratch(spec, spec.first_network)
    if isinstance(spec, ResolvedMorph):
        names = [parse_network(n) for n in (spec.from_network, spec.to_network)]
        flops = sum(spec.epochs * _epoch(spec, name) for name in names)
        return Estimate(str(names[1]), 2 * spec.epochs, flops)
    assert isinstance(spec, ResolvedAutogrow)
    name = NetworkName(spec.architecture, _assumed_depth(run, catalogue))
    growths = sum(name.depth) - sum(spec.first_network.depth)
    window = spec.J or spec.K * spec.architecture.sub_networks
    growing = max(growths * spec.K, 0)
    # FLOPs rise evenly from the seed network's to the found net's.
    rising = growing * (_epoch(spec, spec.first_network) + _epoch(spec, name)) / 2
    flops = rising + (window + spec.finetune_epochs) * _epoch(spec, name)
    return Estimate(str(name), growing + window + spec.finetune_epochs, flops)


def landscape_flops(run: Run, points: int, catalogue: Catalogue) -> float:
    """Return multiply-adds of the loss on a grid of points around a run's network."""
    name = parse_network(estimate(run, catalogue).network)
    spec = run.spec
    images = IMAGES[spec.data][0] * spec.data_fraction
    return points * min(images, catalogue.settings.figures.images or images) * _forward(spec, name)


def _from_scratch(spec: ResolvedSpec, name: NetworkName) -> Estimate:
    assert isinstance(spec, ResolvedScratch)
    return Estimate(str(name), spec.epochs, spec.epochs * _epoch(spec, name))


def _images(spec: ResolvedSpec) -> tuple[int, int, int]:
    """Return size, channels and classes of the images a run sees."""
    info = DATASETS[spec.data]
    return info.image_size // spec.downscale, info.channels, info.n_classes


def _epoch(spec: ResolvedSpec, name: NetworkName) -> float:
    """Return multiply-adds of one epoch: training, and evaluation of the test set."""
    train, test = IMAGES[spec.data]
    return _forward(spec, name) * ((1 + BACKWARD) * train * spec.data_fraction + test)


def _forward(spec: ResolvedSpec, name: NetworkName) -> int:
    """Return multiply-adds of one image."""
    size, channels, classes = _images(spec)
    stem = choose_stem(name.architecture, spec.stem, size)
    base, each = _per_sub_module(name.architecture, size, channels, classes, stem, spec.width)
    return base + sum((d - 1) * e for d, e in zip(name.depth, each, strict=True))


@cache
def _per_sub_module(
    architecture: Architecture, size: int, channels: int, classes: int, stem: Stem, width: int
) -> tuple[int, list[int]]:
    """Return multiply-adds of the 1-1-1 network and of one more sub-module in each sub-network."""
    from autogrow.networks.flops import network_costs

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
    spec = run.spec
    assert isinstance(spec, ResolvedAutogrow)
    found, K = _paper_found_net(run.id, catalogue)
    depth = parse_depth(found, spec.architecture)
    if catalogue.scale == "paper" or spec.J is None:  # without J, K = J at every scale
        return depth
    paper_J = 30 if spec.stem == "imagenet" else 100
    ratio = (spec.J / spec.K) / (paper_J / K)
    seed = spec.first_network.depth
    return tuple(s + max(round((d - s) * ratio), 1) for d, s in zip(depth, seed, strict=True))


def _paper_found_net(run: str, catalogue: Catalogue) -> tuple[str, int]:
    """Return the paper's found net, and its K, of a run that is a row of a table."""
    rows = [(t.name, row) for t in catalogue.tables.values() for row in t.rows]
    own = [(table, row) for table, row in rows if row.runs["main"] == run]
    for table, row in own:
        if table.startswith("table"):
            header, lines = read_csv(paper_table(table))
            found = "found_net" if "found_net" in header else "depth"
            nets = {"/".join(line[key] for key in row.key): line[found] for line in lines}
            return nets[row.name], int(row.key.get("K") or 3)
    # Figure 3's K = 50 points are in no table but for two: take Table 5's or Table 9's.
    key = own[-1][1].key
    nets = {"Basic3ResNet": "6-5-3", "Plain3Net": "11-11-10"}
    return nets.get(key["network"], "6-6-6-6"), int(key.get("K", 3))


def measured_throughput(catalogue: Catalogue, device: str = "cpu") -> float:
    """Return multiply-adds a second of training this scale's runs on this machine.

    The median over the architectures of a short measurement each: three sub-modules
    in each sub-network, the scale's batch, width and the images of its CIFAR10, one
    thread on a CPU.
    """
    import torch

    from autogrow.networks.growable import build_network
    from autogrow.training.epoch import train_epoch
    from autogrow.training.optimizer import SGD

    torch.set_num_threads(1)
    rates = []
    specs = [run.spec for run in catalogue.runs.values() if run.spec.kind == "autogrow"]
    for name in ("Basic3ResNet", "Plain3Net", "Basic4ResNet", "Plain4Net"):
        spec = next(spec for spec in specs if spec.architecture.name == name)
        size, channels, classes = _images(spec)
        network_name = NetworkName(spec.architecture, (3,) * spec.architecture.sub_networks)
        shape = {"image_channels": channels, "classes": classes, "width": spec.width}
        network = build_network(network_name, stem=spec.stem, shortcut=spec.shortcut, **shape)
        network.to(torch.device(device)).to(memory_format=torch.channels_last)
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
    return statistics.median(rates)
