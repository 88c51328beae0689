"""Validates by pydantic models; a mistake becomes one line in the words of this project."""

from __future__ import annotations

import re
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from autogrow.errors import UserError, allowed, shown

Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], values: object, source: str) -> Model:
    """Return the model with these values; ``source`` names them in error messages.

    Raises
    ------
    UserError
        Naming source, key, what was found there and what is allowed.
    """
    if not isinstance(values, dict):
        raise UserError(f"{source}: found {shown(values)}; allowed: a mapping of keys to values")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{source}: {_first_problem(error, model)}") from None
    except UserError as error:  # raised by a validator
        raise UserError(f"{source}: {error}") from None


def _first_problem(error: ValidationError, model: type[BaseModel]) -> str:
    """Return the key of the first problem, what was found there and what is allowed."""
    problems = error.errors(include_url=False)
    problem = problems[0]
    path = problem["loc"]
    key = ".".join(str(part) for part in path)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if problem["type"] == "extra_forbidden":
        keys = sorted(f.alias or n for n, f in _model_at(model, path[:-1]).model_fields.items())
        return f"unknown key {shown(key)}; allowed: {allowed(keys)}{more}"
    if problem["type"] == "missing":
        fields = _model_at(model, path[:-1]).model_fields.items()
        field = next(field for name, field in fields if path[-1] in (name, field.alias))
        return f"{key}: missing; allowed: {field.description or 'a value for it'}{more}"
    message = problem["msg"].removeprefix("Value error, ")
    if not key:
        return f"{message}{more}"
    if "allowed" not in message:
        message = "allowed: " + re.sub(r"^\w+ should (be|have) ", "", message)
    return f"{key}: found {shown(problem['input'])}; {message}{more}"


def _model_at(model: type[BaseModel], path: tuple[Any, ...]) -> type[BaseModel]:
    """Return the innermost model on a path of keys."""
    for part in path:
        if part in model.model_fields:
            model = _inner(model.model_fields[part].annotation) or model
    return model


def _inner(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_inner, get_args(annotation))), None)
