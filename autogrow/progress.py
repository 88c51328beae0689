"""How far a run is, as its checkpoints record it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from autogrow.engine import Tally
from autogrow.errors import UserError
from autogrow.files import read_json, write_json
from autogrow.growth import Depth
from autogrow.records import MICRO_BATCH, Epoch

FORMAT = 2
"""Of the values in a checkpoint: another version's cannot be gone on from."""


@dataclass(frozen=True)
class Halving:
    """Where a GPU's memory ran out, and the images at once from there on.

    Parameters
    ----------
    epoch
        In which it happened.
    depth
        Of the network then, as ``2-1-1``.
    micro_batch
        Most images at once since, of one process.
    """

    epoch: int
    depth: str
    micro_batch: int

    def __str__(self) -> str:
        return (
            f"out of GPU memory in epoch {self.epoch} at depth {self.depth}: from here on at most "
            f"{self.micro_batch} images at once, gradients accumulated to the same batch; BN "
            f"statistics are of {self.micro_batch} images"
        )


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Parameters
    ----------
    epochs
        All epochs recorded so far.
    depth
        The network's; growth may be ahead of the last epoch.
    steps
        Optimizer steps in these epochs.
    tally
        Of the epoch that has begun: sums over all processes.
    seconds
        Wall time it has taken so far.
    halvings
        Where a GPU's memory ran out.
    data_checksum
        Of the data set.
    """

    epochs: Sequence[Epoch]
    depth: Depth
    steps: int
    tally: Tally
    seconds: float
    halvings: Sequence[Halving]
    data_checksum: str

    @classmethod
    def start(cls, data_checksum: str) -> Self:
        """Return the progress of a run that has not begun."""
        return cls([], (), 0, Tally(), 0.0, [], data_checksum)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        values = {k: v for k, v in vars(self).items() if k not in ("epochs", "tally", "halvings")}
        return {
            **values,
            "format": FORMAT,
            "epochs": [asdict(e) for e in self.epochs],
            "tally": {k: float(v) for k, v in vars(self.tally).items()},
            "halvings": [asdict(h) for h in self.halvings],
        }

    @classmethod
    def from_json(cls, values: dict[str, Any], folder: Path, data: str, checksum: str) -> Self:
        """Return the progress that :meth:`to_json` gave.

        Parameters
        ----------
        values
            Of a checkpoint.
        folder, data, checksum
            The run's folder, its data set, and the checksum of that now.

        Raises
        ------
        UserError
            If another version of this package wrote them, or the data has changed.
        """
        values = dict(values)
        if values.pop("format", 1) != FORMAT:
            raise UserError(
                f"{folder}: its checkpoints are of another version of autogrow; finish the run "
                "with that one, or start over with --restart"
            )
        if values["data_checksum"] != checksum:
            raise UserError(
                f"{folder}: data {data!r} is not what this run began with "
                "(its checksum differs); restore it, or start over with --restart"
            )
        sums = values.pop("tally")
        loss = sums.pop("loss")
        return cls(
            epochs=[Epoch(**e) for e in values.pop("epochs")],
            depth=tuple(values.pop("depth")),
            tally=Tally(loss=loss, **{k: int(v) for k, v in sums.items()}),
            halvings=[Halving(**h) for h in values.pop("halvings")],
            **values,
        )


def write_halving(folder: Path, halving: Halving) -> None:
    """Keep a halving for the next start: one of several processes ran out of memory."""
    write_json(folder / MICRO_BATCH, asdict(halving))


def with_written_halving(folder: Path, halvings: Sequence[Halving]) -> list[Halving]:
    """Return the halvings of a checkpoint, and one that :func:`write_halving` has kept since."""
    known = list(halvings)
    file = folder / MICRO_BATCH
    if file.exists():
        try:
            written = Halving(**read_json(file))
        except TypeError:
            raise UserError(f"{file}: found no halving of the micro-batch; delete it") from None
        if not known or written.micro_batch < known[-1].micro_batch:
            known.append(written)
    return known
