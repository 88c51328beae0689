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
        CPU threads; None keeps torch's default.
    workers
        Processes that decode images in files; None: one for each CPU, up to 16.
    compiled
        Whether each kind of sub-module is compiled.
    data_root
        Folder where data sets are looked for first and downloaded to.
    download
        Whether a missing data set is downloaded.
    quiet
        Whether the terminal stays empty.
    restart
        Whether the run starts anew although its folder holds a part of it.
    replace
        Whether a run of another spec in the folder is discarded.
    wait
        Whether the run waits while another process trains in its folder; else that is a
        mistake.
    checkpoint_epochs, checkpoint_minutes
        A checkpoint is written after every so many epochs, and also inside an epoch once
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
