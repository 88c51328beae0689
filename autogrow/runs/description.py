"""What a file of weights says beside its tensors: the network, and the images that it takes.

It is a JSON text in the file's metadata: the name and the arguments from which a network of ours
is built again, and the keys of :class:`Description`. Never imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from autogrow.config.pydantic_errors import validated
from autogrow.config.resolved import ResolvedSpec
from autogrow.data.photographs import IMAGENET_RESIZE
from autogrow.data.plugin import named_info
from autogrow.errors import UserError, shown
from autogrow.networks.names import is_library

if TYPE_CHECKING:
    from autogrow.data import ImageData

Pixels = Annotated[int, Field(ge=0, le=2**16)]
Name = Annotated[str, Field(min_length=1)]
DEPTH = r"^[1-9][0-9]{0,3}(-[1-9][0-9]{0,3})*$"


class Description(BaseModel):
    """What has to be known to use a trained network.

    Attributes
    ----------
    found
        The network's depth, as ``2-3-2``.
    class_names
        By label.
    mean, std
        Per channel, of images scaled to [0, 1].
    image_size, channels
        Of the network's input; images are square.
    shorter_side
        Photographs: the pixels that the shorter side is resized to before the centre is cut out.
        None: the network was trained on images that were not resized.
    zero_padding, trim, downscale
        How an image becomes the network's input then: zeros that are added on each side, pixels
        that are cut from each side, and the whole factor by which it is averaged down.

    Examples
    --------
    >>> import autogrow
    >>> images = {"mean": [0.5], "std": [0.25], "image_size": 10, "channels": 1}
    >>> described = autogrow.Description(
    ...     found="2-3-2", class_names=["cat", "dog"], **images, trim=4, downscale=2
    ... )
    >>> described.raw_size
    28
    """

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False, extra="ignore")

    found: str = Field(pattern=DEPTH, description="a depth, as 2-3-2")
    class_names: list[Name] = Field(min_length=2, description="a name for each class")
    mean: list[float] = Field(description="a number for each channel")
    std: list[Annotated[float, Field(gt=0)]] = Field(description="a number for each channel")
    image_size: Annotated[Pixels, Field(ge=1)] = Field(description="pixels")
    channels: Annotated[int, Field(ge=1, le=2**10)] = Field(description="a number of channels")
    shorter_side: Annotated[Pixels, Field(ge=1)] | None = None
    zero_padding: Pixels = 0
    trim: Pixels = 0
    downscale: Annotated[Pixels, Field(ge=1)] = 1

    @property
    def raw_size(self) -> int:
        """Height and width in pixels of the images that a user has, photographs once cut."""
        return self.image_size * self.downscale + 2 * (self.trim - self.zero_padding)

    def to_json(self) -> dict[str, Any]:
        """Return the keys of a file's description that this model has."""
        return self.model_dump(exclude_defaults=True)


def describe(spec: ResolvedSpec, data: ImageData, found: str) -> Description:
    """Return the description of a network that a run has trained on a data set to a depth."""
    from autogrow.data import FileSplit

    photographs = isinstance(data.train, FileSplit)
    entry = named_info(spec.data) if spec.data == data.name else None
    return Description(
        found=found,
        class_names=readable(data.classes),
        mean=list(data.mean),
        std=list(data.std),
        image_size=data.image_size,
        channels=data.channels,
        shorter_side=round(IMAGENET_RESIZE * data.image_size)
        if photographs
        else spec.resize or None,
        zero_padding=entry.zero_padding if entry else 0,
        trim=spec.trim,
        downscale=spec.downscale,
    )


def readable(names: Sequence[str]) -> list[str]:
    """Return names of classes as text: those of folders may hold any bytes."""
    return [n.encode(errors="surrogateescape").decode(errors="backslashreplace") for n in names]


def parse_description(content: dict[str, Any], file: Path) -> Description | None:
    """Return the description that a file of weights has; None in one of an older suite.

    Raises
    ------
    UserError
        Naming the file, the key, what was found there and what is allowed.
    """
    if "class_names" not in content:
        return None
    description = validated(Description, content, f"{file}: description")
    for key in ("mean", "std"):
        values = getattr(description, key)
        if len(values) != description.channels:
            raise UserError(
                f"{file}: description: {key}: found {shown(values)}; allowed: "
                f"{description.channels} numbers, one for each channel"
            )
    return description


def arguments_of(content: dict[str, Any]) -> dict[str, Any]:
    """Return what the builder of a network needs beside its name.

    A library's network needs the size of the images.
    """
    library = is_library(str(content.get("name")).partition("-")[0])
    others = {*Description.model_fields, "name"} - ({"image_size"} if library else set())
    return {k: v for k, v in content.items() if k not in others}
