"""The calls by which timm and torchvision build a network at any depth, and the same as code."""

from __future__ import annotations

import functools
import importlib
import inspect
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from types import ModuleType
from typing import Any, NamedTuple

from torch import nn

from autogrow.errors import UserError, allowed, shown
from autogrow.networks.families import Family, Options
from autogrow.networks.names import Stem

_PATCHED = threading.Lock()
"""Held while a function of a library is replaced."""


class Images(NamedTuple):
    """What a library's network is built for.

    Parameters
    ----------
    channels, size, classes
        Of the images (pixels a side) and their labels.
    stem
        ``small``: by the library's own options for small images; ``imagenet``: as it is.
    """

    channels: int
    size: int
    classes: int
    stem: Stem


class Wanted(NamedTuple):
    """A network that is to be built.

    Parameters
    ----------
    name
        The library's own name of it.
    kind
        The class in the library that its family is called by.
    family
        What its family needs.
    depth
        Depth of each stage, those that do not grow included.
    images
        What it is built for.
    """

    name: str
    kind: str
    family: Family
    depth: Sequence[int]
    images: Images


Built = tuple[nn.Module, str]
"""A network, and Python code that builds it."""


def imported_timm() -> ModuleType:
    """Return timm; if it is not installed, that is a UserError."""
    try:
        return importlib.import_module("timm")
    except ModuleNotFoundError as error:
        if error.name != "timm":
            raise
        raise UserError(
            "network: timm is not installed, which timm:NAME needs; allowed: install it "
            '(pip install "autogrow[timm]"), or a network of autogrow or torchvision'
        ) from None


def _unknown(library: str, name: str, there: Sequence[str]) -> UserError:
    near = [n for n in there if n.startswith(name)][:5] or get_close_matches(name, there, n=5)
    return UserError(
        f"network: {library} has no network {shown(name)}; allowed: a name of {library}'s"
        + (f", as {allowed(near)}" if near else "")
    )


def _timm_default(name: str) -> nn.Module:
    timm = imported_timm()
    if not re.fullmatch(r"[\w.]+", name) or not timm.is_model(name.partition(".")[0]):
        raise _unknown("timm", name, timm.list_models())
    network: nn.Module = timm.create_model(name)
    return network


def _torchvision_default(name: str) -> nn.Module:
    models = importlib.import_module("torchvision.models")
    there = models.list_models(module=models)
    if name not in there:
        raise _unknown("torchvision", name, there)
    network: nn.Module = models.get_model(name)
    return network


@contextmanager
def _replaced(module: ModuleType, name: str, function: Callable[..., Any]) -> Iterator[None]:
    with _PATCHED:
        original = getattr(module, name)
        setattr(module, name, function)
        try:
            yield
        finally:
            setattr(module, name, original)


def _arguments(options: Options) -> str:
    return ", ".join(f"{key}={code_of(value)}" for key, value in options.items())


def code_of(value: object) -> str:
    """Return Python code for an argument of a library's constructor."""
    if isinstance(value, functools.partial):
        inner = [
            *map(code_of, (value.func, *value.args)),
            *filter(None, [_arguments(value.keywords)]),
        ]
        return f"functools.partial({', '.join(inner)})"
    if inspect.isclass(value) or inspect.isfunction(value):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(code_of, value))}]"
    if hasattr(value, "num_layers"):  # torchvision's description of a stage
        return f"{code_of(type(value))}({_arguments(vars(value))})"
    return repr(value)


def timm_options(family: Family, images: Images) -> Options:
    """Return timm's arguments for images of this kind."""
    options: Options = {"num_classes": images.classes}
    if images.stem == "small":
        options |= family.small(images.size)
    if family.sized:
        options["img_size"] = images.size
    if images.channels != 3:
        options["in_chans"] = images.channels
    return options


def _build_timm(wanted: Wanted) -> Built:
    timm, name, family = imported_timm(), wanted.name, wanted.family
    options = timm_options(family, wanted.images)
    if not family.replaces:
        key = family.depth
        options[key] = list(wanted.depth) if key in ("layers", "depths") else wanted.depth[0]
        code = f"import timm\n\nnetwork = timm.create_model({name!r}, {_arguments(options)})"
        return timm.create_model(name, **options), code
    module = importlib.import_module(timm.model_entrypoint(name).__module__)
    function, depths = family.depth, list(wanted.depth)
    original = getattr(module, function)
    blocks, code = _BLOCKS[function]
    with _replaced(module, function, lambda *a, **k: blocks(original(*a, **k), depths)):
        network = timm.create_model(name, **options)
    return network, (
        f"from unittest.mock import patch\n\nimport timm\nfrom {module.__name__} import "
        f"{function}\n\ndepths = {depths!r}\n\n\n{code}\n\n\n"
        f'with patch("{module.__name__}.{function}", blocks):\n'
        f"    network = timm.create_model({name!r}, {_arguments(options)})"
    )


def _efficient_blocks(stages: list[list[Options]], depths: Sequence[int]) -> list[list[Options]]:
    """Return the descriptions of each stage's blocks; the last one is repeated."""
    return [
        [dict(stage[min(i, len(stage) - 1)]) for i in range(depth)]
        for stage, depth in zip(stages, depths, strict=True)
    ]


def _regnet_blocks(generated: tuple[Any, ...], depths: Sequence[int]) -> tuple[Any, ...]:
    """Return the width of each block, which decides on its stage."""
    widths, *others = generated
    stages = zip(sorted({*widths}), depths, strict=True)
    return [width for width, depth in stages for _ in range(depth)], *others


_BLOCKS: dict[str, tuple[Callable[[Any, Sequence[int]], Any], str]] = {
    "decode_arch_def": (
        _efficient_blocks,
        "def blocks(*arguments, **options):\n"
        "    stages = zip(decode_arch_def(*arguments, **options), depths, strict=True)\n"
        "    return [[dict(s[min(i, len(s) - 1)]) for i in range(d)] for s, d in stages]",
    ),
    "generate_regnet": (
        _regnet_blocks,
        "def blocks(*arguments):\n"
        "    widths, *others = generate_regnet(*arguments)\n"
        "    stages = zip(sorted({*widths}), depths, strict=True)\n"
        "    return [width for width, d in stages for _ in range(d)], *others",
    ),
}
"""What is put in the place of timm's functions that decide on blocks, and the same as code."""


def _build_torchvision(wanted: Wanted) -> Built:
    if wanted.images.channels != 3:
        raise ValueError("torchvision's networks take images of 3 channels, timm's of any number")
    models = importlib.import_module("torchvision.models")
    module = importlib.import_module(models.get_model_builder(wanted.name).__module__)
    key = wanted.family.depth
    made: list[Built] = []

    def constructor(original: type[nn.Module]) -> Callable[..., nn.Module]:
        def construct(*arguments: object, **named: object) -> nn.Module:
            given = dict(inspect.signature(original).bind(*arguments, **named).arguments)
            given |= given.pop("kwargs", {})
            stages = given[key]
            if key == "block_setting":
                for stage, d in zip(stages, wanted.depth, strict=True):
                    stage.num_layers = d
            else:
                given[key] = list(wanted.depth)
            network = original(**given)
            made.append((network, f"{code_of(original)}({_arguments(given)})"))
            return network

        return construct

    with _replaced(module, wanted.kind, constructor(getattr(module, wanted.kind))):
        models.get_model(wanted.name, num_classes=wanted.images.classes)
    network, call = made[0]
    imports = sorted({"torchvision", *re.findall(r"\b(functools|torch)\.", call)})
    return network, "\n".join(f"import {i}" for i in imports) + f"\n\nnetwork = {call}"


DEFAULTS = {"timm": _timm_default, "torchvision": _torchvision_default}
"""Functions that return a network by its name, as the library has it."""
BUILDERS = {"timm": _build_timm, "torchvision": _build_torchvision}
"""Functions that build what is wanted."""
