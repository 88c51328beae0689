"""A network that an installed package adds: what autogrow must know of it. Knows no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from autogrow.networks.library_calls import Images


@dataclass(frozen=True)
class NetworkPlugin:
    """A network of a package, which an entry point of ``autogrow.networks`` gives a name.

    Parameters
    ----------
    sub_networks
        Number of sub-networks.
    build
        Returns the network at a depth, with random weights, for images: a module that keeps the
        contract :class:`autogrow.Growable`, on the CPU. Of the images it is told ``channels``,
        ``size`` (pixels a side), ``classes``, and the ``stem`` that the run's settings ask for:
        ``small`` or, from 96 pixels up, ``imagenet``.
    learning_rate
        The largest learning rate where the settings have none.
    layers
        Layers of a sub-module. None: its convolutions and linear layers are counted.

    Examples
    --------
    >>> import autogrow
    >>> def build(depth, images):
    ...     name = "Plain3Net-" + "-".join(map(str, depth))
    ...     shape = {"image_channels": images.channels, "classes": images.classes}
    ...     return autogrow.build_network(name, **shape)
    >>> autogrow.NetworkPlugin(sub_networks=3, build=build).learning_rate
    0.1
    """

    sub_networks: int
    build: Callable[[tuple[int, ...], Images], nn.Module]
    learning_rate: float = 0.1
    layers: int | None = None

    @property
    def own(self) -> tuple[int, ...]:
        """The shallowest depth."""
        return (1,) * self.sub_networks

    @property
    def width(self) -> int:
        """What records have for a network that has no choice of width."""
        return 1


def network_fault(found: Any) -> str | None:
    """Return what is wrong with what a package adds as a network, or None."""
    if not isinstance(found, NetworkPlugin):
        return "is no network: an autogrow.NetworkPlugin"
    layers = 1 if found.layers is None else found.layers
    for key, number in {"sub_networks": found.sub_networks, "layers": layers}.items():
        if not isinstance(number, int) or number < 1:
            return f"has {key} = {number!r}, which is no whole number from 1"
    if not isinstance(found.learning_rate, int | float) or not found.learning_rate > 0:
        return f"has learning_rate = {found.learning_rate!r}, which is no number above 0"
    return None if callable(found.build) else "has a build that is no function"
