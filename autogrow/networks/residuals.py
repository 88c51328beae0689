"""Finds what the initializers treat in any sub-module, by tracing its forward pass.

That is the last normalisation or LayerScale of each residual branch. The trace is autograd's own
graph of one forward pass, so it holds for whatever Python code a sub-module runs.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

NORMALISATIONS = (
    nn.modules.batchnorm._BatchNorm,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.RMSNorm,
)
"""Normalisations that are recognised, with what is derived from them."""

Node = Any
"""A node of autograd's graph."""


class _Owner(NamedTuple):
    """What a parameter is of: a normalisation's name, or its own."""

    name: str
    normalises: bool


def find_last_norms(sub_module: nn.Module, inputs: Tensor) -> tuple[str, ...]:
    """Return the names of the last normalisations before the residual additions.

    A residual addition adds to a tensor what was computed from it (its branch), on the way from
    the inputs to the outputs. The last normalisation of a branch is the one closest to the
    addition that everything in the branch passes: a Batch, Layer, Group, Instance or RMS
    Normalization with parameters, or LayerScale, which is a parameter that the branch is
    multiplied by after its last weights. Convolutions, linear layers and gates
    (squeeze-and-excitation) may lie between a normalisation and the addition.

    Parameters
    ----------
    sub_module
        Any module that maps one tensor to one of the same shape; it is left as it was.
    inputs
        What it is traced on, (N, ...) on its device; the content does not matter.

    Returns
    -------
    tuple[str, ...]
        A module's name or, for LayerScale, a parameter's, for each residual addition, in the
        order of the forward pass; ``""`` where a branch has none. Empty without an addition.
    """
    traced = copy.deepcopy(sub_module).requires_grad_(True).eval()
    x = inputs.detach().requires_grad_(True)
    with torch.enable_grad():
        graph = _Graph(traced(x.clone()).grad_fn, x)  # a leaf must not be changed in place
    owners = _owners(traced)
    found = [graph.last_of(branch, shortcut, owners) for shortcut, branch in graph.additions()]
    return tuple(reversed(found))


def _owners(module: nn.Module) -> dict[Tensor, _Owner]:
    owners: dict[Tensor, _Owner] = {}
    for name, part in module.named_modules():
        normalises = isinstance(part, NORMALISATIONS)
        for own, parameter in part.named_parameters(name, recurse=False):
            owners[parameter] = _Owner(name if normalises else own, normalises)
    return owners


class _Graph:
    """Autograd's graph from an output down to an input ``x``."""

    def __init__(self, output: Node, x: Tensor) -> None:
        self.output = output
        self.nodes = _sorted(output)
        self.from_x: set[Node] = set()
        """Nodes whose values depend on x."""
        for node in self.nodes:
            if getattr(node, "variable", None) is x or self.from_x & {*_inputs(node)}:
                self.from_x.add(node)

    def additions(self) -> Iterator[tuple[Node, Node]]:
        """Yield shortcut and branch of each residual addition, from the output to the input."""
        node = self.output
        while True:
            inputs = [n for n in _inputs(node) if n in self.from_x]
            if len(inputs) == 1:
                node = inputs[0]
                continue
            if len(inputs) != 2 or not node.name().startswith("AddBackward"):
                return
            one, other = inputs
            if one in _sorted(other):
                shortcut, branch = one, other
            elif other in _sorted(one):
                shortcut, branch = other, one
            else:
                return
            yield shortcut, branch
            node = shortcut

    def last_of(self, branch: Node, shortcut: Node, owners: dict[Tensor, _Owner]) -> str:
        """Return the name of a branch's last normalisation or LayerScale, or an empty one."""
        weighted = False
        for node in reversed(_sorted(branch)):
            if node is shortcut:
                break  # what is left is below it, or beside the branch
            beside = [n for n in _inputs(node) if n not in self.from_x]
            leaves = [n.variable for side in beside for n in _sorted(side) if _is_leaf(n)]
            own = {owners[leaf] for leaf in leaves if leaf in owners}
            if node not in self.from_x or not own or _passed_by(node, branch, shortcut):
                continue
            for owner in own:
                scales = node.name().startswith("MulBackward") and len(own) == 1 and not weighted
                if owner.normalises or scales:
                    return owner.name
            weighted = True
        return ""


def _sorted(top: Node) -> list[Node]:
    """Return the nodes of the graph below a node, and it last: each after its inputs."""
    nodes: dict[Node, None] = {}
    waiting = [(top, False)]
    while waiting:
        node, inputs_done = waiting.pop()
        if inputs_done:
            nodes[node] = None
        elif node not in nodes:
            waiting.append((node, True))
            waiting += [(n, False) for n in _inputs(node) if n not in nodes]
    return list(nodes)


def _passed_by(node: Node, branch: Node, shortcut: Node) -> bool:
    """Return whether a way from a branch's end to its shortcut does not lead through a node."""
    seen, waiting = {node}, [branch]
    while waiting:
        at = waiting.pop()
        if at not in seen:
            if at is shortcut:
                return True
            seen.add(at)
            waiting += _inputs(at)
    return False


def _inputs(node: Node) -> list[Node]:
    return [n for n, _ in node.next_functions if n is not None]


def _is_leaf(node: Node) -> bool:
    return hasattr(node, "variable")
