"""The device and the CPU threads that a process computes with."""

from __future__ import annotations

import os

import torch

from autogrow.errors import UserError, shown

MOST_THREADS = 1024
"""More than any machine has processors; OpenMP crashes where the system gives it fewer."""


def find_device(name: str, threads: int | None = None) -> torch.device:
    """Return the device that is asked for, and set the number of CPU threads.

    Under torchrun, each process of a machine gets a GPU of its own.

    Parameters
    ----------
    name
        ``auto`` (a GPU if there is one), ``cpu``, ``cuda`` or ``cuda:N``.
    threads
        CPU threads; None leaves torch's default.

    Raises
    ------
    UserError
        If there is no such device, or fewer threads.
    """
    if threads is not None:
        if not 1 <= threads <= MOST_THREADS:
            raise UserError(f"threads: found {threads}; allowed: 1 to {MOST_THREADS}")
        torch.set_num_threads(threads)
    gpus = torch.cuda.device_count()
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda"):
        raise UserError(f"device: found {shown(name)}; allowed: auto, cpu, cuda or cuda:N")
    if device.type == "cpu":
        return device
    if (device.index or 0) >= gpus:
        raise UserError(
            f"device: {shown(name)} is not there ({gpus} GPUs seen); allowed: auto or cpu"
        )
    process = os.environ.get("LOCAL_RANK")
    if process is None:
        return device
    if int(process) >= gpus:
        raise UserError(
            f"device: process {process} of this machine has no GPU ({gpus} GPUs seen); "
            "allowed: as many processes as GPUs"
        )
    return torch.device("cuda", int(process))
