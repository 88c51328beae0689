"""What is timed: networks and their images."""

from __future__ import annotations

from dataclasses import dataclass

BATCH = 128


@dataclass(frozen=True)
class Case:
    """A network and its images.

    Parameters
    ----------
    network
        With its depth.
    size, channels
        Of the images; their content does not matter to speed.
    images
        A multiple of the batch, few enough for a second or two an epoch.
    """

    network: str
    size: int
    channels: int
    images: int

    @property
    def name(self) -> str:
        """Network and images as one word for tables."""
        return f"{self.network} {self.size}x{self.size}x{self.channels}"


CASES = (
    Case("Basic3ResNet-1-1-1", 32, 3, 2560),
    Case("Basic3ResNet-3-3-3", 32, 3, 1280),
    Case("Basic3ResNet-9-9-9", 32, 3, 640),
    Case("Plain3Net-9-9-9", 32, 3, 1024),
    Case("Basic4ResNet-1-1-1-1", 32, 3, 384),
    Case("Basic3ResNet-1-1-1", 8, 1, 10240),
    Case("Basic3ResNet-3-3-3", 8, 1, 5120),
)
