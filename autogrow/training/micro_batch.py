"""How many images a step holds at once; halved where a GPU's memory runs out.

A network needs more memory with each growth. A step that does not fit is repeated in
parts of half the size whose gradients are accumulated, so that the batch stays the same.
Batch Normalization then takes its statistics over a part.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import torch
from torch import Tensor, nn

from autogrow.errors import UserError
from autogrow.training.optimizer import Optimizer

Part = tuple[Tensor, Tensor]
LEAST = 2
"""Fewest images that Batch Normalization works with."""
SHORT = "CUDA error: out of memory|(CUDNN|CUBLAS|CUSOLVER)_STATUS_ALLOC_FAILED"
"""What libraries on a GPU say that allocate past torch."""


def gpu_is_short(error: RuntimeError) -> bool:
    """Return whether a GPU's memory did not suffice."""
    return isinstance(error, torch.OutOfMemoryError) or bool(re.search(SHORT, str(error)))


class MicroBatch:
    """The most images at once.

    Parameters
    ----------
    images
        0 stands for a whole batch, however large.
    guarded
        Whether a step may run out of memory. BN statistics are then kept until the step
        is taken, because a part of a forward pass may have changed them.
    halved
        Is called with the new number after each halving.
    """

    def __init__(
        self,
        images: int = 0,
        *,
        guarded: bool = False,
        halved: Callable[[int], None] = lambda images: None,
    ) -> None:
        self.images = images
        self._guarded = guarded
        self._halved = halved

    def carry_out(
        self,
        network: nn.Module,
        optimizer: Optimizer,
        images: Tensor,
        labels: Tensor,
        gradient: Callable[[Part, bool], tuple[Tensor, Tensor, Tensor]],
    ) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Accumulate a batch's gradient; return what ``gradient`` gave for its parts.

        ``gradient`` adds a part's share; its second argument is whether the part is the last.
        """
        buffers = list(network.buffers()) if self._guarded else []
        while True:
            before = [buffer.clone() for buffer in buffers]
            optimizer.zero_grad()
            number = -(-len(labels) // self.images) if self.images else 1
            parts = zip(images.tensor_split(number), labels.tensor_split(number), strict=True)
            try:
                return [gradient(part, i == number) for i, part in enumerate(parts, start=1)]
            except RuntimeError as error:
                if not gpu_is_short(error):
                    raise
                reason = str(error)
            # Out of the `except` block: the error holds on to the step's tensors.
            self._halve(len(labels), reason)
            optimizer.zero_grad()
            for buffer, value in zip(buffers, before, strict=True):
                buffer.copy_(value)
            torch.cuda.empty_cache()

    def _halve(self, batch: int, reason: str) -> None:
        now = min(self.images or batch, batch)
        if now <= LEAST:
            raise UserError(
                f"out of GPU memory with {now} images at once; allowed: a GPU with more memory "
                f"(or less of it in use by others), or a narrower network ({reason})"
            )
        self.images = max(LEAST, -(-now // 2))
        self._halved(self.images)
