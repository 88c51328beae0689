"""The command ``autogrow``.

Modules that need torch are imported by the commands that use them, so that
``autogrow replay`` and ``--help`` answer at once.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autogrow import __version__
from autogrow.cli.exit_status import exit_status
from autogrow.cli.info import add_info
from autogrow.cli.options import (
    LazyParser,
    OneLineParser,
    add_depth_of,
    add_execution,
    spec_options,
)
from autogrow.cli.replay import add_replay
from autogrow.errors import UserError
from autogrow.process.signals import ignore, raised

if TYPE_CHECKING:
    from autogrow.config.spec import RunSpec


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status, as :func:`exit_status` says."""
    options = _parser().parse_args(arguments)
    given = sys.argv[1:] if arguments is None else arguments
    command = shlex.join(["autogrow", *(a for a in given if a != "--restart")])
    again = f"; the same command continues the run: {command}"
    with raised():
        status = exit_status("autogrow", lambda: options.command(options), again)
    if arguments is None:  # the status counts, whatever is sent while this process ends
        ignore()
    return status


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="autogrow", description="Find a network's depth by growing it.")
    parser.add_argument("--version", action="version", version=f"autogrow {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=LazyParser)
    for name, kind, text in (
        ("grow", "autogrow", "grow a seed network, then fine-tune the found net"),
        ("train", "scratch", "train a network of a given depth from scratch"),
        ("morph", "morph", "train a network, morph it to a deeper one, train that"),
    ):
        command = commands.add_parser(name, help=text, description=text, fill=spec_options(kind))
        command.set_defaults(command=_run_options, kind=kind)
    command = commands.add_parser("run", help="carry out the run that a YAML file describes")
    command.add_argument("spec", type=Path, metavar="SPEC.yaml", help="settings of the run")
    add_depth_of(command)
    add_execution(command)
    command.set_defaults(command=_run_file)
    command = commands.add_parser("replay", help="print what Algorithm 1 decides on a curve")
    add_replay(command)
    command = commands.add_parser("info", help="print a network's layers, parameters and FLOPs")
    add_info(command)
    return parser


def _run_options(options: argparse.Namespace) -> None:
    from autogrow.config.spec import SPECS

    known = SPECS[options.kind].model_fields
    given = {name: getattr(options, name) for name in known if hasattr(options, name)}
    _carry_out(_spec({**given, "kind": options.kind}, "options", options), options)


def _run_file(options: argparse.Namespace) -> None:
    from autogrow.files.yaml import read_yaml

    _carry_out(_spec(read_yaml(options.spec), str(options.spec), options), options)


def _spec(settings: Any, source: str, options: argparse.Namespace) -> RunSpec:
    """Return the spec of these settings, with the depth of ``--depth-of`` if it is given."""
    from autogrow.config.spec import parse_spec

    folder = getattr(options, "depth_of", None)
    if folder is None or not isinstance(settings, dict):
        return parse_spec(settings, source)
    from autogrow.networks.names import parse_architecture
    from autogrow.runs.folder import found_network

    kind, network = settings.get("kind"), str(settings.get("network"))
    if kind != "scratch":
        raise UserError(f"{source}: kind: found {kind!r:.80}; allowed with --depth-of: scratch")
    if "-" in network:
        raise UserError(
            f"{source}: network: found {network!r:.80}; allowed with --depth-of: a name without "
            "a depth"
        )
    found = found_network(folder, parse_architecture(network))
    return parse_spec({**settings, "network": str(found)}, source)


def _carry_out(spec: RunSpec, options: argparse.Namespace) -> None:
    from autogrow.process.memory import keep_memory

    keep_memory()
    from autogrow.config.execution import Execution
    from autogrow.runs.run import run

    execution = Execution(
        **{field.name: getattr(options, field.name) for field in fields(Execution)}
    )
    summary = run(spec, options.out, execution=execution)
    if not options.quiet and os.environ.get("RANK", "0") == "0":  # one of torchrun's processes
        print(f"{summary.in_one_line()}; see {options.out}")
