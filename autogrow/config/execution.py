"""How a run is carried out: device, threads and the like."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Execution:
    """How a run is carried out: nothing here changes what is computed beyond rounding.

    Parameters
    ----------
    device
        ``auto`` (a GPU if there is one), ``cpu``, ``cuda`` or ``cuda:N``.
    threads
        CPU threads; None leaves torch's default.
    workers
        Processes that decode images in files; None: one for each CPU, up to 16.
    compiled
        Whether sub-modules are compiled, each kind once.
    data_root
        Where data sets are looked for first and downloaded to.
    download
        Whether a missing data set is downloaded.
    quiet
        Nothing on the terminal.
    restart
        Whether what the folder holds of this run is thrown away.
    replace
        Whether a run of another spec in the folder is thrown away.
    wait
        Whether a process that trains in the folder is waited for; else it is a mistake.
    checkpoint_epochs, checkpoint_minutes
        A checkpoint is written after every so many epochs, and, inside epochs too, when
        the last one is so many minutes old.
    """

    device: str = "auto"
    threads: int | None = None
    workers: int | None = None
    compiled: bool = False
    data_root: Path | None = None
    download: bool = False
    quiet: bool = False
    restart: bool = False
    replace: bool = False
    wait: bool = False
    checkpoint_epochs: int = 1
    checkpoint_minutes: float = 10.0
