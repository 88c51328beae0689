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
from autogrow.cli.options import OneLineParser, add_settings, given_settings
from autogrow.cli.replay import add_replay
from autogrow.cli.status import add_status
from autogrow.cli.verify import add_verify
from autogrow.config.execution import Execution
from autogrow.config.pydantic_errors import validated
from autogrow.config.spec import SPECS, RunSpec, parse_spec
from autogrow.errors import UserError, shown
from autogrow.files.yaml import read_yaml
from autogrow.networks.names import parse_architecture
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
        epilog="Tables, figures and benchmarks are commands of a clone of the repository: "
        "python -m analysis, python -m benchmarks.",
    )
    parser.add_argument("--version", action="version", version=f"autogrow {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, kind, text in (
        ("grow", "autogrow", "grow a seed network, then fine-tune the found net"),
        ("train", "scratch", "train a network of a given depth from scratch"),
        ("morph", "morph", "train a network, morph it to a deeper one, train that"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(command=_run_options, kind=kind)
        add_settings(command, SPECS[kind], [n for n in SPECS[kind].model_fields if n != "kind"])
        _add_run(command, depth_of=kind == "scratch")
    text = "carry out the run that a YAML file describes"
    command = commands.add_parser("run", help=text, description=text)
    command.set_defaults(command=_run_file)
    command.add_argument("spec", type=Path, metavar="SPEC.yaml", help="settings of the run")
    _add_run(command, depth_of=True)
    for name, add, text in (
        ("replay", add_replay, "print what Algorithm 1 decides on a curve"),
        ("status", add_status, "tell what the runs below a folder are doing"),
        ("verify", add_verify, "tell whether finished results are what they were"),
        ("info", add_info, "print a network's layers, parameters and FLOPs"),
    ):
        add(commands.add_parser(name, help=text, description=text))
    return parser


def _add_run(parser: argparse.ArgumentParser, *, depth_of: bool) -> None:
    """Add the options that say where and how a run is carried out."""
    parser.set_defaults(depth_of=None)
    if depth_of:
        parser.add_argument(
            "--depth-of",
            type=Path,
            metavar="DIR",
            help="take the depth from this finished run (then the network is named without one)",
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


def _spec(settings: Any, source: str, depth_of: Path | None) -> RunSpec:
    """Return the spec of these settings, with the depth of a finished run if one is named."""
    if depth_of is None or not isinstance(settings, dict):
        return parse_spec(settings, source)
    kind, network = settings.get("kind"), str(settings.get("network"))
    if kind != "scratch":
        raise UserError(f"{source}: kind: found {shown(kind)}; allowed with --depth-of: scratch")
    if "-" in network:
        raise UserError(
            f"{source}: network: found {shown(network)}; allowed with --depth-of: a name without "
            "a depth"
        )
    found = found_network(depth_of, parse_architecture(network))
    return parse_spec({**settings, "network": str(found)}, source)


def _carry_out(settings: Any, source: str, options: argparse.Namespace) -> None:
    spec = _spec(settings, source, options.depth_of)
    execution = validated(Execution, given_settings(options, Execution), "options")
    from autogrow.process.memory import keep_memory

    keep_memory()
    from autogrow.runs.run import run

    summary = run(spec, options.out, execution=execution)
    if not execution.quiet and os.environ.get("RANK", "0") == "0":  # one of torchrun's processes
        print(f"{summary.in_one_line()}; see {options.out}")
