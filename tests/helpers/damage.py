"""Damaged copies of a file, and what commands must do with them."""

import random


def truncated(content, times, seed=0):
    """Yield what is left of bytes that were cut off at random places, none and all but one too."""
    places = random.Random(seed)
    yield from (content[:cut] for cut in {0, len(content) - 1})
    for _ in range(times):
        yield content[: places.randrange(len(content))]


def flipped(content, times, seed=0):
    """Yield copies of bytes with one that is another."""
    places = random.Random(seed)
    for _ in range(times):
        changed = bytearray(content)
        at = places.randrange(len(content))
        changed[at] ^= places.randrange(1, 256)
        yield bytes(changed)


def told_in_one_line(told, file=""):
    """Check that a command has refused a file in a line that names it; return the line."""
    assert told.status == 2, told
    assert told.err.find("\n") == len(told.err) - 1, told.err
    assert str(file) in told.err, told.err
    assert "Traceback" not in told.err
    return told.err


def contents(folder):
    """Return the content of every file of a folder, those that begin with a dot included."""
    return {f: f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}
