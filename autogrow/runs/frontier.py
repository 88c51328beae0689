"""frontier.csv: what each depth that growing passed costs, and the accuracy that it had."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autogrow.files.writing import write_bytes, write_csv
from autogrow.growth.algorithm import Depth
from autogrow.networks.names import Architecture, parse_depth
from autogrow.networks.sizes import Size
from autogrow.runs.trade_off_picture import Mark, trade_off_svg
from autogrow.training.metrics import Epoch, Phase

FRONTIER = "frontier.csv"
FRONTIER_PICTURE = "frontier.svg"
FRONTIER_HEADER = (
    *("phase", "epoch", "depth", "parameters", "flops", "latency_ms"),
    *("val_accuracy", "test_accuracy", "pareto"),
)


_KINDS: dict[bool | None, Literal["best", "other", "last"]] = {
    True: "best",
    False: "other",
    None: "last",
}


@dataclass(frozen=True)
class FrontierPoint:
    """A network that growing passed, as it was when it grew on; or the fine-tuned found net.

    Accuracies are in percent, NaN after a loss that was not finite. ``pareto`` says whether no
    earlier network, all of which are smaller, had as good a validation accuracy; None of the
    fine-tuned net, which is not comparable.
    """

    phase: Phase
    epoch: int
    depth: str
    parameters: int
    flops: int
    latency_ms: float
    val_accuracy: float
    test_accuracy: float
    pareto: bool | None

    def row(self) -> list[str]:
        """Return the cells of frontier.csv."""
        return [
            *(self.phase, str(self.epoch), self.depth, str(self.parameters), str(self.flops)),
            *(f"{self.latency_ms:.4f}", f"{self.val_accuracy:.4f}", f"{self.test_accuracy:.4f}"),
            "" if self.pareto is None else "yes" if self.pareto else "no",
        ]


def frontier_points(
    epochs: Iterable[Epoch],
    architecture: Architecture,
    size: Callable[[Depth], Size],
    latency: Callable[[Depth], float],
) -> list[FrontierPoint]:
    """Return the last epoch of growing at each depth, and that of the fine-tuning.

    Parameters
    ----------
    epochs
        All rows of metrics.csv.
    architecture
        The architecture that grew.
    size, latency
        Tell what a depth costs, and its milliseconds of a forward pass.
    """
    own = [e for e in epochs if e.phase in ("growing", "finetuning")]
    points: list[FrontierPoint] = []
    best = -math.inf
    for _, group in itertools.groupby(own, key=lambda e: (e.phase, e.depth)):
        *_, last = group
        assert last.val_accuracy is not None
        assert last.test_accuracy is not None
        depth = parse_depth(last.depth, architecture)
        growing = last.phase == "growing"
        pareto = last.val_accuracy > best if growing else None
        best = last.val_accuracy if pareto else best
        cost = (*size(depth), latency(depth))
        scores = (last.val_accuracy, last.test_accuracy)
        points.append(FrontierPoint(last.phase, last.epoch, last.depth, *cost, *scores, pareto))
    return points


def write_frontier(folder: Path, title: str, batch: int, points: Sequence[FrontierPoint]) -> None:
    """Write frontier.csv and its picture.

    ``title`` stands above the picture; latency is of ``batch`` images.
    """
    write_csv(folder / FRONTIER, FRONTIER_HEADER, (p.row() for p in points))
    marks = [
        Mark((p.parameters, p.flops, p.latency_ms), p.val_accuracy, _told(p), _KINDS[p.pareto])
        for p in points
    ]
    images = "1 image" if batch == 1 else f"{batch} images"
    picture = trade_off_svg(
        title,
        ("parameters", "FLOPs of one image", f"latency of {images} (ms)"),
        "validation accuracy (%)",
        ("best so far, while growing", "no gain over a smaller one", "found net, fine-tuned"),
        marks,
    )
    write_bytes(folder / FRONTIER_PICTURE, picture.encode())


def _told(point: FrontierPoint) -> str:
    return f"{point.depth}, epoch {point.epoch}, {point.phase}: {point.val_accuracy:.2f} %"
