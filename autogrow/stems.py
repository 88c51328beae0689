"""Which first layer a network has: the small images' or ImageNet's."""

from __future__ import annotations

from autogrow import names
from autogrow.errors import UserError, allowed

IMAGENET_STEM_FROM = 96
"""Image size in pixels from which ``stem: auto`` takes the ImageNet stem."""


def choose_stem(architecture: names.Architecture, stem: str, image_size: int) -> names.Stem:
    """Return the stem that ``auto``, ``small`` or ``imagenet`` means for images of a size.

    Raises
    ------
    UserError
        If the paper gives the architecture no such stem.
    """
    stems = architecture.stems
    if stem == "auto":
        wanted: names.Stem = "imagenet" if image_size >= IMAGENET_STEM_FROM else "small"
        return wanted if wanted in stems else stems[0]
    if stem not in stems:
        raise UserError(
            f"stem: {architecture.name} has no {stem!r} stem; allowed: auto or {allowed(stems)}"
        )
    return stem
