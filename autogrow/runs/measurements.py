"""What a run has measured with a clock: measurements.json, so that nothing is decided twice.

Growth is replayed whenever a run continues. A bound on time or latency has to give the same
answers then, so each number is written down before anything is decided on it, and a number that is
there is never measured again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from autogrow.errors import UserError
from autogrow.files.reading import read_bytes
from autogrow.files.writing import write_json
from autogrow.growth.algorithm import Depth
from autogrow.networks.names import format_depth

if TYPE_CHECKING:
    from autogrow.process.distributed import World

MEASUREMENTS = "measurements.json"
LARGEST = 2**24
"""Bytes: the seconds of a million epochs."""

Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Measured(BaseModel):
    """What a run has measured.

    ``latency_ms`` are milliseconds of a forward pass by depth; ``seconds[e - 1]`` those that the
    first e epochs of growing took.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    latency_ms: dict[str, Number] = {}
    seconds: list[Number] = []

    def latency(self, depth: Depth) -> float:
        """Return the milliseconds of a forward pass at a depth that was measured."""
        return self.latency_ms[format_depth(depth)]


def read_measurements(folder: Path) -> Measured:
    """Return what the run of a folder has measured so far; nothing if no file is there.

    Raises
    ------
    UserError
        If the file holds no measurements.
    """
    file = folder / MEASUREMENTS
    if not file.exists():
        return Measured()
    try:
        return Measured.model_validate_json(read_bytes(file, "what a run measured", LARGEST))
    except ValidationError:
        raise UserError(
            f"{file}: found no measurements of a run; allowed: the file as the run wrote it, or "
            "start over with --restart"
        ) from None


class Measurements:
    """The numbers of a run, each of which is measured once.

    Parameters
    ----------
    folder
        Run folder; an unfinished run's measurements are read from there.
    world
        The processes of the run; the first one measures, reads and writes for all.
    measure
        Measures the milliseconds of a forward pass at a depth.
    """

    def __init__(self, folder: Path, world: World, measure: Callable[[Depth], float]) -> None:
        self._file = folder / MEASUREMENTS
        self._world = world
        self._measure = measure
        self._measured = read_measurements(folder) if world.first else Measured()

    def latency(self, depth: Depth, *, keep: bool = True) -> float:
        """Return the milliseconds of a forward pass at a depth, measured when first asked.

        ``keep`` says whether a new number is written at once; a later one is written with it.
        """
        known, name = self._measured.latency_ms, format_depth(depth)
        if self._world.first and name not in known:
            known[name] = round(self._measure(depth), 4)
            if keep:
                self.write()
        return self._shared(known.get(name, 0.0))

    def elapsed(self, epoch: int, seconds: float) -> float:
        """Return the seconds after an epoch of growing: as recorded, else ``seconds``."""
        known = self._measured.seconds
        if self._world.first and epoch > len(known):
            known.append(round(seconds, 3))
            self.write()
        return self._shared(known[epoch - 1] if self._world.first else 0.0)

    def write(self) -> None:
        """Write all numbers down."""
        if self._world.first:
            write_json(self._file, self._measured.model_dump())

    def _shared(self, number: float) -> float:
        """Return the first process's number, in all processes."""
        return self._world.sum([number])[0]
