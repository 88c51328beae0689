"""Options that several commands share, and a parser that reports mistakes in one line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args, get_origin

from pydantic import BaseModel

from autogrow.cli.exit_status import USER_ERROR
from autogrow.errors import UserError, cut, shortened, shown

METAVARS: dict[type, str] = {int: "N", float: "X", str: "TEXT", Path: "DIR"}


class OneLineParser(argparse.ArgumentParser):
    """Reports a mistake in one line, as all other mistakes of a user are reported."""

    def error(self, message: str) -> NoReturn:
        """Print the message in one line and exit with ``USER_ERROR``."""
        message, unknown, rest = message.partition("unrecognized arguments: ")
        mistake = UserError(f"{shortened(message)}{unknown}{cut(rest)}")
        self.exit(USER_ERROR, f"{self.prog}: error: {mistake} (see {self.prog} --help)\n")

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        if action.option_strings and arg_strings == ["--"]:  # argparse takes it for no value
            raise argparse.ArgumentError(action, "found '--'; allowed: a value")
        return super()._get_values(action, arg_strings)


def add_settings(
    parser: argparse._ActionsContainer,
    model: type[BaseModel],
    names: Sequence[str] = (),
    *,
    optional: Sequence[str] = (),
    several: Sequence[str] = (),
) -> None:
    """Add an option for each of the named fields of a model; by default for all of them.

    Fields ``optional`` need not be given, whatever the model says, and those ``several`` take
    one value or more.
    """
    for name in names or model.model_fields:
        field = model.model_fields[name]
        text = (field.description or "").replace("%", "%%")
        kind: dict[str, Any]
        if field.default is False:
            kind = {"action": "store_true"}
        else:
            kind = _option(field.annotation)
            if not field.is_required() and field.default is not None:
                text += f" (default: {field.default})"
        if name in several:
            kind["nargs"] = "+"
        parser.add_argument(
            f"--{(field.alias or name).replace('_', '-')}",
            dest=name,
            required=field.is_required() and name not in optional,
            default=argparse.SUPPRESS,
            help=text,
            **kind,
        )


def given_settings(options: argparse.Namespace, model: type[BaseModel]) -> dict[str, Any]:
    """Return the fields of a model for which an option was given."""
    return {name: value for name, value in vars(options).items() if name in model.model_fields}


def _option(annotation: Any) -> dict[str, Any]:
    """Return how argparse reads a setting of this type."""
    if get_origin(annotation) is Literal:
        return {"choices": get_args(annotation)}
    if annotation in METAVARS:
        return {"type": annotation, "metavar": METAVARS[annotation]}
    if annotation is bool:
        return {"action": argparse.BooleanOptionalAction}
    if get_origin(annotation) is dict:
        return {"type": _named_value, "nargs": "+", "action": _Mapping, "metavar": "NAME=VALUE"}
    if get_origin(annotation) is tuple:
        return {"type": float, "nargs": "+", "metavar": "X"}
    # A union with None, or a type with constraints around it: look inside.
    return _option(next(a for a in get_args(annotation) if a is not type(None)))


class _Mapping(argparse.Action):
    """Keeps pairs of names and values as a mapping."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        setattr(namespace, self.dest, {**getattr(namespace, self.dest, {}), **dict(values)})


def _named_value(text: str) -> tuple[str, Any]:
    """Return what ``NAME=VALUE`` says: true, false, a number or a text."""
    name, sign, value = text.partition("=")
    if not name.isidentifier() or not sign:
        raise argparse.ArgumentTypeError(f"found {shown(text)}; allowed: NAME=VALUE")
    if value in ("true", "false"):
        return name, value == "true"
    for number in (int, float):
        try:
            return name, number(value)
        except ValueError:
            continue
    return name, value


def positive(text: str) -> int:
    """Return the whole number above 0 that an option's text says; for argparse."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(
            f"found {shown(text)}; allowed: a whole number from 1 to 100000"
        )
    return int(text)
