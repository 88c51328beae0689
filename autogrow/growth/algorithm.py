"""Algorithm 1 of the paper as a pure state machine over the records of epochs.

The same records give the same events: a run's growth can be replayed from its metrics, and an
interrupted run rebuilds this state from the epochs that it has recorded. What grows when is up to
a policy (:mod:`autogrow.growth.policies`).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from autogrow.errors import UserError, shown
from autogrow.growth.bounds import Bound, BoundName, Depth
from autogrow.growth.policies import Decision, Policy
from autogrow.networks.names import format_depth

NAN = math.nan
MOST_DECISIONS = 10_000
"""Decisions after one epoch: more than any network has sub-modules."""


class Trial(NamedTuple):
    """How a grown network and its twin, which did not grow, do on the same validation images.

    Attributes
    ----------
    images
        Validation images.
    gained
        Those that the grown network alone classifies correctly.
    lost
        Those that its twin alone classifies correctly.

    Examples
    --------
    >>> import autogrow
    >>> autogrow.Trial(images=1000, gained=40, lost=25).difference
    1.5
    """

    images: int
    gained: int
    lost: int

    @property
    def difference(self) -> float:
        """The grown network's accuracy less its twin's, in percentage points."""
        return 100 * (self.gained - self.lost) / self.images


FORESIGHT = 10_000
"""Epochs; a policy may wait for what never comes."""


class Observed(NamedTuple):
    """What a policy may look at of an epoch; accuracies are percent, NaN where nobody knows.

    An epoch that diverged has NaN accuracies too.

    Attributes
    ----------
    val_accuracy, val_loss
        Of the validation images, after the epoch.
    train_accuracy, train_loss
        Of the training images, as they were trained on.
    trial
        Of a policy with a twin, in the epochs in which there was one.

    Examples
    --------
    >>> import autogrow
    >>> autogrow.Observed(60.0, train_accuracy=75.0).train_accuracy
    75.0
    """

    val_accuracy: float
    val_loss: float = NAN
    train_accuracy: float = NAN
    train_loss: float = NAN
    trial: Trial | None = None


class Event(NamedTuple):
    """Something that Algorithm 1 decided at a check.

    Attributes
    ----------
    epoch
        Epochs trained so far.
    event
        ``grow`` (a sub-module was stacked), ``undo`` (it was taken away), ``stop`` (a
        sub-network was deleted from the list for good), ``cap`` (likewise, because it should
        grow but has its largest depth), the name of a bound (likewise, because the bound does
        not let it grow on) or ``done`` (the list is empty).
    sub_network
        Its number, from 0; None for ``done``.
    depth
        Depth after the event.

    Examples
    --------
    >>> import autogrow
    >>> autogrow.Event(3, "grow", 0, (2, 1)).row()
    ['3', 'grow', '0', '2-1']
    """

    epoch: int
    event: Literal["grow", "undo", "stop", "cap", "done"] | BoundName
    sub_network: int | None
    depth: Depth

    def row(self) -> list[str]:
        """Return the event as a row of growth.csv."""
        sub_network = "" if self.sub_network is None else str(self.sub_network)
        return [str(self.epoch), self.event, sub_network, format_depth(self.depth)]


GROWTH_HEADER = ["epoch", "event", "sub_network", "depth"]


@dataclass
class Growth:
    """The state of Algorithm 1.

    Parameters
    ----------
    policy
        When to grow and when to stop.
    depth
        The seed network's depth; afterwards the depth reached.
    max_depth
        Largest depth of each sub-network; None: they may grow without end.
    bounds
        What else may end the growth; the first one that does not allow it is named.

    Attributes
    ----------
    growing
        The circular list of sub-networks that may still grow, in order.
    observed
        ``observed[e - 1]``: what was observed after e epochs.
    maximum
        ``maximum[e]``: running maximum of validation accuracy after e epochs (percent), 0 at first.
    seed
        The seed network's depth.
    grown
        The sub-network that grew last, None if none has, or it has stopped.
    grown_at
        Epochs trained when the network grew last; 0 if it never has.
    on_trial
        Whether that growth may still be undone.

    Examples
    --------
    >>> import autogrow
    >>> growth = autogrow.Growth(autogrow.PeriodicGrowth(K=1, J=2), depth=(1, 1))
    >>> growth.observe(60.0)
    [Event(epoch=1, event='grow', sub_network=0, depth=(2, 1))]
    """

    policy: Policy
    depth: Depth
    max_depth: Depth | None = None
    bounds: Sequence[Bound] = ()
    growing: list[int] = field(init=False)
    observed: list[Observed] = field(init=False, default_factory=list)
    maximum: list[float] = field(init=False, default_factory=lambda: [0.0])
    seed: Depth = field(init=False)
    grown: int | None = field(init=False, default=None)
    grown_at: int = field(init=False, default=0)
    on_trial: bool = field(init=False, default=False)
    _next: int = field(init=False)
    _grown_last: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.seed = self.depth
        self.growing = [i for i in range(len(self.depth)) if not self._capped(i)]
        self._next = self.growing[0]

    @property
    def epoch(self) -> int:
        """Epochs observed so far."""
        return len(self.maximum) - 1

    @property
    def done(self) -> bool:
        """Whether every sub-network has stopped growing."""
        return not self.growing

    @property
    def next_sub_network(self) -> int:
        """The sub-network whose turn it is to grow."""
        return self._next

    def observe(self, epoch: Observed | float) -> list[Event]:
        """Take in one more epoch and return what is decided.

        Between a policy's checks nothing is decided, unless a bound ends the growth.

        Parameters
        ----------
        epoch
            What was observed, or the validation accuracy alone, in percent. NaN stands for an
            epoch that diverged and counts as no gain.

        Raises
        ------
        RuntimeError
            If the growth is done already.
        UserError
            If the policy decides what is impossible.
        """
        if self.done:
            raise RuntimeError("growth is done: nothing is left to observe")
        self._take_in(epoch)
        check = self.epoch % self.policy.K == 0
        until = self.epoch + (self.policy.K if check else 1)
        events: list[Event] = []
        for _ in range(MOST_DECISIONS):
            decision = self.policy.decide(self)
            events += self._carry_out(decision, until)
            if self.done:
                return events + self._ended()
            if decision.action == "wait":
                return events
        raise UserError(
            f"policy: {shown(self.policy)} decides without end after epoch {self.epoch}; allowed: "
            "to wait once it has grown what it wants"
        )

    def _take_in(self, epoch: Observed | float) -> None:
        seen = epoch if isinstance(epoch, Observed) else Observed(epoch)
        self.observed.append(seen)
        self.maximum.append(max(self.maximum[-1], seen.val_accuracy))  # which NaN never is

    def _carry_out(self, decision: Decision, until: int) -> list[Event]:
        """Do what the policy wants; growth is looked at next after ``until`` epochs."""
        action, i = decision
        if i is None and action in ("stop", "undo"):
            i = self.grown
        possible = action in ("wait", "grow") and i is None
        if not possible and (i not in self.growing or (action == "undo" and not self.on_trial)):
            raise UserError(
                f"policy: {shown(self.policy)} decides {tuple(decision)} where sub-networks "
                f"{self.growing} may grow; allowed: one of them, and undo for a growth on trial"
            )
        if action == "wait":
            return self._grow_or_wait(False, until)
        if action == "undo":
            return [self._undo(), self._end(self._grown_last, "stop")]
        self.on_trial = False
        if action == "stop" and i is not None:
            return [self._end(i, "stop")]
        events: list[Event] = []
        if self.grown is not None and self._capped(self.grown):
            # The next to grow is another one, unless this was the last: a growth moves on.
            events.append(self._end(self.grown, "cap"))
        if i is not None and i in self.growing:
            self._next = i
        return events + self._grow_or_wait(True, until)

    def _grow_or_wait(self, ready: bool, until: int) -> list[Event]:
        """Grow the next sub-network that bounds allow to grow, or wait if they allow that."""
        events: list[Event] = []
        while self.growing:
            i = self._next
            bound = self._forbidding(self._deeper(i) if ready else self.depth, until)
            if bound is None:
                return [*events, self._grow(i)] if ready else events
            events.append(self._end(i, bound.name))
        return events

    def _ended(self) -> list[Event]:
        """Return the last events: a growth that is still on trial has not shown its worth."""
        undone = [self._undo()] if self.on_trial else []
        return [*undone, Event(self.epoch, "done", None, self.depth)]

    def end(self, epoch: Observed | float) -> list[Event]:
        """Take in one more epoch, and end the growth before Algorithm 1 does."""
        self._take_in(epoch)
        self.growing = []
        return self._ended()

    def _forbidding(self, depth: Depth, until: int) -> Bound | None:
        """Return the first bound that does not let the network be grown on at a depth."""
        return next((b for b in self.bounds if not b.allows(depth, self.epoch, until)), None)

    def follow(self, curve: Iterable[Observed | float]) -> list[Event]:
        """Observe the epochs of a curve until the growth is done; return what is decided."""
        events: list[Event] = []
        for epoch in curve:
            if self.done:
                break
            events += self.observe(epoch)
        return events

    def earliest_end(self) -> int:
        """Return the least number of epochs after which the growth can be done.

        For a progress bar only: it assumes that accuracy improves no more and all else stays as it
        is, and leaves aside bounds that would have to measure a network. A policy that would wait
        for longer than ``FORESIGHT`` epochs is not followed further.
        """
        ahead = copy.copy(self)
        ahead.growing, ahead.maximum = [*self.growing], [*self.maximum]
        ahead.observed = [*self.observed]
        ahead.bounds = [bound for bound in self.bounds if not bound.measured]
        latest = self.observed[-1] if self.observed else Observed(0.0)
        while not ahead.done and ahead.epoch < self.epoch + FORESIGHT:
            ahead.observe(latest._replace(val_accuracy=0.0, trial=None))
        return ahead.epoch

    def _capped(self, i: int) -> bool:
        return self.max_depth is not None and self.depth[i] >= self.max_depth[i]

    def _deeper(self, i: int) -> Depth:
        return (*self.depth[:i], self.depth[i] + 1, *self.depth[i + 1 :])

    def _following(self, i: int) -> int:
        """Return the sub-network after one of the list, in a circle."""
        return self.growing[(self.growing.index(i) + 1) % len(self.growing)]

    def _grow(self, i: int) -> Event:
        self.depth = self._deeper(i)
        self.grown, self.grown_at, self._next = i, self.epoch, self._following(i)
        self._grown_last, self.on_trial = i, self.policy.twin
        return Event(self.epoch, "grow", i, self.depth)

    def _undo(self) -> Event:
        """Take the last growth back."""
        i = self._grown_last
        self.depth = (*self.depth[:i], self.depth[i] - 1, *self.depth[i + 1 :])
        self.on_trial = False
        return Event(self.epoch, "undo", i, self.depth)

    def _end(self, i: int, event: Literal["stop", "cap"] | BoundName) -> Event:
        """Delete a sub-network from the list for good."""
        if i == self._next:
            self._next = self._following(i)
        if i == self.grown:
            self.grown = None
        self.growing.remove(i)
        return Event(self.epoch, event, i, self.depth)


def replay(
    policy: Policy,
    seed_depth: Depth,
    curve: Iterable[Observed | float],
    max_depth: Depth | None = None,
    bounds: Sequence[Bound] = (),
) -> list[Event]:
    """Return the events of Algorithm 1 over a curve: epochs, or validation accuracies in percent.

    Epochs after ``done`` (of the fine-tuning) are ignored; a curve may end before it.
    """
    return Growth(policy, seed_depth, max_depth, bounds).follow(curve)
