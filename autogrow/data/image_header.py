"""Open image files without decoding them, and refuse those that would fill the memory."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from autogrow.errors import UserError

FORMATS = ("PNG", "JPEG", "BMP", "WEBP")  # all that Pillow may try: fewer parsers, fewer surprises
MAX_PIXELS = 2**26  # ImageNet's largest image has 61 million
MAX_RATIO = 1000  # of the sides: evaluation makes the shorter one 256 pixels long


@contextmanager
def opened(source: Path | IO[bytes], name: str = "") -> Iterator[Any]:
    """Open an image by Pillow, which reads its header, and check the size that it states.

    Raises
    ------
    UserError
        If the image is too large; the message starts with `name`.
    """
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd but readable metadata
        # Pillow's own limit knows only the number of pixels, and another one.
        theirs, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            image = Image.open(source, formats=FORMATS)
        finally:
            Image.MAX_IMAGE_PIXELS = theirs
        with image:
            width, height = image.size
            if width * height > MAX_PIXELS or max(image.size) > MAX_RATIO * min(image.size):
                raise UserError(
                    f"{name}found {width}x{height} pixels; allowed: up to {MAX_PIXELS:,} pixels, "
                    f"and sides of up to 1:{MAX_RATIO}"
                )
            yield image
