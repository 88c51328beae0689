"""The command ``autogrow``.

Modules that need torch are imported by the commands that use them, so that
``autogrow replay`` and ``--help`` answer at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autogrow import __version__
from autogrow.cli.exit_status import continuing, exit_status
from autogrow.cli.info import add_info
from autogrow.cli.listing import add_list, names_in_short
from autogrow.cli.options import OneLineParser, add_settings, given_settings
from autogrow.cli.replay import add_replay
from autogrow.cli.saved import add_card, add_evaluate, add_export, add_plot, add_predict
from autogrow.cli.status import add_status
from autogrow.cli.verify import add_verify
from autogrow.config.execution import Execution
from autogrow.config.policy_settings import options_of
from autogrow.config.pydantic_errors import validated
from autogrow.config.shared_settings import RunSpec
from autogrow.config.spec import SPECS, AutogrowSpec, ScratchSpec, parse_spec
from autogrow.errors import UserError, shown
from autogrow.files.yaml import read_yaml
from autogrow.networks.names import format_depth, parse_architecture
from autogrow.runs.folder import found_network


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status, as :func:`exit_status` says."""
    given = sys.argv[1:] if arguments is None else arguments
    return exit_status("autogrow", lambda: carry_out(given), continuing(given))


def carry_out(arguments: Sequence[str]) -> int | None:
    """Do what the command line asks for; return an exit status if the command has its own."""
    options = _parser().parse_args(arguments)
    status: int | None = options.command(options)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog="autogrow",
        description="Find a network's depth by growing it.",
        epilog=f"{names_in_short()} Tables, figures and benchmarks are commands of a clone of the "
        "repository: python -m analysis, python -m benchmarks.",
    )
    parser.add_argument("--version", action="version", version=f"autogrow {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, kind, text in (
        ("grow", "autogrow", "grow a seed network, then fine-tune the found net"),
        ("train", "scratch", "train a network of a given depth from scratch"),
        ("morph", "morph", "train a network, morph it to a deeper one, train that"),
    ):
        command = commands.add_parser(name, help=text, description=text, epilog=names_in_short())
        command.set_defaults(command=_run_options, kind=kind)
        names = [n for n in SPECS[kind].model_fields if n not in ("kind", "continue_sha256")]
        # A run that continues from another takes these from there.
        optional = ("network", "data") if kind == "scratch" else ()
        add_settings(command, SPECS[kind], names, optional=optional)
        _add_run(command, from_scratch=kind == "scratch")
    text = "carry out the run that a YAML file describes"
    command = commands.add_parser("run", help=text, description=text)
    command.set_defaults(command=_run_file)
    command.add_argument("spec", type=Path, metavar="SPEC.yaml", help="settings of the run")
    _add_run(command, from_scratch=True)
    for name, add, text in (
        ("replay", add_replay, "print what Algorithm 1 decides on a curve"),
        ("status", add_status, "tell what the runs below a folder are doing"),
        ("verify", add_verify, "tell whether finished results are what they were"),
        ("info", add_info, "print a network's layers, parameters and FLOPs"),
        ("evaluate", add_evaluate, "evaluate what a run has found on a data set (JSON)"),
        ("predict", add_predict, "name the classes of images (CSV)"),
        ("export", add_export, "write what a run has found for other programs"),
        ("plot", add_plot, "draw accuracy and depth of a run over its epochs"),
        ("card", add_card, "write a model card of what a run has found (Markdown)"),
        ("list", add_list, "list networks, data sets, policies, initializers and loggers"),
    ):
        add(commands.add_parser(name, help=text, description=text))
    return parser


def _add_run(parser: argparse.ArgumentParser, *, from_scratch: bool) -> None:
    """Add the options that say where and how a run is carried out."""
    parser.set_defaults(depth_of=None, budget_of=None)
    if from_scratch:
        parser.add_argument(
            "--depth-of",
            type=Path,
            metavar="DIR",
            help="take the depth from this finished run (then the network is named without one); "
            "for a run that grows it is the target of the policy",
        )
        parser.add_argument(
            "--budget-of",
            type=Path,
            metavar="DIR",
            help="train for as many multiply-adds as this finished run did, instead of --epochs; "
            "a network that is named without a depth has the one that the run found",
        )
    group = parser.add_argument_group("where and how")
    group.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="run folder; training resumes from its latest checkpoint",
    )
    add_settings(group, Execution)


def _run_options(options: argparse.Namespace) -> None:
    _carry_out(given_settings(options, SPECS[options.kind]), "options", options)


def _run_file(options: argparse.Namespace) -> None:
    _carry_out(read_yaml(options.spec), str(options.spec), options)


def _spec(settings: Any, source: str, depth_of: Path | None, budget_of: Path | None) -> RunSpec:
    """Return the spec of these settings, with depth and epochs by finished runs if they are named.

    That is the depth of the run in ``depth_of``, to which one that grows is to grow, and the budget
    of that in ``budget_of``.
    """
    if isinstance(settings, dict) and settings.get("continue_from"):
        settings = _continued(settings, source)
    taken = depth_of or budget_of
    if taken is None or not isinstance(settings, dict):
        return parse_spec(settings, source)
    option = "--depth-of" if depth_of else "--budget-of"
    kind, network = settings.get("kind"), str(settings.get("network"))
    if kind == "autogrow" and depth_of is not None and budget_of is None:
        return parse_spec(_with_target(settings, depth_of, source), source)
    if kind != "scratch":
        also = ", or autogrow without --budget-of" if depth_of else ""
        raise UserError(
            f"{source}: kind: found {shown(kind)}; allowed with {option}: scratch{also}"
        )
    if depth_of is not None and "-" in network:
        raise UserError(
            f"{source}: network: found {shown(network)}; allowed with --depth-of: a name without "
            "a depth"
        )
    if "-" not in network:
        found = found_network(taken, parse_architecture(network))
        settings = {**settings, "network": str(found)}
    spec = parse_spec(settings, source)
    if budget_of is None:
        return spec
    assert isinstance(spec, ScratchSpec)
    if spec.epochs is not None:
        raise UserError(
            f"{source}: epochs: found {spec.epochs}; allowed with --budget-of: none, they follow"
        )
    from autogrow.runs.budget import budget_epochs

    return parse_spec({**settings, "epochs": budget_epochs(budget_of, spec)}, source)


def _with_target(settings: dict[str, Any], depth_of: Path, source: str) -> dict[str, Any]:
    """Return the settings of a run that grows to the depth which a finished run has found."""
    given = parse_spec(settings, source)
    assert isinstance(given, AutogrowSpec)
    if "target" not in options_of(given.policy):
        raise UserError(
            f"{source}: policy: found {shown(given.policy)}, which grows to no given depth; "
            "allowed with --depth-of: a policy with a target"
        )
    if "target" in given.policy_options:
        raise UserError(
            f"{source}: policy_options: found the target {shown(given.policy_options['target'])}; "
            "allowed with --depth-of: none"
        )
    target = format_depth(found_network(depth_of, given.architecture).depth)
    return {**settings, "policy_options": {**given.policy_options, "target": target}}


def _continued(settings: dict[str, Any], source: str) -> dict[str, Any]:
    """Return the settings of a run that continues from a finished one."""
    if settings.get("kind") != "scratch":
        raise UserError(f"{source}: continue_from: allowed with kind scratch")
    if settings.get("continue_sha256"):  # a spec that is complete
        return settings
    from autogrow.runs.continuing import continued_settings

    return continued_settings(settings)


def _carry_out(settings: Any, source: str, options: argparse.Namespace) -> None:
    execution = validated(Execution, given_settings(options, Execution), "options")
    from autogrow.process.memory import keep_memory

    keep_memory()
    spec = _spec(settings, source, options.depth_of, options.budget_of)
    from autogrow.runs.run import run

    summary = run(spec, options.out, execution=execution)
    if not execution.quiet and os.environ.get("RANK", "0") == "0":  # one of torchrun's processes
        print(f"{summary.in_one_line()}; see {options.out}")
        if summary.library_code:
            print(f"the library builds this network by\n\n{summary.library_code}")
