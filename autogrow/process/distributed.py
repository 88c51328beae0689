"""Several processes, one run: each trains on its share of every batch.

Started by ``torchrun``, the processes join a group and average their gradients
(DistributedDataParallel). All processes take the same decisions, because they decide
on sums over all of them; only the first one writes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import nn

from autogrow.errors import InterruptedRunError

LOST = "Connection closed|Connection reset|Broken pipe|Timed out|timed out|remote process"


@dataclass(frozen=True)
class World:
    """The processes of a run: the rank of this one, their number, and this one's device."""

    rank: int = 0
    size: int = 1
    device: torch.device = torch.device("cpu")  # noqa: RUF009

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes and reports."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """Return which of ``count`` things are this process's: a part of nearly equal size."""
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def sum(self, values: Sequence[float]) -> list[float]:
        """Return each value's sum over all processes, the same to the bit in each."""
        if self.size == 1:
            return list(values)
        sums = torch.tensor(values, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(sums)
        return sums.tolist()

    def parallel(self, network: nn.Module) -> nn.Module:
        """Return a module that trains the network in step with the other processes' networks.

        Trained parameters and buffers are taken from the first process. Call it again
        when the network has grown.
        """
        if self.size == 1:
            return network
        from torch.nn.parallel import DistributedDataParallel

        # Each process keeps BN statistics of its own share; see `share_buffers`.
        return DistributedDataParallel(network, broadcast_buffers=False)

    def share_buffers(self, network: nn.Module) -> None:
        """Give every process the first one's BN statistics."""
        if self.size > 1:
            for buffer in network.buffers():
                torch.distributed.broadcast(buffer, 0)

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.size > 1:
            torch.distributed.barrier()


ALONE = World()


def gradients_stay(network: nn.Module) -> AbstractContextManager[None]:
    """Return a context in which processes do not average their gradients yet."""
    no_sync = getattr(network, "no_sync", None)
    return nullcontext() if no_sync is None else no_sync()


@contextmanager
def joined(device: torch.device) -> Iterator[World]:
    """Join the processes that torchrun started; without torchrun, be alone.

    Raises
    ------
    InterruptedRunError
        If another process ends before the run does.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    backend = "nccl" if device.type == "cuda" else "gloo"
    if device.type == "cuda":
        torch.cuda.set_device(device)
    torch.distributed.init_process_group(backend)
    world = World(torch.distributed.get_rank(), torch.distributed.get_world_size(), device)
    try:
        yield world
    except RuntimeError as error:
        if not isinstance(error, torch.distributed.DistError) and not re.search(LOST, str(error)):
            raise
        raise InterruptedRunError(
            f"process {world.rank} of {world.size}: another process of this run has ended; "
            "the same command continues from the last checkpoint"
        ) from None
    finally:
        torch.distributed.destroy_process_group()
