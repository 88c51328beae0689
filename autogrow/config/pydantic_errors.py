"""What pydantic found wrong, in the words of this project."""

from __future__ import annotations

import re
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from autogrow.errors import allowed


def first_problem(error: ValidationError, model: type[BaseModel], *, skip: int = 0) -> str:
    """Return the key of the first problem, what was found there and what is allowed.

    Parameters
    ----------
    error
        What pydantic raised.
    model
        What was validated.
    skip
        Parts of pydantic's path to leave out: a union's tag is one.
    """
    problems = error.errors(include_url=False)
    problem = problems[0]
    path = problem["loc"][skip:]
    key = ".".join(str(part) for part in path)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if problem["type"] == "extra_forbidden":
        keys = sorted(f.alias or n for n, f in _model_at(model, path[:-1]).model_fields.items())
        return f"unknown key {key!r}; allowed: {allowed(keys)}{more}"
    if problem["type"] == "missing":
        fields = _model_at(model, path[:-1]).model_fields.items()
        field = next(field for name, field in fields if path[-1] in (name, field.alias))
        return f"{key}: missing; allowed: {field.description or 'a value for it'}{more}"
    message = problem["msg"].removeprefix("Value error, ")
    if not key:
        return f"{message}{more}"
    if "allowed" not in message:
        message = "allowed: " + re.sub(r"^\w+ should (be|have) ", "", message)
    return f"{key}: found {problem['input']!r:.80}; {message}{more}"


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
