"""The one exception that stands for a user's mistake.

Everything a user can get wrong (a name, a key, a file, a value) raises
:class:`UserError`; the command line prints it as one line and exits with a
non-zero code. Any other exception is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 120
"""Characters of a value in a message."""


class UserError(Exception):
    """A user's mistake, reported in one line.

    Parameters
    ----------
    message
        One line that names the file or key, what was found and what is allowed.

    Examples
    --------
    >>> import autogrow
    >>> try:
    ...     autogrow.build_network("Basic9ResNet-1", image_channels=1, classes=10)
    ... except autogrow.UserError as error:
    ...     print(str(error)[:44])
    network: unknown architecture 'Basic9ResNet'
    """

    def __init__(self, message: str) -> None:
        line = " ".join(str(message).split())
        # What was found is quoted, and may be anything: no control characters on a terminal.
        super().__init__("".join(c if c.isprintable() else repr(c)[1:-1] for c in line))


def shown(value: object) -> str:
    """Return a user's value as a message quotes it: cut where it is long."""
    try:
        return cut(repr(value))
    except ValueError:  # Python does not write numbers of thousands of digits
        return "a value too long to be shown"


def cut(text: str) -> str:
    """Return a text, or its beginning if it is long, for a message."""
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def shortened(message: str) -> str:
    """Return a library's message with each long word or quoted text cut."""
    quoted = r"""(?<!\w)(['"])(?:\\.|(?!\1)[^\\])*\1"""
    return re.sub(rf"{quoted}|\S+", lambda match: cut(match[0]), message)


def allowed(values: Iterable[object]) -> str:
    """Return ``values`` as the tail of an error message: ``a, b or c``."""
    texts = [str(value) for value in values]
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} or {texts[-1]}"


class InterruptedRunError(Exception):
    """A run that could not go on through no fault of the user's; started again it continues.

    Examples
    --------
    >>> import autogrow
    >>> raise autogrow.InterruptedRunError("the same call continues")
    Traceback (most recent call last):
        ...
    autogrow.errors.InterruptedRunError: the same call continues
    """
