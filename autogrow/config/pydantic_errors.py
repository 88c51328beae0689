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
    parent, path = _at(model, problem["loc"])
    key = ".".join(path)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if problem["type"] == "extra_forbidden":
        keys = sorted(f.alias or n for n, f in parent.model_fields.items())
        return f"unknown key {shown(key)}; allowed: {allowed(keys) or 'none'}{more}"
    if problem["type"] == "missing":
        fields = parent.model_fields.items()
        field = next(field for name, field in fields if path[-1] in (name, field.alias))
        return f"{key}: missing; allowed: {field.description or 'a value for it'}{more}"
    message = problem["msg"].removeprefix("Value error, ")
    if not key:
        return f"{message}{more}"
    if "allowed" not in message:
        message = "allowed: " + re.sub(r"^\w+ should (be|have) ", "", message)
    return f"{key}: found {shown(problem['input'])}; {message}{more}"


def _at(model: type[BaseModel], path: tuple[Any, ...]) -> tuple[type[BaseModel], list[str]]:
    """Return the model that the last key of a path is of, and the keys.

    Between the keys, pydantic names the model that it chose of a union by its discriminator.
    """
    models, keys, parent = [model], [], model
    for part in path:
        chosen = [m for m in models if len(models) > 1 and part in _tags(m)]
        if chosen:
            models = chosen
            continue
        keys.append(str(part))
        parent = models[0]
        fields = [m.model_fields[part] for m in models if part in m.model_fields]
        models = (_inner(fields[0].annotation) if fields else []) or models
    return parent, keys


def _tags(model: type[BaseModel]) -> list[Any]:
    return [tag for field in model.model_fields.values() for tag in get_args(field.annotation)]


def _inner(annotation: Any) -> list[type[BaseModel]]:
    """Return the models that values of a type hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _inner(part)]
