"""What a run, and the loss around its network, will cost.

The estimate assumes that AutoGrow finds the paper's net by the shortest growth that Algorithm 1
allows; analysis/jobs/growing.py says what it assumes of other policies. At a smaller scale it
assumes the paper's number of growths times (J / K at the scale) / (J / K in the paper): J / K
decides how many growths precede a stop.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from functools import cache

from analysis.experiments.catalogue import Catalogue, load_catalogue, paper_table
from analysis.experiments.data_sets import data_facts
from analysis.experiments.planned_runs import Run
from analysis.jobs.growing import assumed_growth, spans
from analysis.results.csvfiles import read_csv
from autogrow.config.resolved import (
    ResolvedAutogrow,
    ResolvedMorph,
    ResolvedScratch,
    ResolvedSpec,
)
from autogrow.growth.algorithm import Depth, Event
from autogrow.networks.names import (
    Architecture,
    NetworkName,
    Stem,
    choose_stem,
    parse_depth,
    parse_network,
)
from autogrow.runs.cost import PASSES

_catalogue = cache(load_catalogue)


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
    if isinstance(spec, ResolvedScratch):
        name, epochs = spec.first_network, spec.epochs
        if run.depth_of is not None:
            source = catalogue.runs[run.depth_of]
            depth = _assumed_growth(source, catalogue)[-1].depth
            if spec.architecture.residual and not source.spec.architecture.residual:
                depth = tuple(-(-d // 2) for d in depth)
            name = NetworkName(spec.architecture, depth)
        if run.budget_of is not None:
            budget = estimate(catalogue.runs[run.budget_of], catalogue).flops
            epochs = max(1, round(budget / epoch_flops(spec, name)))
        return Estimate(str(name), epochs, epochs * epoch_flops(spec, name))
    if isinstance(spec, ResolvedMorph):
        names = [parse_network(n) for n in (spec.from_network, spec.to_network)]
        flops = sum(spec.epochs * epoch_flops(spec, name) for name in names)
        return Estimate(str(names[1]), 2 * spec.epochs, flops)
    assert isinstance(spec, ResolvedAutogrow)
    events = _assumed_growth(run, catalogue)
    name, flops = NetworkName(spec.architecture, events[-1].depth), 0.0
    for epochs, *depths in spans(spec.growth_policy, spec.first_network.depth, events):
        trained = [NetworkName(spec.architecture, depth) for depth in depths if depth is not None]
        flops += epochs * sum(epoch_flops(spec, network) for network in trained)
    flops += spec.finetune_epochs * epoch_flops(spec, name)
    return Estimate(str(name), events[-1].epoch + spec.finetune_epochs, flops)


def landscape_flops(run: Run, points: int, catalogue: Catalogue) -> float:
    """Return multiply-adds of the loss on a grid of points around a run's network."""
    name = parse_network(estimate(run, catalogue).network)
    spec = run.spec
    images = data_facts(spec.data).divided(spec.test_images)[0] * spec.data_fraction
    return points * min(images, catalogue.settings.figures.images or images) * _forward(spec, name)


def _images(spec: ResolvedSpec) -> tuple[int, int, int]:
    """Return size, channels and classes of the images a run sees."""
    facts = data_facts(spec.data)
    return spec.image_size(facts.image_size), facts.channels, facts.n_classes


def epoch_flops(spec: ResolvedSpec, name: NetworkName) -> float:
    """Return multiply-adds of one epoch: training, and evaluation of the test set."""
    train, test = data_facts(spec.data).divided(spec.test_images)
    if spec.protocol == "holdout":
        test += round(train * spec.holdout_fraction)
    return _forward(spec, name) * (PASSES * train * spec.data_fraction * spec.repeats + test)


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
    more = [
        b.flops - a.flops for a, b in zip(one, two, strict=True) if a.part.startswith("sub-network")
    ]
    return one[-1].flops, more


def _assumed_growth(run: Run, catalogue: Catalogue) -> tuple[Event, ...]:
    """Return the shortest growth to the paper's found net, made smaller as the scale is.

    Where another run gives a policy its target, that is the net which that one is assumed to find.
    """
    spec = run.spec
    if run.depth_of is not None:
        assert isinstance(spec, ResolvedAutogrow)
        target = _assumed_growth(catalogue.runs[run.depth_of], catalogue)[-1].depth
        return assumed_growth(spec.growth_policy, spec.first_network.depth, target)
    paper, found = _in_paper(run.id, catalogue)
    assert isinstance(spec, ResolvedAutogrow)
    seed = spec.first_network.depth
    if spec.J is not None and paper.J is not None:  # without J, K = J at every scale
        ratio = (spec.J / spec.K) / (paper.J / paper.K)
        grown = [d - s for d, s in zip(found, paper.first_network.depth, strict=True)]
        found = tuple(s + max(round(g * ratio), 1) for s, g in zip(seed, grown, strict=True))
    return assumed_growth(spec.growth_policy, seed, found)


def _in_paper(run: str, catalogue: Catalogue) -> tuple[ResolvedAutogrow, Depth]:
    """Return a run's spec at the paper's scale, and the net that it found in the paper.

    A run whose net no table tells (two of Figure 3's with K = 50) is given that of the most
    similar run, by policy, data set and K.
    """
    paper = _catalogue("paper")
    own = [
        there.runs["main"]
        for table in catalogue.tables.values()
        for here in table.rows
        for there in paper.tables[table.name].rows
        if here.name == there.name and here.runs["main"] == run
    ]
    nets = _paper_nets()
    for name in own:
        if name in nets:
            return nets[name]
    # A run of which a baseline takes the depth need not be a row of its own.
    spec = paper.runs[own[0]].spec if own else catalogue.runs[run].spec
    assert isinstance(spec, ResolvedAutogrow)
    like = [
        ((spec.policy != other.policy, spec.data != other.data, abs(spec.K - other.K)), depth)
        for other, depth in nets.values()
        if len(depth) == spec.architecture.sub_networks
    ]
    return spec, min(like, default=(None, spec.first_network.depth))[1]


@cache
def _paper_nets() -> dict[str, tuple[ResolvedAutogrow, Depth]]:
    """Return the specs at the paper's scale, and the nets in its tables, of AutoGrow's runs."""
    nets, paper = {}, _catalogue("paper")
    for table in paper.tables.values():
        if not paper_table(table.name).exists():
            continue
        header, lines = read_csv(paper_table(table.name))
        column = "found_net" if "found_net" in header else "depth"
        for run, key in ((row.runs["main"], row.key.items()) for row in table.rows):
            spec = paper.runs[run].spec
            for line in lines:
                found = line.get(column)
                if isinstance(spec, ResolvedAutogrow) and key <= line.items() and found:
                    nets[run] = (spec, parse_depth(found, spec.architecture))
    return nets


def measured_throughput(catalogue: Catalogue, device: str = "cpu") -> float:
    """Return multiply-adds a second of training this scale's runs on this machine.

    The median over the architectures of a short measurement each: three sub-modules
    in each sub-network, batch, width and images of the first run that has the architecture, one
    thread on a CPU.
    """
    import torch

    from autogrow.networks.growable import build_network
    from autogrow.training.epoch import train_epoch
    from autogrow.training.optimizer import SGD

    torch.set_num_threads(1)
    rates = []
    specs = [run.spec for run in catalogue.runs.values()]
    # The paper trains bottlenecks on ImageNet alone, which is slow to measure with.
    specs = [spec for spec in specs if spec.architecture.block != "bottleneck"] or specs
    for spec in {spec.architecture: spec for spec in reversed(specs)}.values():
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
        flops = PASSES * 3 * spec.batch_size * _forward(spec, network_name)
        rates.append(flops / seconds)
    return statistics.median(rates)
