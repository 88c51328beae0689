"""Growing and stopping policies of AutoGrow (paper section 2.3).

A policy decides at a check, from the running maximum of the validation accuracy alone.
Accuracies and tau are in percent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from autogrow.errors import UserError

ROUNDING = 1e-9
"""Slack (percentage points) that undoes binary rounding: 90.05 - 90.00 is a gain of 0.05."""


class Policy(Protocol):
    """What Algorithm 1 asks of a policy.

    ``maximum[e]`` is the running maximum of validation accuracy after ``e``
    epochs, with ``maximum[0] = 0``; the check takes place after the last one.
    ``grown_at`` is the number of epochs after which the network grew last.

    Examples
    --------
    >>> import autogrow
    >>> policy: autogrow.Policy = autogrow.ConvergentGrowth(K=5)
    >>> policy.K, policy.tau
    (5, 0.05)
    """

    @property
    def K(self) -> int:
        """Epochs between two checks."""

    @property
    def tau(self) -> float:
        """Smallest gain in accuracy that counts."""

    def meets_stopping(self, maximum: Sequence[float], grown_at: int) -> bool:
        """Return whether the recently grown sub-network must stop growing."""

    def meets_growing(self, maximum: Sequence[float]) -> bool:
        """Return whether the network should grow a sub-module."""


def _check_period(K: int) -> None:
    if K < 1:
        raise UserError(f"K: found {K}; allowed: whole numbers from 1")


def _gain_below(maximum: Sequence[float], since: int, tau: float) -> bool:
    return maximum[-1] - maximum[since] < tau - min(ROUNDING, tau / 2)


@dataclass(frozen=True)
class PeriodicGrowth:
    """p-AutoGrow: grow at every check, every K epochs; stop after J epochs without gain.

    A gain below tau (percentage points) over the last J epochs stops the recently grown
    sub-network, but never before more than J epochs have passed.

    Parameters
    ----------
    K
        Epochs between two checks, from 1.
    J
        Stop window in epochs, from K. None: T, for :func:`autogrow.grow` alone, which knows it.
    tau
        Smallest gain in accuracy that counts, in percentage points.

    Examples
    --------
    >>> import autogrow
    >>> autogrow.PeriodicGrowth(J=30).meets_growing([0.0, 50.0])
    True
    """

    K: int = 3
    J: int | None = None
    tau: float = 0.05

    def __post_init__(self) -> None:
        _check_period(self.K)
        if self.J is not None and self.J < self.K:
            raise UserError(f"J: found {self.J}; allowed: whole numbers from K = {self.K}")

    @property
    def window(self) -> int:
        """The stop window J; a UserError if it is not given."""
        if self.J is None:
            raise UserError("J: found None; allowed: a whole number (autogrow.grow alone knows T)")
        return self.J

    def meets_stopping(self, maximum: Sequence[float], grown_at: int) -> bool:
        """Return whether the last J epochs gained less than tau."""
        epoch = len(maximum) - 1
        return epoch > self.window and _gain_below(maximum, epoch - self.window, self.tau)

    def meets_growing(self, maximum: Sequence[float]) -> bool:
        """Return True: periodic growth grows at every check."""
        return True


@dataclass(frozen=True)
class ConvergentGrowth:
    """c-AutoGrow: grow only a converged network, stop when a growth did not help.

    A gain below tau (percentage points) over the K epochs since the last check is convergence.

    Parameters
    ----------
    K
        Epochs between two checks, from 1; T in the paper.
    tau
        Smallest gain in accuracy that counts, in percentage points.

    Examples
    --------
    >>> import autogrow
    >>> autogrow.ConvergentGrowth(K=2).meets_growing([0.0, 50.0, 60.0])
    False
    """

    K: int
    tau: float = 0.05

    def __post_init__(self) -> None:
        _check_period(self.K)

    def meets_stopping(self, maximum: Sequence[float], grown_at: int) -> bool:
        """Return whether the network converged without gaining tau since it grew.

        Compared with the accuracy at the growth: a growth that helped is not
        punished for having converged since (Table 3's found nets show as much).
        """
        return self.meets_growing(maximum) and _gain_below(maximum, grown_at, self.tau)

    def meets_growing(self, maximum: Sequence[float]) -> bool:
        """Return whether the last K epochs gained less than tau."""
        return _gain_below(maximum, len(maximum) - 1 - self.K, self.tau)
