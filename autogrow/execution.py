"""How a run is carried out: device, threads and the like."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from autogrow.distributed import local_device
from autogrow.errors import UserError

MOST_THREADS = 1024
"""More than any machine has processors; OpenMP crashes where the system gives it fewer."""


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


def find_device(execution: Execution) -> torch.device:
    """Return the device that is asked for, and set the number of CPU threads.

    Raises
    ------
    UserError
        If there is no such device, or not so many threads.
    """
    if execution.threads is not None:
        if not 1 <= execution.threads <= MOST_THREADS:
            raise UserError(f"threads: found {execution.threads}; allowed: 1 to {MOST_THREADS}")
        torch.set_num_threads(execution.threads)
    name = execution.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda"):
        raise UserError(f"device: found {name!r}; allowed: auto, cpu, cuda or cuda:N")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(
            f"device: {name!r} is not there ({torch.cuda.device_count()} GPUs seen); "
            "allowed: auto or cpu"
        )
    return local_device(device)
