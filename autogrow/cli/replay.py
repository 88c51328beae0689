"""``autogrow replay``: what Algorithm 1 decides on a curve, with one schedule or with many."""

from __future__ import annotations

import argparse
import csv
import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from autogrow.cli.options import add_settings, given_settings
from autogrow.config.policy_settings import has, options_of
from autogrow.config.pydantic_errors import validated
from autogrow.config.resolved import ResolvedAutogrow, ResolvedScratch
from autogrow.config.spec import AutogrowSpec, to_json
from autogrow.errors import UserError, allowed, shown
from autogrow.growth.algorithm import GROWTH_HEADER, Event, Observed, replay
from autogrow.growth.bounds import Bound
from autogrow.growth.counterfactual import first_difference, outcome
from autogrow.growth.registry import POLICIES
from autogrow.networks.names import format_depth
from autogrow.runs.bounding import bounds_of_finished, bounds_without_clock, check_seed
from autogrow.runs.curves import UNSEEN, read_curve
from autogrow.runs.folder import SPEC, read_spec, require_finished
from autogrow.training.metrics import METRICS

NETWORK = (
    *("network", "seed_depth", "width", "data", "max_depth"),
    *("max_parameters", "max_flops", "max_epochs"),
)
SCHEDULE = ("policy", "K", "J", "tau")
OPTIONS = "policy_options"
SCHEDULES_HEADER = (
    *("policy", "K", "J", "tau", "depth", "sub_modules", "stopped", "epochs"),
    "first_difference",
)
NOTE = (
    "note: after the epoch first_difference these accuracies are not what that schedule would "
    "have seen: its network would have had another depth"
)
CLOCK_NOTE = "note: {}, which the run kept by its clock, does not bound these schedules"


def add_replay(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``autogrow replay``."""
    add_settings(
        parser,
        AutogrowSpec,
        (*NETWORK, *SCHEDULE, OPTIONS),
        optional=("network", "data"),
        several=SCHEDULE,
    )
    curve = parser.add_mutually_exclusive_group(required=True)
    curve.add_argument(
        "--accuracies",
        type=Path,
        metavar="CSV",
        help="print the decisions on a curve: columns epoch,val_accuracy (percent), one row an "
        "epoch from 1; a run's metrics.csv will do",
    )
    curve.add_argument(
        "--run",
        type=Path,
        metavar="DIR",
        help="print for each combination of policies, K, J and tau (by default the run's own) "
        "what it would have decided on the curve of this finished run",
    )
    parser.set_defaults(command=_replay)


def _replay(options: argparse.Namespace) -> None:
    given = given_settings(options, AutogrowSpec)
    if options.run is not None:
        _replay_run(options.run, given)
        return
    if "network" not in given:
        raise UserError("--network: missing; allowed with --accuracies: a name, as Basic3ResNet")
    for name in [name for name in SCHEDULE if name in given]:
        values = given[name]
        if len(values) > 1:
            raise UserError(
                f"options: {name}: found {shown(values)}; allowed with --accuracies: one value"
            )
        given[name] = values[0]
    spec = _schedule(given)
    policy = spec.growth_policy
    curve = read_curve(options.accuracies, policy.observes)
    from autogrow.data import info

    bounds = bounds_without_clock(spec, info(spec.data))
    check_seed(spec, bounds)
    seed = spec.first_network.depth
    events = replay(policy, seed, curve, spec.largest_depth, bounds)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(GROWTH_HEADER)
    writer.writerows(event.row() for event in events)


def _schedule(settings: dict[str, Any]) -> ResolvedAutogrow:
    from autogrow.config.resolving import resolve

    # By default a data set with the paper's 200 epochs of fine-tuning, of which T is 100.
    spec = resolve(validated(AutogrowSpec, {"data": "CIFAR10", **settings}, "options"))
    assert isinstance(spec, ResolvedAutogrow)
    return spec


def _replay_run(folder: Path, given: dict[str, Any]) -> None:
    """Print what schedules would have decided on the curve of a finished run."""
    named = [name for name in NETWORK if name in given]
    if named:
        raise UserError(f"options: {named[0]}: allowed with --run: none, the run has its own")
    require_finished(folder, SPEC, METRICS)
    spec = read_spec(folder)
    own_policy = spec.policy if isinstance(spec, ResolvedAutogrow) else "periodic"
    policies = {own_policy, *given.get("policy", [])}
    needed = sorted({column for p in policies for column in POLICIES.find(p).observes})
    curve = read_curve(folder / METRICS, needed, but=UNSEEN)
    base: dict[str, Any] = {
        "network": spec.architecture.name,
        "seed_depth": format_depth(spec.first_network.depth),
    }
    own: list[Event] = []
    bounds: list[Bound] = []
    if isinstance(spec, ResolvedAutogrow):
        bounds, clock = bounds_of_finished(folder, spec)
        kept = (*SCHEDULE, OPTIONS, "max_depth", "finetune_epochs", "milestones")
        base |= {key: value for key, value in to_json(spec).items() if key in kept}
        seed = spec.first_network.depth
        own = replay(*(spec.growth_policy, seed, curve, spec.largest_depth), [*bounds, *clock])
        if clock:
            print(CLOCK_NOTE.format(" and ".join(b.name for b in clock)), file=sys.stderr)
    elif not isinstance(spec, ResolvedScratch):
        raise UserError(
            f"{folder / SPEC}: kind: found {shown(spec.kind)}; allowed with --run: autogrow, or "
            "scratch for a network that never grows"
        )
    lines = dict.fromkeys(_lines(base, given, curve, bounds, own))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(SCHEDULES_HEADER)
    writer.writerows(lines)
    print(NOTE, file=sys.stderr)


def _lines(
    base: dict[str, Any],
    given: dict[str, Any],
    curve: list[Observed],
    bounds: Sequence[Bound],
    own: list[Event],
) -> Iterator[tuple[object, ...]]:
    """Yield a line for each combination of schedules; each policy gets what it has."""
    several = {name: values for name, values in given.items() if name != OPTIONS}
    policies = several.get("policy", [base.get("policy", "periodic")])
    known = sorted({name for policy in policies for name in options_of(policy)})
    for name in given.get(OPTIONS, {}):
        if name not in known:
            raise UserError(
                f"options: {OPTIONS}: found {shown(name)} with {allowed(policies)}; allowed: "
                f"{allowed(known) or 'none'}"
            )
    for values in itertools.product(*several.values()):
        settings = {**base, **dict(zip(several, values, strict=True))}
        policy = settings.get("policy", "periodic")
        options = {**base.get(OPTIONS, {}), **given.get(OPTIONS, {})}
        settings[OPTIONS] = {k: v for k, v in options.items() if k in options_of(policy)}
        if not has(policy, "J"):
            settings["J"] = None
        spec = _schedule(settings)
        seed = spec.first_network.depth
        there = outcome(spec.growth_policy, seed, curve, spec.largest_depth, bounds)
        differs = first_difference(own, there.events)
        yield (
            *(spec.policy, spec.K, "" if spec.J is None else spec.J, spec.tau),
            *(format_depth(there.depth), there.sub_modules, "yes" if there.stopped else "no"),
            *(there.epochs, "" if differs is None else differs),
        )
