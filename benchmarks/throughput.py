"""Images a second of the engine against the reference loop, and their peak memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autogrow.networks.flops import network_costs
from autogrow.networks.names import parse_network
from benchmarks.pairs import Timing, time_pairs
from benchmarks.side_process import SideProcess
from benchmarks.sides import Case

BACKWARD = 2
"""Forward passes that a backward pass costs."""


@dataclass(frozen=True)
class Comparison:
    """Both sides in a case.

    Parameters
    ----------
    case
        Which network and images.
    training, evaluation
        Seconds an epoch.
    memory
        Peak in bytes of training, ours and the reference's (its main process
        alone; its workers' memory is not counted).
    """

    case: Case
    training: Timing
    evaluation: Timing
    memory: tuple[int, int]

    def multiply_adds(self, what: str) -> int:
        """Return the multiply-adds of one image: ``training`` or ``evaluation``."""
        cost = network_costs(
            parse_network(self.case.network),
            image_size=self.case.size,
            image_channels=self.case.channels,
            classes=10,
        )[-1]
        return cost.flops * (1 + BACKWARD if what == "training" else 1)


def compare(case: Case, pairs: int, settings: dict[str, Any]) -> Comparison:
    """Time both sides in turn, each in its own process.

    Parameters
    ----------
    case
        Network and images.
    pairs
        How many pairs are counted.
    settings
        As for :class:`benchmarks.side_process.SideProcess`.
    """
    with (
        SideProcess("engine", case, settings) as ours,
        SideProcess("reference", case, settings) as theirs,
    ):
        training = time_pairs(lambda: ours.do("train"), lambda: theirs.do("train"), pairs)
        memory = (ours.do("memory"), theirs.do("memory"))
        evaluation = time_pairs(lambda: ours.do("evaluate"), lambda: theirs.do("evaluate"), pairs)
    return Comparison(case, training, evaluation, memory)
