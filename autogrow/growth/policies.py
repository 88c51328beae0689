"""Growing and stopping policies: what decides when the network grows.

Here are the contract and AutoGrow's two policies (paper section 2.3), which decide at a check,
from the running maximum of the validation accuracy alone. Other methods' are in
:mod:`autogrow.growth.rivals`. Accuracies and tau are in percent.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from autogrow.errors import UserError
from autogrow.growth.bounds import Depth

if TYPE_CHECKING:
    from autogrow.growth.algorithm import Growth

ROUNDING = 1e-9
"""Slack (percentage points) that undoes binary rounding: 90.05 - 90.00 is a gain of 0.05."""


class Decision(NamedTuple):
    """What a policy wants done now.

    Attributes
    ----------
    action
        ``wait`` for the next epoch, ``grow`` a sub-network by one, ``stop`` one for good, or
        ``undo`` the last growth and stop its sub-network.
    sub_network
        Its number, from 0. None: the next one of the circle grows, the one that grew last stops.

    Examples
    --------
    >>> import autogrow
    >>> autogrow.Decision("stop", 1)
    Decision(action='stop', sub_network=1)
    """

    action: Literal["wait", "grow", "stop", "undo"]
    sub_network: int | None = None


WAIT, GROW, STOP, UNDO = (Decision(a) for a in ("wait", "grow", "stop", "undo"))


class Policy(ABC):
    """When the network grows, and when a sub-network stops: what Algorithm 1 asks.

    A policy is a frozen dataclass whose fields are its parameters. Its answers follow from the
    growth alone, so that they can be replayed from a run's records.

    Attributes
    ----------
    K
        Growing period in epochs. Where growth is bounded, a network that grows must be allowed to
        train for K epochs.
    observes
        Columns of metrics.csv that it looks at; the others may be unknown (NaN) to it.
    least_period
        The smallest K with which it works; a scale asks for no less.
    twin
        Whether each growth is a trial: a twin that does not grow is trained beside the grown
        network, and the policy compares them. The growth is kept once the policy grows or stops a
        sub-network, and is undone if growing ends before.

    Examples
    --------
    >>> import autogrow
    >>> policy: autogrow.Policy = autogrow.ConvergentGrowth(K=5)
    >>> policy.K, policy.observes
    (5, ('val_accuracy',))
    """

    K: int
    observes: ClassVar[tuple[str, ...]] = ("val_accuracy",)
    least_period: ClassVar[int] = 1
    twin: ClassVar[bool] = False

    @abstractmethod
    def decide(self, growth: Growth) -> Decision:
        """Return what to do after the epoch that was observed last.

        After anything but ``wait`` the policy is asked again, until it waits or growth is done.

        Parameters
        ----------
        growth
            Everything so far. It must not be changed.
        """

    def check(self, seed: Depth) -> None:
        """Refuse a seed network of this depth with a UserError, if it cannot be grown so."""
        return

    @classmethod
    def defaults(cls, T: int) -> Mapping[str, int]:
        """Return K, and J if there is one, where they are not given.

        ``T`` is how many epochs of the fine-tuning have the largest learning rate.
        """
        return {"K": 3}

    def at_check(self, growth: Growth) -> bool:
        """Return whether K epochs have passed since the last check, and nothing has grown yet."""
        return growth.epoch % self.K == 0 and growth.grown_at != growth.epoch


def check_period(K: int) -> None:
    """Refuse a growing period below one epoch."""
    if K < 1:
        raise UserError(f"K: found {K}; allowed: whole numbers from 1")


def _gain_below(maximum: Sequence[float], since: int, tau: float) -> bool:
    return maximum[-1] - maximum[since] < tau - min(ROUNDING, tau / 2)


@dataclass(frozen=True)
class PeriodicGrowth(Policy):
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
    >>> growth = autogrow.Growth(autogrow.PeriodicGrowth(K=1, J=30), depth=(1, 1))
    >>> [event.depth for event in growth.follow([50.0, 60.0])]
    [(2, 1), (2, 2)]
    """

    K: int = 3
    J: int | None = None
    tau: float = 0.05

    def __post_init__(self) -> None:
        check_period(self.K)
        if self.J is not None and self.J < self.K:
            raise UserError(f"J: found {self.J}; allowed: whole numbers from K = {self.K}")

    @property
    def window(self) -> int:
        """The stop window J; a UserError if it is not given."""
        if self.J is None:
            raise UserError("J: found None; allowed: a whole number (autogrow.grow alone knows T)")
        return self.J

    @classmethod
    def defaults(cls, T: int) -> Mapping[str, int]:
        """Return the paper's: K is 3, and J is T."""
        return {"K": 3, "J": T}

    def decide(self, growth: Growth) -> Decision:
        """Return whether to stop the recently grown sub-network, or to grow the next one."""
        if not self.at_check(growth):
            return WAIT
        if growth.grown is None or growth.epoch <= self.window:
            return GROW
        since = growth.epoch - self.window
        return STOP if _gain_below(growth.maximum, since, self.tau) else GROW


@dataclass(frozen=True)
class ConvergentGrowth(Policy):
    """c-AutoGrow: grow only a converged network, stop when a growth did not help.

    A gain below tau (percentage points) over the K epochs since the last check is convergence. A
    converged network that has not gained tau since it grew stops the recently grown sub-network:
    a growth that helped is not punished for having converged since (Table 3's found nets show as
    much).

    Parameters
    ----------
    K
        Epochs between two checks, from 1; T in the paper.
    tau
        Smallest gain in accuracy that counts, in percentage points.

    Examples
    --------
    >>> import autogrow
    >>> growth = autogrow.Growth(autogrow.ConvergentGrowth(K=1), depth=(1, 1))
    >>> [event.depth for event in growth.follow([50.0, 60.0, 60.0])]
    [(2, 1)]
    """

    K: int
    tau: float = 0.05

    def __post_init__(self) -> None:
        check_period(self.K)

    @classmethod
    def defaults(cls, T: int) -> Mapping[str, int]:
        """Return the paper's: K is T."""
        return {"K": T}

    def decide(self, growth: Growth) -> Decision:
        """Return whether to stop the recently grown sub-network, or to grow the next one."""
        if not self.at_check(growth):
            return WAIT
        if not _gain_below(growth.maximum, growth.epoch - self.K, self.tau):
            return WAIT
        if growth.grown is not None and _gain_below(growth.maximum, growth.grown_at, self.tau):
            return STOP
        return GROW
