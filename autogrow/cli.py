"""The command ``autogrow``.

Modules that need torch are imported by the commands that use them, so that
``autogrow replay`` and ``--help`` answer at once.
"""

from __future__ import annotations

import argparse
import csv
import errno
import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from autogrow import __version__
from autogrow.errors import InterruptedRunError, UserError
from autogrow.stops import Terminated, ignore, raised

if TYPE_CHECKING:
    from autogrow.config import RunSpec

USER_ERROR = 2
INTERRUPTED = 130
TRY_AGAIN = 75
FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM)
"""Of the machine, not of this program, wherever they appear."""


class OneLineParser(argparse.ArgumentParser):
    """Tells a mistake in one line, as every other error of the user's is told."""

    def error(self, message: str) -> NoReturn:
        """Print the message in one line and exit with ``USER_ERROR``."""
        text = " ".join(message.split())
        self.exit(USER_ERROR, f"{self.prog}: error: {text} (see {self.prog} --help)\n")


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
    command = commands.add_parser("info", help="print a network's layers, parameters and FLOPs")
    _add_info(command)
    text = "measure speed against the usual training loop"
    commands.add_parser("bench", help=text, description=text, fill=_bench_options)
    return parser


class _LazyParser(OneLineParser):
    """Takes its options from a function when it is used, not before."""

    def __init__(self, *arguments: Any, fill: Any = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._fill = fill

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self._fill is not None:
            self._fill(self)
            self._fill = None
        return super().parse_known_args(args, namespace)


class _SpecOptions:
    """Gives a parser one option for each setting of a kind of run."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(self, parser: argparse.ArgumentParser) -> None:
        from autogrow.config import SPECS

        for name, field in SPECS[self.kind].model_fields.items():
            if name == "kind":
                continue
            options = _option(field.annotation)
            default = field.get_default()
            text = (field.description or "").replace("%", "%%")
            if not field.is_required() and default is not None:
                text += f" (default: {default})"
            parser.add_argument(
                f"--{(field.alias or name).replace('_', '-')}",
                dest=name,
                required=field.is_required(),
                default=argparse.SUPPRESS,
                help=text,
                **options,
            )
        if self.kind == "scratch":
            parser.add_argument(
                "--depth-of",
                type=Path,
                metavar="DIR",
                help="take the depth from this finished run (then --network has none)",
            )
        _add_execution(parser)


def _option(annotation: Any) -> dict[str, Any]:
    """Return how argparse reads a setting of this type."""
    from typing import Literal, get_args, get_origin

    if get_origin(annotation) is Literal:
        return {"choices": get_args(annotation)}
    # A union with None, or a type with constraints around it: look inside.
    inner = [a for a in get_args(annotation) if a is not type(None)]
    if annotation in (int, float, str):
        return {"type": annotation, "metavar": {int: "N", float: "X", str: "TEXT"}[annotation]}
    if annotation is bool:
        return {"action": argparse.BooleanOptionalAction}
    if get_origin(annotation) is tuple:
        return {"type": float, "nargs": "+", "metavar": "X"}
    return _option(inner[0])


def _add_execution(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where and how")
    group.add_argument("--out", type=Path, required=True, metavar="DIR", help="the run's folder")
    group.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    group.add_argument("--threads", type=positive, metavar="N", help="CPU threads")
    group.add_argument(
        "--workers",
        type=natural,
        metavar="N",
        help="processes that decode images in files, 0: none (default: one for each CPU, up to 16)",
    )
    group.add_argument(
        "--compile",
        action="store_true",
        help="compile each kind of sub-module once; pays on a GPU in runs of hours",
    )
    group.add_argument(
        "--data-root",
        type=Path,
        metavar="DIR",
        help="where data sets are looked for first and downloaded to "
        "(default: $AUTOGROW_DATA_ROOT, else ./data)",
    )
    group.add_argument("--download", action="store_true", help="download a missing data set")
    group.add_argument("--quiet", action="store_true", help="nothing on the terminal")
    group.add_argument(
        "--restart", action="store_true", help="throw away what the folder holds of this run"
    )
    group.add_argument(
        "--replace", action="store_true", help="throw away a run of another spec in the folder"
    )
    group.add_argument(
        "--wait", action="store_true", help="wait while another process trains in the folder"
    )
    group.add_argument(
        "--checkpoint-epochs",
        type=positive,
        default=1,
        metavar="N",
        help="a checkpoint after every so many epochs (default: 1)",
    )
    group.add_argument(
        "--checkpoint-minutes",
        type=minutes,
        default=10.0,
        metavar="X",
        help="and, inside epochs too, when the last one is so old (default: 10)",
    )


def _bench_options(parser: argparse.ArgumentParser) -> None:
    from autogrow.bench.command import add_options

    add_options(parser)


def positive(text: str) -> int:
    """Return the whole number above 0 that an option's text says; for argparse."""
    return _whole(text, 1)


def natural(text: str) -> int:
    """Return the whole number from 0 that an option's text says; for argparse."""
    return _whole(text, 0)


def minutes(text: str) -> float:
    """Return the number of minutes, above 0, that an option's text says; for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1_000_000:
        raise argparse.ArgumentTypeError(
            f"found {text!r}; allowed: a number above 0, up to 1000000"
        )
    return value


def _whole(text: str, least: int) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(
            f"found {text!r}; allowed: a whole number from {least} to 100000"
        )
    return int(text)


def _run_options(options: argparse.Namespace) -> None:
    from autogrow.config import SPECS, parse_spec

    model = SPECS[options.kind]
    given = {name: getattr(options, name) for name in model.model_fields if hasattr(options, name)}
    if getattr(options, "depth_of", None) is not None:
        from autogrow.names import parse_architecture
        from autogrow.records import found_network

        architecture = parse_architecture(given["network"])
        given["network"] = str(found_network(options.depth_of, architecture))
    _carry_out(parse_spec({**given, "kind": options.kind}, "options"), options)


def _run_file(options: argparse.Namespace) -> None:
    from autogrow.config import parse_spec
    from autogrow.yamlfiles import read_yaml

    _carry_out(parse_spec(read_yaml(options.spec), str(options.spec)), options)


def _carry_out(spec: RunSpec, options: argparse.Namespace) -> None:
    from autogrow.memory import keep_memory

    keep_memory()
    from autogrow.runs import Execution, run

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
        from autogrow.summary import in_one_line

        print(f"{in_one_line(summary)}; see {options.out}")


def _add_replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--network", required=True, help="architecture, as Basic3ResNet")
    parser.add_argument("--seed-depth", metavar="DEPTH", help="default: 1-1-1 or 1-1-1-1")
    parser.add_argument("--policy", choices=("periodic", "convergent"), default="periodic")
    parser.add_argument(
        "--K", type=positive, metavar="N", help="growing period (default: 3; convergent: 100)"
    )
    parser.add_argument(
        "--J", type=positive, default=100, metavar="N", help="stop window, periodic (default: 100)"
    )
    parser.add_argument("--tau", type=float, default=0.05, metavar="X", help="percentage points")
    parser.add_argument(
        "--accuracies",
        type=Path,
        required=True,
        metavar="CSV",
        help="columns epoch,val_accuracy (percent), one row an epoch from 1; "
        "a run's metrics.csv will do",
    )
    parser.set_defaults(command=_replay)


def _replay(options: argparse.Namespace) -> None:
    from autogrow.curves import read_accuracies
    from autogrow.growth import GROWTH_HEADER, replay
    from autogrow.names import parse_architecture, parse_depth
    from autogrow.policies import ConvergentGrowth, PeriodicGrowth, Policy

    architecture = parse_architecture(options.network)
    depth = architecture.seed_depth
    if options.seed_depth is not None:
        depth = parse_depth(options.seed_depth, architecture, "--seed-depth")
    if not 0 <= options.tau <= 100:
        raise UserError(f"--tau: found {options.tau}; allowed: a number from 0 to 100")
    policy: Policy
    if options.policy == "convergent":
        policy = ConvergentGrowth(options.K or 100, options.tau)
    else:
        K = options.K or 3
        if options.J < K:
            raise UserError(f"--J: {options.J} is less than K ({K}); allowed: J from K up")
        policy = PeriodicGrowth(K, options.J, options.tau)
    accuracies = read_accuracies(options.accuracies)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(GROWTH_HEADER)
    writer.writerows(event.row() for event in replay(policy, depth, accuracies))
    sys.stdout.flush()


def _add_info(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", help="network with its depth, as Basic3ResNet-3-3-3")
    parser.add_argument("--data", metavar="NAME", help="take size, channels, classes from it")
    parser.add_argument("--image-size", type=positive, metavar="S", help="pixels (default: 32)")
    parser.add_argument("--channels", type=positive, metavar="C", help="default: 3")
    parser.add_argument("--classes", type=positive, metavar="N", help="default: 10")
    parser.add_argument("--stem", choices=("auto", "small", "imagenet"), default="auto")
    parser.add_argument("--width", type=positive, metavar="N", help="default: the paper's")
    parser.set_defaults(command=_info)


def _info(options: argparse.Namespace) -> None:
    from autogrow.names import parse_network

    name = parse_network(options.network)  # before torch is loaded: a slip is told at once
    given = (options.image_size, options.channels, options.classes)
    if options.data is not None and any(value is not None for value in given):
        raise UserError("--data: allowed: --data, or --image-size, --channels and --classes")
    from autogrow.info import Images, describe, images_of

    images = Images(options.image_size or 32, options.channels or 3, options.classes or 10)
    if options.data is not None:
        images = images_of(options.data)
    print(describe(name, images, options.stem, options.width))
