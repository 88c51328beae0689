"""Algorithm 1 of the paper as a pure state machine over validation accuracies.

The same accuracies give the same events: a run's growth can be replayed from its metrics,
and an interrupted run rebuilds this state from the accuracies that it has recorded.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from autogrow.growth.bounds import Bound, BoundName, Depth
from autogrow.growth.policies import Policy
from autogrow.networks.names import format_depth


class Event(NamedTuple):
    """Something that Algorithm 1 decided at a check.

    Attributes
    ----------
    epoch
        Epochs trained so far.
    event
        ``grow`` (a sub-module was stacked), ``stop`` (a sub-network was deleted
        from the list for good), ``cap`` (likewise, because it should grow but has its
        largest depth), the name of a bound (likewise, because the bound does not let it
        grow on) or ``done`` (the list is empty).
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
    event: Literal["grow", "stop", "cap", "done"] | BoundName
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
    maximum
        ``maximum[e]``: running maximum of validation accuracy after e epochs (percent).

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
    maximum: list[float] = field(init=False, default_factory=lambda: [0.0])
    _next: int = field(init=False)
    _grown: int | None = field(init=False, default=None)
    _grown_at: int = field(init=False, default=0)

    def __post_init__(self) -> None:
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

    def observe(self, val_accuracy: float) -> list[Event]:
        """Take in one more epoch's validation accuracy and return what is decided.

        Accuracy is in percent; NaN stands for an epoch that diverged and counts as no gain.
        Between checks nothing is decided, unless a bound ends the growth. A check gives at most
        one ``stop`` or ``cap``, then what bounds end, then at most one ``grow`` or ``done``.

        Raises
        ------
        RuntimeError
            If the growth is done already.
        """
        if self.done:
            raise RuntimeError("growth is done: nothing is left to observe")
        best = self.maximum[-1]
        self.maximum.append(best if math.isnan(val_accuracy) else max(best, val_accuracy))
        check = self.epoch % self.policy.K == 0
        events = self._check() if check else self._grow_or_wait(False, self.epoch + 1)
        if self.done:
            events.append(Event(self.epoch, "done", None, self.depth))
        return events

    def _check(self) -> list[Event]:
        events: list[Event] = []
        grown, ready = self._grown, self.policy.meets_growing(self.maximum)
        if grown is not None:
            stops = self.policy.meets_stopping(self.maximum, self._grown_at)
            if stops or (ready and self._capped(grown)):
                # The next to grow is another one, unless this was the last: a growth moves on.
                events.append(self._end(grown, "stop" if stops else "cap"))
        return events + self._grow_or_wait(ready, self.epoch + self.policy.K)

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

    def end(self, val_accuracy: float) -> Event:
        """Take in one more epoch, and end the growth before Algorithm 1 does."""
        self.maximum.append(max(self.maximum[-1], val_accuracy))  # which NaN never is
        self.growing = []
        return Event(self.epoch, "done", None, self.depth)

    def _forbidding(self, depth: Depth, until: int) -> Bound | None:
        """Return the first bound that does not let the network be grown on at a depth."""
        return next((b for b in self.bounds if not b.allows(depth, self.epoch, until)), None)

    def follow(self, accuracies: Iterable[float]) -> list[Event]:
        """Observe the epochs of a curve until the growth is done; return what is decided."""
        events: list[Event] = []
        for accuracy in accuracies:
            if self.done:
                break
            events += self.observe(accuracy)
        return events

    def earliest_end(self) -> int:
        """Return the least number of epochs after which the growth can be done.

        For a progress bar only: it assumes that accuracy improves no more, and leaves aside
        bounds that would have to measure a network.
        """
        ahead = copy.copy(self)
        ahead.growing, ahead.maximum = [*self.growing], [*self.maximum]
        ahead.bounds = [bound for bound in self.bounds if not bound.measured]
        while not ahead.done:
            ahead.observe(0.0)
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
        self._grown, self._grown_at, self._next = i, self.epoch, self._following(i)
        return Event(self.epoch, "grow", i, self.depth)

    def _end(self, i: int, event: Literal["stop", "cap"] | BoundName) -> Event:
        """Delete a sub-network from the list for good."""
        if i == self._next:
            self._next = self._following(i)
        if i == self._grown:
            self._grown = None
        self.growing.remove(i)
        return Event(self.epoch, event, i, self.depth)


def replay(
    policy: Policy,
    seed_depth: Depth,
    accuracies: Iterable[float],
    max_depth: Depth | None = None,
    bounds: Sequence[Bound] = (),
) -> list[Event]:
    """Return the events of Algorithm 1 over a curve of validation accuracies.

    Accuracies are in percent, one for each epoch. Those after ``done`` (of the fine-tuning)
    are ignored; a curve may end before it.
    """
    return Growth(policy, seed_depth, max_depth, bounds).follow(accuracies)
