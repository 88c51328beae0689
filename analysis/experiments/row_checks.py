"""What a row of config/experiments.yaml may say, checked before any run is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.experiments.panels import PANEL_COLUMNS
from autogrow.config.spec import SPECS
from autogrow.errors import UserError, allowed, shown
from autogrow.networks.names import ARCHITECTURES, is_library, is_plugin, parse_architecture


@dataclass(frozen=True)
class Method:
    """What a row's method says of its run: its kind, and the policy if it names one."""

    kind: str
    policy: str | None = None


METHODS = {
    "baseline": Method("scratch"),
    "Network Morphism": Method("morph"),
    "AutoGrow": Method("autogrow"),
    "p-AutoGrow": Method("autogrow", "periodic"),
    "c-AutoGrow": Method("autogrow", "convergent"),
    "controlled growth": Method("autogrow", "controlled"),
    "fixed schedule": Method("autogrow", "fixed"),
    "random stop": Method("autogrow", "random_stop"),
    "one-shot": Method("autogrow", "one_shot"),
    "FRAGrow": Method("autogrow", "fragrow"),
}
"""The names of methods; `AutoGrow` may have any policy, in a column or in `run`."""

DEPTHS = ("seed_net", "shallower", "deeper", "depth")
"""Columns that hold a depth; a scale may put a smaller one in its place."""

COLUMNS = (
    *("dataset", "network", "method", "K", "fraction", "initializer", "policy", "learning_rate"),
    *("protocol", *DEPTHS),
)

SOURCES = ("depth_of", "budget_of")
"""Columns that name a growing run by the columns in which it differs."""

INSTRUCTIONS = (*SOURCES, *PANEL_COLUMNS)

_EVERY_KIND = ("dataset", "network", "method", "fraction", "protocol")
_OF_KIND = {
    "scratch": ("depth",),
    "morph": ("shallower", "deeper", "initializer"),
    "autogrow": ("K", "initializer", "policy", "learning_rate", "seed_net"),
}
"""Columns that say something of one kind of run alone."""

_MUST_BE_GIVEN = {"scratch": ("depth",), "morph": ("shallower", "deeper"), "autogrow": ()}


def kind_of_row(values: Mapping[str, Any], kind: object, where: str) -> str:
    """Return the kind of a row's run: by its method, or ``kind``, which its table says."""
    method = values.get("method")
    if method is not None:
        if method not in list(METHODS):
            raise UserError(f"{where}: method: found {shown(method)}; allowed: {allowed(METHODS)}")
        kind = METHODS[method].kind
    if not isinstance(kind, str) or kind not in SPECS:
        raise UserError(
            f"{where}: run: kind: found {shown(kind)}; allowed: {allowed(SPECS)}, "
            f"or rows with a method: {allowed(METHODS)}"
        )
    return kind


def policy_of_row(values: Mapping[str, Any], where: str) -> str | None:
    """Return the policy that a row's method or column names; None if neither does."""
    method, named = METHODS.get(str(values.get("method"))), values.get("policy")
    of_method = method.policy if method else None
    if of_method is not None and named not in (None, of_method):
        raise UserError(
            f"{where}: policy: found {shown(named)} in a row of {values['method']}; allowed: none, "
            f"as that is {of_method}"
        )
    return named if of_method is None else of_method


def check_cells(values: Mapping[str, Any], cells: Mapping[str, Any], kind: str, where: str) -> None:
    """Check the columns of a row: their names, their types, and that its kind has them.

    ``values`` are the cells with the columns that all rows of the table share; of these not
    every one needs to concern every row.
    """
    _check_values(values, (*COLUMNS, *INSTRUCTIONS), where)
    concern = {*_EVERY_KIND, *_OF_KIND[kind], *INSTRUCTIONS}
    needed = _MUST_BE_GIVEN[kind]
    sources = {column: values[column] for column in SOURCES if values.get(column) is not None}
    for column, source in sources.items():
        if kind == "morph" or (kind == "autogrow" and column == "budget_of"):
            also = " or autogrow" if column == "depth_of" else ""
            raise UserError(f"{where}: {column}: allowed: in rows of kind scratch{also}")
        _check_values(source, COLUMNS, f"{where}: {column}")
        _check_network({**values, **source}, f"{where}: {column}")
    if len(sources) > 1:
        raise UserError(f"{where}: budget_of: allowed: in rows without depth_of")
    if "depth_of" in sources:
        concern |= {*_OF_KIND["autogrow"]}
        concern -= {"depth"}
        needed = ()
    _check_network(values, where)
    for column in needed:
        if values.get(column) is None:
            raise UserError(f"{where}: a row has no {column}; allowed: a column with a depth")
    for column, value in cells.items():
        if value is not None and column not in concern:
            raise UserError(
                f"{where}: {column}: found {shown(value)} in a row of kind {kind}, which has no "
                f"such setting; allowed: null, or {allowed(c for c in COLUMNS if c in concern)}"
            )


def _check_values(values: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    """Check that values are words and numbers, and that they say what is trained on what."""
    for column, value in values.items():
        if column not in known:
            raise UserError(f"{where}: unknown column {shown(column)}; allowed: {allowed(known)}")
        types, wanted = str | int | float | None, "a word or a number"
        if column in SOURCES:
            types, wanted = dict | None, "columns with values"
        if not isinstance(value, types):
            raise UserError(f"{where}: {column}: found {shown(value)}; allowed: {wanted}")


def _check_network(values: Mapping[str, Any], where: str) -> None:
    if not isinstance(values.get("dataset"), str):
        raise UserError(f"{where}: a row has no dataset; allowed: a column, or in `shared`")
    network = str(values.get("network"))
    if is_library(network) and not is_plugin(network):
        raise UserError(
            f"{where}: network: found {shown(network)}; allowed: {allowed(ARCHITECTURES)} (the "
            "networks of libraries are for autogrow grow and train)"
        )
    try:
        parse_architecture(network)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
