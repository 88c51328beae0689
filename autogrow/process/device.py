"""The device and the CPU threads that a process computes with."""

from __future__ import annotations

import torch

from autogrow.errors import UserError
from autogrow.process.distributed import local_device

MOST_THREADS = 1024
"""More than any machine has processors; OpenMP crashes where the system gives it fewer."""


def find_device(name: str, threads: int | None = None) -> torch.device:
    """Return the device that is asked for, and set the number of CPU threads.

    Parameters
    ----------
    name
        ``auto`` (a GPU if there is one), ``cpu``, ``cuda`` or ``cuda:N``.
    threads
        CPU threads; None leaves torch's default.

    Raises
    ------
    UserError
        If there is no such device, or not so many threads.
    """
    if threads is not None:
        if not 1 <= threads <= MOST_THREADS:
            raise UserError(f"threads: found {threads}; allowed: 1 to {MOST_THREADS}")
        torch.set_num_threads(threads)
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
