"""The command ``autogrow``.

Modules that need torch are imported by the commands that use them, so that
``autogrow replay`` and ``--help`` answer at once.
"""

from __future__ import annotations

import argparse
import errno
import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from autogrow import __version__
from autogrow.cli.info import _add_info
from autogrow.cli.options import (
    USER_ERROR,
    OneLineParser,
    _add_execution,
    _LazyParser,
    _SpecOptions,
)
from autogrow.cli.replay import _add_replay
from autogrow.cli.status import add_status
from autogrow.errors import InterruptedRunError, UserError
from autogrow.process.signals import Terminated, ignore, raised

if TYPE_CHECKING:
    from autogrow.config.spec import RunSpec

INTERRUPTED = 130
TRY_AGAIN = 75
FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM)
"""Of the machine, not of this program, wherever they appear."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    0: done; 2: a mistake of the user's or a fault of the machine (a full disk), told in one
    line on stderr; 75: interrupted, the same command continues; 130: Ctrl-C, likewise.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    with raised():
        status = _status(options, sys.argv[1:] if arguments is None else arguments)
    if arguments is None:  # the status counts, whatever is sent while this process ends
        ignore()
    return status


def _status(options: argparse.Namespace, given: Sequence[str]) -> int:
    try:
        status = options.command(options) or 0
        sys.stdout.flush()
        return status
    except UserError as error:
        return _end(USER_ERROR, f"error: {error}")
    except InterruptedRunError as error:
        return _end(TRY_AGAIN, f"interrupted: {error}")
    except Terminated as error:
        # Perhaps by torchrun, on the way out because another process was lost.
        first = error.__context__
        reason = first if isinstance(first, InterruptedRunError) else error
        return _end(TRY_AGAIN, f"interrupted: {reason}")
    except KeyboardInterrupt:
        command = shlex.join(["autogrow", *(a for a in given if a != "--restart")])
        return _end(INTERRUPTED, f"interrupted; the same command continues the run: {command}")
    except BrokenPipeError:  # `autogrow replay ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what Python flushes at its end
        return 0
    except OSError as error:
        if error.errno not in FAULTS:
            raise
        return _end(USER_ERROR, f"error: {error.filename or 'output'}: {error.strerror}")
    except (MemoryError, ImportError) as error:
        if isinstance(error, ImportError) and "failed to map segment" not in str(error):
            raise
        return _end(USER_ERROR, f"error: out of memory ({error}); allowed: more memory")


def _end(status: int, told: str) -> int:
    ignore()
    with suppress(OSError):  # the terminal may be gone
        print(f"autogrow: {told}", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="autogrow", description="Find a network's depth by growing it.")
    parser.add_argument("--version", action="version", version=f"autogrow {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_LazyParser)
    for name, kind, text in (
        ("grow", "autogrow", "grow a seed network, then fine-tune the found net"),
        ("train", "scratch", "train a network of a given depth from scratch"),
        ("morph", "morph", "train a network, morph it to a deeper one, train that"),
    ):
        command = commands.add_parser(name, help=text, description=text, fill=_SpecOptions(kind))
        command.set_defaults(command=_run_options, kind=kind)
    command = commands.add_parser("run", help="carry out the run that a YAML file describes")
    command.add_argument("spec", type=Path, metavar="SPEC.yaml", help="settings of the run")
    _add_execution(command)
    command.set_defaults(command=_run_file)
    command = commands.add_parser("replay", help="print what Algorithm 1 decides on a curve")
    _add_replay(command)
    text = "tell what the runs below a folder are doing"
    command = commands.add_parser("status", help=text, description=text)
    add_status(command)
    command = commands.add_parser("info", help="print a network's layers, parameters and FLOPs")
    _add_info(command)
    return parser


def _run_options(options: argparse.Namespace) -> None:
    from autogrow.config.spec import SPECS, parse_spec

    model = SPECS[options.kind]
    given = {name: getattr(options, name) for name in model.model_fields if hasattr(options, name)}
    if getattr(options, "depth_of", None) is not None:
        from autogrow.networks.names import parse_architecture
        from autogrow.runs.folder import found_network

        architecture = parse_architecture(given["network"])
        given["network"] = str(found_network(options.depth_of, architecture))
    _carry_out(parse_spec({**given, "kind": options.kind}, "options"), options)


def _run_file(options: argparse.Namespace) -> None:
    from autogrow.config.spec import parse_spec
    from autogrow.files.yaml import read_yaml

    _carry_out(parse_spec(read_yaml(options.spec), str(options.spec)), options)


def _carry_out(spec: RunSpec, options: argparse.Namespace) -> None:
    from autogrow.process.memory import keep_memory

    keep_memory()
    from autogrow.runs.run import Execution, run

    execution = Execution(
        device=options.device,
        threads=options.threads,
        workers=options.workers,
        compiled=options.compile,
        data_root=options.data_root,
        download=options.download,
        quiet=options.quiet,
        restart=options.restart,
        replace=options.replace,
        wait=options.wait,
        checkpoint_epochs=options.checkpoint_epochs,
        checkpoint_minutes=options.checkpoint_minutes,
    )
    summary = run(spec, options.out, execution=execution)
    if not options.quiet and os.environ.get("RANK", "0") == "0":  # one of torchrun's processes
        from autogrow.runs.summary import in_one_line

        print(f"{in_one_line(summary)}; see {options.out}")
