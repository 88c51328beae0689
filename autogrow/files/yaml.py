"""YAML files as users write them: duplicate keys are errors, 1e-3 is a number."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer

from autogrow.errors import UserError, shortened
from autogrow.files.reading import read_text


class _Strict(Composer, yaml.constructor.SafeConstructor):
    """Without duplicate keys, aliases and tags."""

    peek_event: Callable[[], Any]  # of the parser that a loader has beside it

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()
        found = None
        if isinstance(event, yaml.AliasEvent):  # a few lines of them can fill the memory
            found = "an alias; allowed: values written out"
        elif getattr(event, "tag", None) is not None:
            found = f"the tag {event.tag!r}; allowed: no tags"
        if found is not None:
            raise yaml.composer.ComposerError(None, None, f"found {found}", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int | float | bool):
                raise yaml.constructor.ConstructorError(
                    None, None, f"a key must be a plain word, found {key!r}", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


class _Loader(_Strict, yaml.CSafeLoader):
    """Loader of texts that libyaml can parse, five times as fast as PyYAML alone."""

    def __init__(self, text: str) -> None:
        yaml.CSafeLoader.__init__(self, text)
        Composer.__init__(self)


class _LoaderOfAnyText(_Strict, yaml.SafeLoader):
    """Loader of the others: bytes of a file's name that are not UTF-8 are lone surrogates."""


# PyYAML follows YAML 1.1, where 1e-3 is text and 2001-01-01 a date.
_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern) for tag, pattern in resolvers if not tag.endswith(("timestamp", "float"))
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"""^(?:[-+]?[0-9]+\.[0-9]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+
        |[-+]?\.[0-9]+(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$""",
        re.VERBOSE,
    ),
    list("-+0123456789."),
)


_LoaderOfAnyText.yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers


class _Dumper(yaml.SafeDumper):
    """Safe dumper that quotes every text which the loader would take for something else."""


_Dumper.yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers


def yaml_text(value: Any) -> str:
    """Return plain values as the text of a YAML file that :func:`read_yaml` reads back equal."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, default_flow_style=None)


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file.

    Raises
    ------
    UserError
        If the file cannot be read, is not YAML, or gives a key twice.
    """
    text = read_text(path, "a YAML file", 1_000_000)
    try:
        return yaml.load(text, Loader=_LoaderOfAnyText if "\\ud" in text.lower() else _Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = shortened(str(error)).replace(' in "<unicode string>",', " at")
        raise UserError(
            f"{path}: is not YAML: {reason}; allowed: keys with values, each key once"
        ) from None
