"""The seconds an epoch takes the engine and the reference loop, and their peak memory.

Each side has a process of its own, as it would be used: the engine's memory settings must
not help the reference loop, nor one side's peak count for the other.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from autogrow.networks.flops import network_costs
from autogrow.networks.names import parse_network
from benchmarks.pairs import Timing, time_pairs
from benchmarks.sides import Case, work

BACKWARD = 2
"""Forward passes that a backward pass costs."""


def multiply_adds(case: Case, what: str) -> int:
    """Return the multiply-adds of one image: in ``training`` or in ``evaluation``."""
    network = parse_network(case.network)
    [*_, whole] = network_costs(
        network, image_size=case.size, image_channels=case.channels, classes=10
    )
    return whole.flops * (1 + BACKWARD if what == "training" else 1)


def compare(case: Case, options: argparse.Namespace) -> tuple[dict[str, Timing], tuple[int, int]]:
    """Return what training and evaluation took, engine first, and the peak bytes of training.

    The memory of the reference's workers is not counted.
    """
    spawn = get_context("spawn")
    with ProcessPoolExecutor(1, spawn) as ours, ProcessPoolExecutor(1, spawn) as theirs:

        def engine(word: str) -> int:
            return ours.submit(work, word, "engine", case, options).result()

        def reference(word: str) -> int:
            return theirs.submit(work, word, "reference", case, options).result()

        def timing(word: str) -> Timing:
            return time_pairs(lambda: engine(word), lambda: reference(word), options.pairs)

        training = timing("train")
        memory = engine("peak_memory"), reference("peak_memory")
        return {"training": training, "evaluation": timing("evaluate")}, memory
