"""Names that stand for code: policies, initializers, networks, data sets and loggers.

A registry knows its own names and those that installed packages add as entry points. The code
behind a name is imported when it is asked for, so that names can be listed and checked at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from autogrow.errors import UserError, allowed, shortened, shown


class Registry:
    """The things of one kind, by their names.

    Parameters
    ----------
    kind
        What messages call one of them, as ``policy``.
    group
        The group of entry points by which other packages add to them, as ``autogrow.policies``.
    own
        ``module:attribute`` of those that come with autogrow; empty if others look it up.
    fault
        Returns what is wrong with a package's object, or None.

    Examples
    --------
    >>> from autogrow.growth.registry import POLICIES
    >>> POLICIES.find("periodic")
    <class 'autogrow.growth.policies.PeriodicGrowth'>
    """

    def __init__(
        self,
        kind: str,
        group: str,
        own: Mapping[str, str],
        fault: Callable[[Any], str | None],
    ) -> None:
        self.kind = kind
        self.group = group
        self.own = own
        self._fault = fault

    @cached_property
    def _added(self) -> dict[str, list[EntryPoint]]:
        added: dict[str, list[EntryPoint]] = {}
        for entry in entry_points(group=self.group):
            added.setdefault(entry.name, []).append(entry)
        return added

    @property
    def names(self) -> list[str]:
        """All names, autogrow's own first."""
        return [*self.own, *sorted({*self._added} - {*self.own})]

    @property
    def added(self) -> list[str]:
        """The names that do not come with autogrow."""
        return self.names[len(self.own) :]

    def versions(self, name: str) -> dict[str, str]:
        """Return the version of each package that adds a name, if one does."""
        entries = [] if name in self.own else self._added.get(name, [])
        return {e.dist.name: e.dist.version for e in entries if e.dist is not None}

    def name_of(self, found: Any) -> str:
        """Return the name that stands for something, or raise a UserError if none does."""
        for name in self.names:
            if self._is_loaded(name) and self.find(name) is found:
                return name
        raise UserError(
            f"{self.kind}: {shown(found)} has no name; allowed: {allowed(self.names)}, or one that "
            f"an installed package adds as an entry point of {self.group}"
        )

    def _is_loaded(self, name: str) -> bool:
        """Return whether the module behind a name has been imported."""
        target = self.own.get(name) or self._added[name][0].value
        return target.partition(":")[0] in sys.modules

    def origin(self, name: str) -> str:
        """Return which packages add a name, for people."""
        return allowed(map(_origin, self._added[name]))

    def known(self, name: str) -> str:
        """Return a name that stands for something.

        Raises
        ------
        UserError
            If nothing has this name; the message lists what there is.
        """
        if name not in self.own and name not in self._added:
            raise UserError(
                f"{self.kind}: found {shown(name)}; allowed: {allowed(self.names)}, or one that an "
                f"installed package adds as an entry point of {self.group}"
            )
        return name

    def find(self, name: str) -> Any:
        """Return what a name stands for; its module is imported.

        Raises
        ------
        UserError
            If nothing has this name, two packages add it, or what a package adds does not work.
        """
        if name in self.own:
            module, _, attribute = self.own[name].partition(":")
            return getattr(import_module(module), attribute)
        entries = self._added[self.known(name)]
        if len({entry.value for entry in entries}) > 1:
            raise UserError(
                f"{self.kind}: {shown(name)} is added by {self.origin(name)}; allowed: "
                "one of these packages installed"
            )
        try:
            found = entries[0].load()
        except Exception as error:  # whatever somebody's module raises
            reason = f"cannot be imported: {type(error).__name__}: {shortened(str(error))}"
        else:
            reason = self._fault(found) or ""
            if not reason:
                return found
        raise UserError(
            f"{self.kind}: {shown(name)} of {_origin(entries[0])} {reason}; allowed: a working "
            f"{self.kind}, or one of {allowed(self.own)}"
        )


def _origin(entry: EntryPoint) -> str:
    package = f"package {entry.dist.name}" if entry.dist else "an unknown package"
    return f"{package} ({entry.value})"
