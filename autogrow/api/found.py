"""What growing has found: depth, curve and trained network, and the folder that keeps them."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from autogrow.errors import UserError
from autogrow.files.reading import read_text
from autogrow.files.seals import seal_file
from autogrow.files.writing import make_folder
from autogrow.growth.algorithm import Event, Trial
from autogrow.networks.growable import GrowableModule
from autogrow.networks.names import parse_network
from autogrow.runs.curves import LARGEST
from autogrow.runs.folder import GROWTH, require_finished
from autogrow.runs.summary import SUMMARY, Summary
from autogrow.training.metrics import METRICS, METRICS_HEADER, TRIAL_HEADER, Epoch
from autogrow.training.reporter import LOG


@dataclass(frozen=True)
class Found:
    """What :func:`autogrow.grow` has found.

    Attributes
    ----------
    network
        The trained network, in evaluation mode: the one that was given, grown in place.
    summary
        What summary.json says: depth, accuracies, costs, data, and what steered growing.
    curve
        All epochs, as in metrics.csv.
    events
        What Algorithm 1 decided, as in growth.csv.
    folder
        The run's folder; a temporary one if no ``out`` was given.

    Examples
    --------
    >>> import numpy as np
    >>> import autogrow
    >>> images = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    >>> found = autogrow.grow(
    ...     "Plain3Net", (images, np.arange(40) % 2), T=1, width=2, quiet=True,
    ...     policy=autogrow.PeriodicGrowth(K=1, tau=100),
    ... )
    >>> len(found.depth), found.curve[0].phase, found.curve[-1].phase
    (3, 'growing', 'finetuning')
    """

    network: GrowableModule
    summary: Summary
    curve: tuple[Epoch, ...]
    events: tuple[Event, ...]
    folder: Path
    _temporary: TemporaryDirectory[str] | None = field(default=None, repr=False)

    @property
    def depth(self) -> tuple[int, ...]:
        """Sub-modules of each sub-network of the found net."""
        return parse_network(self.summary.network).depth

    def save(self, folder: str | Path) -> None:
        """Keep the run in a folder, from which :func:`autogrow.load` reads it.

        Raises
        ------
        UserError
            If the folder holds something, or cannot be written.
        """
        target = Path(folder)
        if target.resolve() == self.folder.resolve():
            return
        sealed = require_finished(self.folder)
        make_folder(target)
        if any(target.iterdir()):
            raise UserError(f"{target}: holds something already; allowed: a new or empty folder")
        try:
            for name in (LOG, *sealed.expected, seal_file(Path(SUMMARY)).name):
                (target / name).parent.mkdir(exist_ok=True)
                shutil.copyfile(self.folder / name, target / name)
        except OSError as error:
            raise UserError(f"{target}: cannot be written: {error.strerror or error}") from None


def read_epochs(folder: Path) -> tuple[Epoch, ...]:
    """Return the epochs of a finished run."""
    return tuple(
        Epoch(
            int(row["epoch"]),
            row["phase"],
            row["depth"],
            *(_number(row[key]) for key in METRICS_HEADER[3:]),  # type: ignore[arg-type]
            **_trial(row),
        )
        for row in _rows(folder / METRICS)
    )


def read_events(folder: Path) -> tuple[Event, ...]:
    """Return the decisions of a finished run."""
    return tuple(
        Event(
            int(row["epoch"]),
            row["event"],
            int(row["sub_network"]) if row["sub_network"] else None,
            tuple(map(int, row["depth"].split("-"))),
        )
        for row in _rows(folder / GROWTH)
    )


def _rows(file: Path) -> list[dict[str, Any]]:
    return list(csv.DictReader(read_text(file, "the records of a run", LARGEST).splitlines()))


def _trial(row: dict[str, Any]) -> dict[str, Any]:
    """Return what a twin's row says of its trial; other rows say nothing."""
    cells = [row.get(column) for column in TRIAL_HEADER]
    return {"trial": Trial(*map(int, cells))} if all(cells) else {}  # type: ignore[arg-type]


def _number(cell: str) -> float | None:
    return float(cell) if cell else None
