"""How a network is assumed to grow, from Algorithm 1 itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from autogrow.growth.algorithm import Depth, Event, Growth, replay
from autogrow.growth.policies import ConvergentGrowth, PeriodicGrowth, Policy
from autogrow.growth.rivals.fixed import FixedSchedule
from autogrow.growth.rivals.random_stop import RandomStop
from autogrow.networks.names import format_depth

LONGEST = 1000
"""Epochs after which a growth that has not ended is assumed to end."""


def least_curve(
    policy: PeriodicGrowth | ConvergentGrowth, seed: Depth, found: Depth
) -> list[float]:
    """Return the shortest curve of accuracies, epoch by epoch, with which a net is found.

    The first epoch always gains something, as training does, and every other one unless a check
    needs no gain before it: to stop a sub-network that is deep enough, or to let convergent growth
    go on after a growth that helped. Where the policy cannot stop at these depths (periodic
    growth never stops within its first J epochs), Algorithm 1 finds a deeper net over the curve.
    """
    window = policy.window if isinstance(policy, PeriodicGrowth) else policy.K
    flat: set[int] = set()
    """Checks that must see no gain; each one that is found starts the curve again."""
    while True:
        growth = Growth(policy, seed)
        curve = [0.0]
        deep_enough = waits = False
        while not growth.done:
            epoch = growth.epoch + 1
            gains = epoch == 1 or not any(end - window < epoch <= end for end in flat)
            curve.append(curve[-1] + policy.tau * gains)
            events = growth.observe(curve[-1])
            if epoch % policy.K:
                continue
            if epoch not in flat and (deep_enough or waits):
                flat.add(epoch)
                break
            waits = not events
            for event in events:
                i = event.sub_network
                deep_enough = i is not None and event.depth[i] >= found[i]
        else:
            return curve[1:]


def least_growth(
    policy: PeriodicGrowth | ConvergentGrowth, seed: Depth, found: Depth
) -> tuple[Event, ...]:
    """Return the events of the shortest growth that finds a net.

    No curve of accuracies gives some of the paper's nets on ImageNet (9-3-6-4, 6-6-6-17 and
    6-7-3-9): between two stops lie fewer epochs than J. The stop window is then K.
    """
    events = replay(policy, seed, least_curve(policy, seed, found))
    shallower = any(d < f for d, f in zip(events[-1].depth, found, strict=True))
    if shallower and isinstance(policy, PeriodicGrowth) and policy.window > policy.K:
        return least_growth(replace(policy, J=policy.K), seed, found)
    return tuple(events)


def assumed_growth(policy: Policy, seed: Depth, found: Depth) -> tuple[Event, ...]:
    """Return the events of a growth that finds a net, as far as its policy lets a net be assumed.

    AutoGrow's two policies find it by the shortest growth. Policies with a target grow to the
    depth ``found``, one that stops by lot as the fixed schedule does, which is its expectation.
    All others see a curve that gains in its first epoch alone: controlled growth then tries each
    sub-network once.
    """
    if isinstance(policy, PeriodicGrowth | ConvergentGrowth):
        return least_growth(policy, seed, found)
    if hasattr(policy, "target"):
        policy = replace(policy, target=format_depth(found))  # type: ignore[type-var]
    if isinstance(policy, RandomStop):
        policy = FixedSchedule(policy.target, policy.K)
    growth = Growth(policy, seed)
    events = growth.follow([1.0] * LONGEST)
    return tuple(events if growth.done else [*events, *growth.end(1.0)])


def spans(
    policy: Policy, seed: Depth, events: tuple[Event, ...]
) -> Iterator[tuple[int, Depth, Depth | None]]:
    """Yield epochs, the depth that was trained in them, and that of the twin beside it, if any."""
    start = Event(0, "done", None, seed)
    earlier = seed
    for before, event in pairwise([start, *events]):
        on_trial = policy.twin and before.event == "grow"
        yield event.epoch - before.epoch, before.depth, earlier if on_trial else None
        earlier = before.depth
