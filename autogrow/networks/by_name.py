"""Any network that has a name: the paper's, timm's and torchvision's, and those of packages."""

from __future__ import annotations

from autogrow.networks.growable import GrowableModule, build_network
from autogrow.networks.names import NetworkName, Shortcut, Stem, is_library, is_plugin


def network_by_name(
    name: NetworkName,
    *,
    image_channels: int,
    classes: int,
    stem: Stem | None = None,
    width: int | None = None,
    shortcut: Shortcut = "B",
    image_size: int | None = None,
) -> GrowableModule:
    """Return a network built directly at the depth of its name.

    A library's network needs the side of the images in pixels and a stem, ``imagenet`` by
    default, which takes images as the library has it; it has a width and shortcuts of its own.
    The rest is as for :func:`autogrow.networks.growable.build_network`.
    """
    if not is_library(name.architecture.name):
        return build_network(
            name,
            image_channels=image_channels,
            classes=classes,
            stem=stem,
            width=width,
            shortcut=shortcut,
        )
    from autogrow.networks.library_calls import Images

    assert image_size is not None
    images = Images(image_channels, image_size, classes, stem or "imagenet")
    if is_plugin(name.architecture.name):
        from autogrow.networks.plugin_network import plugin_network

        return plugin_network(name, images)
    from autogrow.networks.library_network import library_network

    return library_network(name, images)
