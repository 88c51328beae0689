"""Builds a network that an installed package adds, and checks that it can be grown."""

from __future__ import annotations

import torch

from autogrow.errors import UserError, shortened
from autogrow.networks.contract import check_growth, check_network
from autogrow.networks.growable import GrowableModule, depth_of
from autogrow.networks.libraries import check_depth
from autogrow.networks.library_calls import Images
from autogrow.networks.names import NETWORKS, NetworkName, format_depth
from autogrow.networks.plugin import NetworkPlugin


def plugin_network(name: NetworkName, images: Images) -> GrowableModule:
    """Return a package's network at the depth of its name, on the CPU, as the package makes it.

    Raises
    ------
    UserError
        If it has another number of sub-networks, its package cannot build it for such images, or
        what is built does not keep the contract of :class:`autogrow.Growable`.
    """
    kind = check_depth(name).architecture.name
    plugin: NetworkPlugin = NETWORKS.find(kind)
    try:
        with torch.device("cpu"):  # weights are drawn, whatever a caller only wants to count
            network = plugin.build(name.depth, images)
    except UserError:
        raise
    except Exception as error:  # whatever somebody's module raises
        raise UserError(
            f"network: {name} of {NETWORKS.origin(kind)} cannot be built for {images.channels} x "
            f"{images.size} x {images.size} images: {type(error).__name__}: "
            f"{shortened(str(error))}; allowed: what the package takes"
        ) from None
    checked = check_network(network)
    found = depth_of(checked)
    if found != name.depth:
        raise UserError(
            f"network: {NETWORKS.origin(kind)} built {kind} at the depth {format_depth(found)}; "
            f"allowed: {format_depth(name.depth)}, as it was asked for"
        )
    with torch.device("cpu"):
        check_growth(checked, images.channels, images.size, images.classes)
    if plugin.layers is not None:
        checked.layers_each = plugin.layers
    return checked
