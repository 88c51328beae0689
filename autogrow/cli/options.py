"""Options that several commands share, and a parser that reports mistakes in one line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from autogrow.cli.exit_status import USER_ERROR


class OneLineParser(argparse.ArgumentParser):
    """Reports a mistake in one line, as all other mistakes of a user are reported."""

    def error(self, message: str) -> NoReturn:
        """Print the message in one line and exit with ``USER_ERROR``."""
        text = " ".join(message.split())
        self.exit(USER_ERROR, f"{self.prog}: error: {text} (see {self.prog} --help)\n")


class LazyParser(OneLineParser):
    """Takes its options from a function when it is used, not before."""

    def __init__(
        self,
        *arguments: Any,
        fill: Callable[[argparse.ArgumentParser], None] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._fill = fill

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, with the options of the function ``fill``."""
        if self._fill is not None:
            self._fill(self)
            self._fill = None
        return super().parse_known_args(args, namespace)


def spec_options(kind: str) -> Callable[[argparse.ArgumentParser], None]:
    """Return what gives a parser one option for each setting of a kind of run."""

    def fill(parser: argparse.ArgumentParser) -> None:
        from autogrow.config.spec import SPECS

        for name, field in SPECS[kind].model_fields.items():
            if name == "kind":
                continue
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
                **_option(field.annotation),
            )
        if kind == "scratch":
            add_depth_of(parser)
        add_execution(parser)

    return fill


def add_depth_of(parser: argparse.ArgumentParser) -> None:
    """Add the option that takes a network's depth from a finished run."""
    parser.add_argument(
        "--depth-of",
        type=Path,
        metavar="DIR",
        help="take the depth from this finished run (then the network is named without one)",
    )


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


def add_execution(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where and how a run is carried out."""
    group = parser.add_argument_group("where and how")
    group.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="run folder; training resumes from its latest checkpoint",
    )
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
        dest="compiled",
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
        "--restart", action="store_true", help="discard what the folder holds of this run"
    )
    group.add_argument(
        "--replace", action="store_true", help="discard a run of another spec in the folder"
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
        help="a checkpoint also inside an epoch, once the last one is so old (default: 10)",
    )


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
