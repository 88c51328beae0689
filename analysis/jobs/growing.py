"""The shortest growth that finds a network, from Algorithm 1 itself."""

from __future__ import annotations

from dataclasses import replace

from autogrow.growth.algorithm import Depth, Event, Growth, replay
from autogrow.growth.policies import ConvergentGrowth, PeriodicGrowth, Policy
from autogrow.growth.rivals.fixed import FixedSchedule
from autogrow.networks.names import format_depth


def least_curve(policy: Policy, seed: Depth, found: Depth) -> list[float]:
    """Return the shortest curve of accuracies, epoch by epoch, with which a net is found.

    The first epoch always gains something, as training does, and every other one unless a check
    needs no gain before it: to stop a sub-network that is deep enough, or to let convergent growth
    go on after a growth that helped. Where the policy cannot stop at these depths (periodic
    growth never stops within its first J epochs), Algorithm 1 finds a deeper net over the curve.
    """
    window = policy.window if isinstance(policy, PeriodicGrowth) else policy.K
    tau = getattr(policy, "tau", 1.0)
    flat: set[int] = set()
    """Checks that must see no gain; each one that is found starts the curve again."""
    while True:
        growth = Growth(policy, seed)
        curve = [0.0]
        deep_enough = waits = False
        while not growth.done:
            epoch = growth.epoch + 1
            gains = epoch == 1 or not any(end - window < epoch <= end for end in flat)
            curve.append(curve[-1] + tau * gains)
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


def least_growth(policy: Policy, seed: Depth, found: Depth) -> tuple[Event, ...]:
    """Return the events of the shortest growth that finds a net.

    No curve of accuracies gives some of the paper's nets on ImageNet (9-3-6-4, 6-6-6-17 and
    6-7-3-9): between two stops lie fewer epochs than J. The stop window is then K.

    Other policies than the paper's may look at anything, and are taken to stack a sub-module every
    K epochs.
    """
    if not isinstance(policy, PeriodicGrowth | ConvergentGrowth):
        policy = FixedSchedule(format_depth(found), policy.K)
    events = replay(policy, seed, least_curve(policy, seed, found))
    shallower = any(d < f for d, f in zip(events[-1].depth, found, strict=True))
    if shallower and isinstance(policy, PeriodicGrowth) and policy.window > policy.K:
        return least_growth(replace(policy, J=policy.K), seed, found)
    return tuple(events)
