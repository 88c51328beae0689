"""The policy that a spec's settings describe, and which settings a policy has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from autogrow.config.pydantic_errors import validated
from autogrow.errors import UserError, shown
from autogrow.growth.policies import Policy
from autogrow.growth.registry import POLICIES

Option = bool | int | float | str
SHARED = ("K", "J", "tau")
"""Parameters that are settings of their own; others are policy_options."""


def has(policy: str, parameter: str) -> bool:
    """Return whether a policy has a parameter, as ``J``.

    Raises
    ------
    UserError
        If there is no such policy.
    """
    return any(field.name == parameter for field in fields(POLICIES.find(policy)))


def options_of(policy: str) -> list[str]:
    """Return the names of the parameters that a policy has beside K, J and tau."""
    return [f.name for f in fields(POLICIES.find(policy)) if f.name not in SHARED]


def make_policy(
    name: str, K: int, J: int | None, tau: float, options: Mapping[str, Option]
) -> Policy:
    """Return the policy of these settings.

    Raises
    ------
    UserError
        If an option is unknown to the policy, of another type, missing or impossible.
    """
    cls = POLICIES.find(name)
    checked = validated(_model(cls), dict(options), "policy_options")
    given = {"K": K, "J": J, "tau": tau}
    shared = {key: value for key, value in given.items() if has(name, key)}
    return cls(**shared, **dict(checked))


def policy_settings(policy: Policy) -> dict[str, Any]:
    """Return the settings that describe a policy.

    Raises
    ------
    UserError
        If its class has no registered name.
    """
    name = POLICIES.name_of(type(policy))
    values = {field.name: getattr(policy, field.name) for field in fields(policy)}  # type: ignore[arg-type]
    options = {key: value for key, value in values.items() if key not in SHARED}
    shared = {key: value for key, value in values.items() if key in SHARED}
    return {"policy": name, **shared, **({"policy_options": options} if options else {})}


@cache
def _model(cls: type[Policy]) -> type[BaseModel]:
    """Return a model of a policy's own parameters, which its class declares with their types."""
    hints = get_type_hints(cls)
    own: dict[str, Any] = {
        f.name: (hints[f.name], ... if f.default is MISSING else f.default)
        for f in fields(cls)  # type: ignore[arg-type]  # every policy is a dataclass
        if f.name not in SHARED
    }
    return create_model(cls.__name__, __config__=ConfigDict(extra="forbid", strict=True), **own)


def periods(policy: str, K: int | None, J: int | None, T: int) -> tuple[int, int | None]:
    """Return K and J; those that are not given are the policy's usual ones.

    ``T`` is how many epochs of the fine-tuning have the largest learning rate.

    Raises
    ------
    UserError
        If J is given to a policy without a stop window, or is less than K.
    """
    usual = POLICIES.find(policy).defaults(T)
    K = usual["K"] if K is None else K
    if not has(policy, "J"):
        if J is not None:
            raise UserError(
                f"J: found {J} with the policy {shown(policy)}; allowed: none, as this policy has "
                "no stop window"
            )
        return K, None
    J = usual["J"] if J is None else J
    if K > J:
        raise UserError(
            f"K: {K} is more than J = {J} (by default K is {usual['K']} and J is {usual['J']}; "
            f"T = {T} epochs of fine-tuning have the largest learning rate); allowed: K up to {J}, "
            "or a larger J"
        )
    return K, J
